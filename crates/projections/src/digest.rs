//! One digest of what a ledger answers, to tell whether two histories came to the same.
//!
//! Left out is what differs between two runs of the same business: recorded times, sequences and positions, the writer's
//! starts, and health, which speaks of nothing else.

use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::projections::Projections;
use crate::query::QueryFault;
use crate::views::{HEALTH, VIEWS, ViewKind};

/// Fields that say when something was recorded or where in the log, wherever they stand in a row.
const LEFT_OUT: &[&str] = &["sequence", "position", "recorded_at", "since"];

/// Digests of every view and of all of them together, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// BLAKE3 over the views' names and digests.
    pub digest: String,
    /// The views in the order of their declaration.
    pub views: Vec<ViewDigest>,
}

/// The digest of one view's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewDigest {
    /// The view.
    pub view: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// BLAKE3 over the sorted hashes of its rows.
    pub digest: String,
}

impl Projections {
    /// Digests every row of every view, the views side by side. Nothing should be folded meanwhile.
    pub fn digest(&self) -> Result<Digest, QueryFault> {
        let kinds = || VIEWS.iter().filter(|kind| kind.name != HEALTH);
        let rows_of_views = std::thread::scope(|scope| {
            let under_way: Vec<_> = kinds().map(|kind| scope.spawn(|| self.row_hashes(kind))).collect();
            let join =
                |view: ScopedJoinHandle<'_, _>| view.join().unwrap_or_else(|panic| resume_unwind(panic));
            under_way.into_iter().map(join).collect::<Result<Vec<_>, _>>()
        })?;
        let mut all = blake3::Hasher::new();
        let views = kinds().zip(rows_of_views).map(|(kind, rows)| {
            let digest = blake3::hash(rows.as_flattened());
            all.update(kind.name.as_bytes()).update(digest.as_bytes());
            let (rows, digest) = (rows.len() as u64, digest.to_hex().to_string());
            ViewDigest { view: kind.name, rows, digest }
        });
        let views = views.collect();
        Ok(Digest { digest: all.finalize().to_hex().to_string(), views })
    }

    fn row_hashes(&self, kind: &'static ViewKind) -> Result<Vec<[u8; 32]>, QueryFault> {
        let mut hashes = Vec::new();
        self.every_row(kind, &mut |row| hashes.extend(hash_of(&row)))?;
        hashes.sort_unstable();
        Ok(hashes)
    }
}

/// `None` for what the ledger does to itself: a history that was interrupted has more starts of writers.
fn hash_of(row: &Value) -> Option<[u8; 32]> {
    let command = row.get("command").and_then(Value::as_str);
    if command.is_some_and(|command| command.starts_with("ledger.")) {
        return None;
    }
    let mut text = Vec::with_capacity(1024);
    write_canonical(row, &mut text);
    Some(*blake3::hash(&text).as_bytes())
}

/// JSON with the keys of every object in order and without what is left out.
fn write_canonical(value: &Value, text: &mut Vec<u8>) {
    const MEMORY: &str = "memory takes whatever is written";
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().filter(|name| counts(name, fields)).collect();
            names.sort_unstable();
            text.push(b'{');
            for name in names {
                serde_json::to_writer(&mut *text, name).expect(MEMORY);
                text.push(b':');
                write_canonical(&fields[name], text);
                text.push(b',');
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for item in items {
                write_canonical(item, text);
                text.push(b',');
            }
            text.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            serde_json::to_writer(text, value).expect(MEMORY);
        }
    }
}

/// An effective time that nobody gave is the recorded time again.
fn counts(name: &str, fields: &Map<String, Value>) -> bool {
    let is_recorded_time =
        || fields.get("recorded_at").is_some_and(|recorded| fields.get(name) == Some(recorded));
    !(LEFT_OUT.contains(&name) || name.ends_with("_at") && is_recorded_time())
}

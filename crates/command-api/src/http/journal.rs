//! The journal's frames over HTTP, byte for byte: what a backup on another machine reads.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use journal::JournalRead;
use tokio::sync::mpsc;

use super::answering;
use super::asking::allowed;
use super::ledger::Ledger;
use super::parameters::{Came, Given};

/// How many pieces are read ahead of the client.
const READ_AHEAD: usize = 4;
/// Short frames travel together, in pieces of about this many bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// Every durable frame from the one that holds `from` to the head of now. If reading fails in the middle, the body
/// breaks off: a client that got all of it got whole frames.
pub(super) async fn frames(Ledger(service): Ledger, headers: HeaderMap, parameters: Came) -> Response {
    if let Err(refused) = allowed(&service, &headers, "operate:backup") {
        return answering::reply(&refused);
    }
    let given = Given::read(parameters, &["from"]);
    let from = match given.and_then(|given| given.parsed("from", "the number of an entry")) {
        Ok(from) => from.unwrap_or(1),
        Err(invalid) => return answering::reply(&invalid.into()),
    };
    let (to, pieces) = mpsc::channel(READ_AHEAD);
    let journal = Arc::clone(service.journal());
    tokio::task::spawn_blocking(move || read(&journal, from, &to));
    let body = futures::stream::unfold(pieces, async |mut pieces| Some((pieces.recv().await?, pieces)));
    ([(header::CONTENT_TYPE, "application/octet-stream")], Body::from_stream(body)).into_response()
}

fn read(journal: &dyn JournalRead, from: u64, to: &mpsc::Sender<Result<Bytes, journal::Fault>>) {
    let end = journal.head().sequence;
    if from > end {
        return;
    }
    let mut frames = match journal.frames_from(from) {
        Ok(frames) => frames,
        Err(fault) => return drop(to.blocking_send(Err(fault))),
    };
    let mut piece = Vec::new();
    loop {
        match frames.next_frame() {
            Ok(Some(frame)) => {
                piece.extend_from_slice(frame.bytes());
                let is_last = frame.last_sequence() >= end;
                if is_last || piece.len() >= PIECE_BYTES {
                    let sent = to.blocking_send(Ok(std::mem::take(&mut piece).into()));
                    if is_last || sent.is_err() {
                        return;
                    }
                }
            }
            Ok(None) => return drop(to.blocking_send(Ok(piece.into()))),
            Err(fault) => {
                tracing::error!(%fault, "a backup broke off");
                return drop(to.blocking_send(Err(fault)));
            }
        }
    }
}

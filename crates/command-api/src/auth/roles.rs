//! What each role may do: a table of patterns over permissions, three roles built in, more from the operator's file.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_core::Command;
use ledger_core::values::{Name, Text};
use projections::VIEWS;
use thiserror::Error;

use super::Rights;
use crate::service::COMMAND_STATUS;

/// What is asked for besides commands and views.
const OPERATIONS: [&str; 4] =
    ["events:read", "operate:backup", "operate:confirm_clock", "operate:rebuild_views"];

/// `admin` may do everything; `operator` runs the shop, books and operations apart; `auditor` only reads.
const BUILT_IN: [(&str, &[&str]); 3] = [
    ("admin", &["*"]),
    (
        "operator",
        &[
            "items.*",
            "locations.*",
            "customers.*",
            "channels.*",
            "stock.*",
            "orders.*",
            "payments.*",
            "fulfilment.*",
            "returns.*",
            "query:*",
            "events:read",
        ],
    ),
    ("auditor", &["query:*", "events:read"]),
];

/// Roles, and the patterns of what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, Vec<String>>);

/// What is no table of roles.
#[derive(Debug, Error)]
pub enum RoleFault {
    /// Not the shape.
    #[error(
        "wanted a JSON object of roles, each a list of patterns ({{\"picker\": [\"fulfilment.*\", \"query:*\"]}}): {0}"
    )]
    NotRoles(#[source] serde_json::Error),
    /// A name that the log could not hold.
    #[error("role {role:?}: {why}")]
    BadName {
        /// The name.
        role: String,
        /// What was wanted.
        why: String,
    },
    /// A pattern that lets nobody do anything is a typing error.
    #[error(
        "role {role}: {pattern:?} matches no permission: wanted a command (stock.receive), a view (query:order_board), \
         {}, or the beginning of some and * (stock.*)",
        OPERATIONS.join(", ")
    )]
    MatchesNothing {
        /// The role.
        role: String,
        /// Its pattern.
        pattern: String,
    },
}

/// Every permission there is.
pub fn permissions() -> Vec<String> {
    let commands = Command::KINDS.iter().filter(|kind| kind.public).map(|kind| kind.name.to_owned());
    let views =
        VIEWS.iter().map(|view| view.name).chain([COMMAND_STATUS]).map(|name| format!("query:{name}"));
    commands.chain(views).chain(OPERATIONS.map(str::to_owned)).collect()
}

/// Whether a permission is the pattern, or begins with what stands before its `*`.
pub(super) fn matches(pattern: &str, permission: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => permission.starts_with(beginning),
        None => permission == pattern,
    }
}

impl Roles {
    /// The built-in ones: admin, operator, auditor.
    pub fn built_in() -> Self {
        let owned = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        Roles(BUILT_IN.iter().map(|(role, patterns)| ((*role).to_owned(), owned(patterns))).collect())
    }

    /// The built-in ones with those of a JSON file; one of the same name is replaced.
    pub fn read(json: &[u8]) -> Result<Self, RoleFault> {
        let added: BTreeMap<String, Vec<String>> =
            serde_json::from_slice(json).map_err(RoleFault::NotRoles)?;
        let known = permissions();
        for (role, patterns) in &added {
            if let Err(fault) = Name::try_new(role) {
                return Err(RoleFault::BadName { role: role.clone(), why: fault.to_string() });
            }
            let is_idle = |pattern: &&String| !known.iter().any(|permission| matches(pattern, permission));
            if let Some(pattern) = patterns.iter().find(is_idle) {
                return Err(RoleFault::MatchesNothing { role: role.clone(), pattern: pattern.clone() });
            }
        }
        let Roles(mut roles) = Roles::built_in();
        roles.extend(added);
        Ok(Roles(roles))
    }

    /// Those of a token that the table knows, and what they may do together.
    pub(super) fn of(&self, asserted: &[String]) -> (Vec<Name>, Rights) {
        let mut names = Vec::new();
        let mut patterns = Vec::new();
        for role in asserted {
            let (Some(its), Ok(name)) = (self.0.get(role), Name::try_new(role)) else { continue };
            if !names.contains(&name) {
                names.push(name);
                patterns.extend(its.iter().cloned());
            }
        }
        (names, Rights::Matching(Arc::from(patterns)))
    }
}

//! A question to a view and its answer, as they stand in the contract.

use ledger_core::values::{OrderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::position::Position;

/// Rows of a page when the query does not say.
pub const LIMIT_DEFAULT: u32 = 100;
/// The most rows of a page.
pub const LIMIT_MAX: u32 = 1000;
/// A page is cut before its rows take more bytes than this, as JSON.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;

/// A question to a view.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    /// Which rows: the fields that the view declares as filters.
    pub filter: Map<String, Value>,
    /// As of when; now when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<AsOf>,
    /// The answer must include this position: what the caller has written before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_position: Option<String>,
    /// Rows of a page: 1 to 1000, 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// One of the view's sorts; its first when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

/// As of when. A sequence or recorded time says what was known then; an effective time what was true then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AsOf {
    /// After this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// After the last entry recorded at this time or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
    /// Counting what was true at this time or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
}

/// Rows that hold together at one position.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// What the rows include: everything up to this entry and nothing after.
    pub position: Position,
    /// The rows, in the order of the sort.
    pub rows: Vec<Value>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryFault {
    /// There is no such view.
    #[error("there is no view {view:?}; there are {known}")]
    UnknownView {
        /// What was asked.
        view: String,
        /// Every view.
        known: String,
    },
    /// The view has no such filter: a typo must not be ignored.
    #[error("{view} has no filter {filter:?}; it has {known}")]
    UnknownFilter {
        /// The view.
        view: &'static str,
        /// What was asked.
        filter: String,
        /// Every filter of the view.
        known: String,
    },
    /// The filter's value is not what it should be, or a needed one is missing.
    #[error("the filter of {view}: {why}")]
    InvalidFilter {
        /// The view.
        view: &'static str,
        /// What was found and what was wanted.
        why: String,
    },
    /// A page has 1 to 1000 rows.
    #[error("limit: wanted 1 to {LIMIT_MAX}, found {found}")]
    InvalidLimit {
        /// What was asked.
        found: u32,
    },
    /// The sequence is not recorded, or another writer recorded something else under it.
    #[error("{found} is not a position of this log, which stands at {head}: {why}")]
    UnknownPosition {
        /// What was asked.
        found: String,
        /// Where the log stands.
        head: Position,
        /// Why it is not one.
        why: &'static str,
    },
    /// The order left memory; the journal has all of it.
    #[error("order {order} was archived at sequence {sequence}: ask as of sequence {}", sequence.saturating_sub(1))]
    OrderArchived {
        /// The order.
        order: OrderId,
        /// The entry by which it was archived.
        sequence: u64,
    },
    /// The view cannot answer as of an effective time.
    #[error("{view} answers as of a sequence or recorded time, not as of an effective time; {able} do")]
    AsOfNotSupported {
        /// The view.
        view: &'static str,
        /// The views that can.
        able: String,
    },
    /// The cursor is none of this view and sort.
    #[error("the cursor is none that {view} gave for the sort {sort:?}: begin again without one")]
    InvalidCursor {
        /// The view.
        view: &'static str,
        /// The sort.
        sort: &'static str,
    },
    /// The view does not sort that way.
    #[error("{view} does not sort by {sort:?}; it sorts by {known}")]
    SortNotSupported {
        /// The view.
        view: &'static str,
        /// What was asked.
        sort: String,
        /// Every sort of the view.
        known: String,
    },
    /// The journal or the store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl QueryFault {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            QueryFault::UnknownView { .. } => "unknown_view",
            QueryFault::UnknownFilter { .. } => "unknown_filter",
            QueryFault::InvalidFilter { .. } => "invalid_filter",
            QueryFault::InvalidLimit { .. } => "invalid_limit",
            QueryFault::UnknownPosition { .. } => "unknown_position",
            QueryFault::OrderArchived { .. } => "order_archived",
            QueryFault::AsOfNotSupported { .. } => "as_of_not_supported",
            QueryFault::InvalidCursor { .. } => "invalid_cursor",
            QueryFault::SortNotSupported { .. } => "sort_not_supported",
            QueryFault::Fault(_) => "unavailable",
        }
    }
}

//! Queries: read the question, wait for what the caller has written, ask the views where blocking is fine.

use std::time::Instant;

use projections::{AsOf, HEALTH, Page, Position, Query, QueryFault};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Service;
use super::past::is_about_the_past;
use crate::invalid::{self, Invalid};
use crate::reply::{Outcome, Problem, Reply};
use crate::request::BODY_BYTES_MAX;
use crate::writer::Answer;

/// The query that tells what became of a command: no view, for it is asked by command id.
pub const COMMAND_STATUS: &str = "command_status";

/// The permission to ask a view.
pub fn query_permission(view: &str) -> String {
    format!("query:{view}")
}

/// The rows of [`COMMAND_STATUS`].
#[derive(Serialize)]
struct StatusRow {
    id: String,
    #[serde(flatten)]
    reply: Reply,
}

/// Reads a question; an empty body asks for everything.
pub fn read_query(body: &[u8]) -> Result<Query, Invalid> {
    if body.len() > BODY_BYTES_MAX {
        let message = format!("wanted a query of at most {BODY_BYTES_MAX} bytes, found {}", body.len());
        return Err(Invalid::whole("too_large", message));
    }
    if body.is_empty() {
        return Ok(Query::default());
    }
    invalid::object(body)?;
    invalid::from_slice(body)
}

impl Service {
    /// Answers a question to a view. Waits for the question's `min_position`, to the service's deadline.
    pub async fn query(&self, view: &str, query: Query) -> Result<Page, Reply> {
        let asked = Instant::now();
        let page = self.page(view, query).await;
        self.metrics().count_query(page.is_ok(), asked.elapsed());
        page
    }

    /// What became of a command: the first outcome again, or `None` if its id is not remembered. Before it says so it waits
    /// for the views to show all that was durable when it was asked: what was accepted a moment ago is known.
    pub async fn command_status(&self, id: &str) -> Result<Option<Reply>, Reply> {
        let mut found = self.projections().command_status(id);
        if found.is_none() {
            self.reach_sequence(self.durable_sequence()).await?;
            found = self.projections().command_status(id);
        }
        let (Some(sequence), Ok(id)) = (found, ledger_core::values::Text::try_new(id)) else {
            return Ok(None);
        };
        let journal = self.journal().clone();
        let answer = Answer::Duplicate { accepted: vec![(id, sequence)] };
        let read = tokio::task::spawn_blocking(move || Reply::of(answer, &journal)).await;
        Ok(Some(read.unwrap_or_else(|_| Reply::unavailable("reading the outcome failed"))))
    }

    async fn page(&self, view: &str, mut query: Query) -> Result<Page, Reply> {
        if let Some(token) = query.min_position.take() {
            self.reach(&token).await?;
        }
        if view == COMMAND_STATUS {
            return self.status_page(&query).await;
        }
        let turn = match is_about_the_past(&query) {
            true => Some(self.0.past.turn().await?),
            false => None,
        };
        let (service, view) = (self.clone(), view.to_owned());
        let asked = tokio::task::spawn_blocking(move || {
            // Kept by the question and not by whoever asked, who may go.
            let _turn = turn;
            let is_about_now = query.as_of.is_none_or(|as_of| as_of == AsOf::default());
            let mut page = service.projections().query(&view, query)?;
            if view == HEALTH && is_about_now {
                page.rows.iter_mut().for_each(|row| service.add_health(row));
            }
            Ok(page)
        })
        .await;
        asked.map_err(|_| Reply::unavailable("answering the query failed"))?.map_err(reply_of)
    }

    async fn status_page(&self, query: &Query) -> Result<Page, Reply> {
        let id = wanted_id(&query.filter)?;
        let reply = self.command_status(&id).await?;
        let position = self.position();
        let row = reply.map(|reply| serde_json::to_value(StatusRow { id, reply }));
        let rows = row.into_iter().map(|row| row.expect("a reply is plain JSON")).collect();
        Ok(Page { position, rows, next: None })
    }

    /// Waits until the views have reached the position, or the deadline.
    pub(crate) async fn reach(&self, token: &str) -> Result<(), Reply> {
        let wanted = token.parse::<Position>().map_err(|fault| {
            Reply::Invalid(Invalid::at("invalid_value", "/min_position", fault.to_string()))
        })?;
        self.reach_sequence(wanted.sequence).await?;
        match self.projections().position_at(wanted.sequence) {
            Some(there) if there == wanted => Ok(()),
            Some(_) | None => {
                let message =
                    format!("{wanted} is not a position of this log, which stands at {}", self.position());
                Err(Reply::Conflict(Problem::new("unknown_position", message)))
            }
        }
    }

    async fn reach_sequence(&self, wanted: u64) -> Result<(), Reply> {
        let mut position = self.0.position.clone();
        let reached = position.wait_for(|position| position.sequence >= wanted);
        if let Ok(Ok(_)) = tokio::time::timeout(self.0.min_position_wait, reached).await {
            return Ok(());
        }
        let at = self.position();
        let message =
            format!("the views are at {at}, and did not reach sequence {wanted} in time: ask again");
        Err(Reply::Unavailable(Problem::new("position_not_reached", message)))
    }
}

/// A page, or why there is none, as it goes over the wire.
pub fn page_json(page: &Result<Page, Reply>) -> Vec<u8> {
    match page {
        Ok(page) => crate::reply::json(page),
        Err(reply) => Outcome::One(reply.clone()).to_json(),
    }
}

fn wanted_id(filter: &Map<String, Value>) -> Result<String, Invalid> {
    if let Some(other) = filter.keys().find(|key| *key != "id") {
        let message = format!("{COMMAND_STATUS} has no filter {other:?}; it has id");
        return Err(Invalid::at("unknown_filter", format!("/filter/{other}"), message));
    }
    match filter.get("id") {
        Some(Value::String(id)) => Ok(id.clone()),
        Some(_) => Err(Invalid::at("invalid_filter", "/filter/id", "wanted a command id as text")),
        None => Err(Invalid::at("missing_field", "/filter/id", "wanted the id of a command")),
    }
}

fn reply_of(fault: QueryFault) -> Reply {
    let (code, message) = (fault.code(), fault.to_string());
    match fault {
        QueryFault::UnknownView { .. } => Reply::Invalid(Invalid::whole(code, message)),
        QueryFault::UnknownFilter { filter, .. } => {
            Reply::Invalid(Invalid::at(code, format!("/filter/{filter}"), message))
        }
        QueryFault::InvalidFilter { .. } => Reply::Invalid(Invalid::at(code, "/filter", message)),
        QueryFault::InvalidLimit { .. } => Reply::Invalid(Invalid::at(code, "/limit", message)),
        QueryFault::AsOfNotSupported { .. } => Reply::Invalid(Invalid::at(code, "/as_of", message)),
        QueryFault::InvalidCursor { .. } => Reply::Invalid(Invalid::at(code, "/cursor", message)),
        QueryFault::SortNotSupported { .. } => Reply::Invalid(Invalid::at(code, "/sort", message)),
        QueryFault::OrderArchived { .. } | QueryFault::UnknownPosition { .. } => {
            Reply::Conflict(Problem::new(code, message))
        }
        QueryFault::Fault(_) => Reply::Unavailable(Problem::new(code, message)),
    }
}

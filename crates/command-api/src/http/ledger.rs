//! Which ledger a path means.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::ledgers::Ledgers;
use crate::service::Service;

/// The ledger that the path names, or the default one.
pub(super) struct Ledger(pub(super) Service);

impl FromRequestParts<Ledgers> for Ledger {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, ledgers: &Ledgers) -> Result<Self, Problem> {
        let named = parameter(parts, ledgers, "ledger").await?;
        let Some(name) = named else { return Ok(Ledger(ledgers.default_ledger().clone())) };
        ledgers.named(&name).cloned().map(Ledger).ok_or_else(|| {
            let known: Vec<&str> = ledgers.iter().map(Service::name).collect();
            let detail = format!("there is no ledger {name:?} here; there are {}", known.join(", "));
            Problem::new(StatusCode::NOT_FOUND, "unknown_ledger", detail)
        })
    }
}

/// What stands in the path after the ledger: a command, an id or a view.
pub(super) struct Named(pub(super) String);

impl FromRequestParts<Ledgers> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, ledgers: &Ledgers) -> Result<Self, Problem> {
        let name = parameter(parts, ledgers, "name").await?;
        let found = match name {
            Some(name) => Some(name),
            None => parameter(parts, ledgers, "view").await?,
        };
        Ok(Named(found.unwrap_or_default()))
    }
}

async fn parameter(parts: &mut Parts, ledgers: &Ledgers, wanted: &str) -> Result<Option<String>, Problem> {
    let found = RawPathParams::from_request_parts(parts, ledgers).await;
    let parameters = found.map_err(|fault| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_value", format!("wanted a path in UTF-8: {fault}"))
    })?;
    Ok(parameters.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned()))
}

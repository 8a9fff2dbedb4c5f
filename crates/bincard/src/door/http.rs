//! The door to a service that answers on HTTP.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use super::answer::excerpt;
use super::trust::tls;
use super::{Answer, DoorFault, Item, Page};
use crate::cli::ClientAccessArgs;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take: a query may wait for its position, a batch for a slow disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest answer that is read, in bytes: twice what the contract lets a service send.
const ANSWER_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// A base address, and the ledger that is meant.
pub struct HttpDoor {
    pub(super) url: String,
    pub(super) ledger: String,
    /// One connection is kept: commands of a connection are decided in the order in which they are sent.
    agent: Agent,
    authorization: Option<String>,
}

impl HttpDoor {
    pub(super) fn open(url: &str, ledger: &str, access: &ClientAccessArgs) -> Result<Self, DoorFault> {
        let (url, agent) = agent(url, access)?;
        let authorization = access.token.as_ref().map(|token| format!("Bearer {token}"));
        Ok(Self { url, ledger: ledger.to_owned(), agent, authorization })
    }

    pub(super) async fn send(&self, item: &Item, dry_run: bool) -> Result<Answer, DoorFault> {
        let mut headers = Vec::new();
        if let Some(id) = &item.id {
            headers.push(("Idempotency-Key", id.clone()));
        }
        if let Some(effective_at) = &item.effective_at {
            headers.push(("Bincard-Effective-At", effective_at.clone()));
        }
        let path = format!("commands/{}", item.command);
        Answer::read(self.post(&path, headers, dry_run, item.body.to_string().into_bytes()).await?)
    }

    pub(super) async fn send_batch(&self, batch: Vec<u8>, dry_run: bool) -> Result<Value, DoorFault> {
        self.post("commands", Vec::new(), dry_run, batch).await
    }

    pub(super) async fn query(&self, view: &str, query: &Value) -> Result<Page, DoorFault> {
        let path = format!("views/{view}");
        Page::read(self.post(&path, Vec::new(), false, query.to_string().into_bytes()).await?)
    }

    async fn post(
        &self,
        path: &str,
        headers: Vec<(&'static str, String)>,
        dry_run: bool,
        body: Vec<u8>,
    ) -> Result<Value, DoorFault> {
        let url = format!("{}/v1/ledgers/{}/{path}", self.url, self.ledger);
        let mut request = Request::post(&url).header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        if dry_run {
            request = request.header("Bincard-Dry-Run", "true");
        }
        let request =
            request.body(body).map_err(|error| DoorFault::Unsendable { why: format!("{url}: {error}") })?;
        let (agent, tried) = (self.agent.clone(), self.url.clone());
        let done = tokio::task::spawn_blocking(move || exchange(&agent, &tried, request)).await;
        done.expect("the exchange does not panic")
    }
}

/// The base address, whole, and what asks there.
pub(crate) fn agent(url: &str, access: &ClientAccessArgs) -> Result<(String, Agent), DoorFault> {
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(ANSWER_TIMEOUT))
        .proxy(None)
        .tls_config(tls(&url, access.http_tls_ca.as_deref())?)
        .build()
        .new_agent();
    Ok((url.trim_end_matches('/').to_owned(), agent))
}

fn exchange(agent: &Agent, tried: &str, request: Request<Vec<u8>>) -> Result<Value, DoorFault> {
    let no_answer = |error: ureq::Error| {
        let (tried, why) = (tried.to_owned(), error.to_string());
        match error {
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::BadUri(_) => {
                DoorFault::NobodyThere { tried, why }
            }
            ureq::Error::Timeout(ureq::Timeout::Connect) => DoorFault::NobodyThere { tried, why },
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                DoorFault::NobodyThere { tried, why: "connection refused".to_owned() }
            }
            _ => DoorFault::NoAnswer { tried, why },
        }
    };
    let mut response = agent.run(request).map_err(no_answer)?;
    let bytes = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(no_answer)?;
    serde_json::from_slice(&bytes)
        .map(reply_of)
        .map_err(|_| DoorFault::NotUnderstood { found: excerpt(&String::from_utf8_lossy(&bytes)) })
}

/// Problem details as the reply that they tell of, so that an answer reads the same through every door.
fn reply_of(json: Value) -> Value {
    let Value::Object(mut problem) = json else { return json };
    if !problem.get("status").is_some_and(Value::is_number) {
        return Value::Object(problem);
    }
    let outcome = problem.shift_remove("outcome").unwrap_or_else(|| Value::from("invalid"));
    let mut reply = serde_json::Map::from_iter([("status".to_owned(), outcome)]);
    for (from, to) in [("code", "code"), ("detail", "message")] {
        if let Some(value) = problem.shift_remove(from) {
            reply.insert(to.to_owned(), value);
        }
    }
    for of_http_alone in ["type", "title", "status"] {
        problem.shift_remove(of_http_alone);
    }
    reply.extend(problem);
    Value::Object(reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn problem_details_read_like_the_reply_they_tell_of() {
        let problem = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "detail": "3 available, 5 wanted",
            "outcome": "rejected", "code": "not_enough_available", "details": {"wanted": 5}, "position": "1.7",
        });
        let reply = json!({
            "status": "rejected", "code": "not_enough_available", "message": "3 available, 5 wanted",
            "details": {"wanted": 5}, "position": "1.7",
        });
        assert_eq!(reply_of(problem), reply);
        let accepted = json!({"status": "accepted", "sequence": 7});
        assert_eq!(reply_of(accepted.clone()), accepted);
    }
}

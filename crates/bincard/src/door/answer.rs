//! What a ledger answers, read from the contract's JSON.

use serde_json::Value;

use super::DoorFault;

/// The answer to one command.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What became of the command.
    pub outcome: Outcome,
    /// The stable code of whatever is not an acceptance.
    pub code: String,
    /// The code in a sentence.
    pub message: String,
    /// The whole answer, as it came.
    pub json: Value,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Recorded now.
    Accepted,
    /// It was accepted before.
    Duplicate,
    /// The business says no, or it cannot be understood, or it contradicts what was accepted.
    Refused,
    /// The id stands for another command.
    IdReused,
    /// A document of that name is there already; whether it is the same is not remembered.
    Exists,
    /// Nothing happened; the same may be sent again.
    Again,
}

/// Rows that hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What the rows include.
    pub position: String,
    /// The rows.
    pub rows: Vec<Value>,
    /// Where the next page begins.
    pub next: Option<String>,
}

impl Answer {
    /// Reads a reply.
    pub(super) fn read(json: Value) -> Result<Answer, DoorFault> {
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = text("code");
        let outcome = match text("status").as_str() {
            "accepted" if json["duplicate"] == Value::Bool(true) => Outcome::Duplicate,
            "accepted" => Outcome::Accepted,
            "busy" | "unavailable" | "unknown" => Outcome::Again,
            "conflict" if code == "command_id_reused" => Outcome::IdReused,
            "rejected" if code.ends_with("_exists") => Outcome::Exists,
            "rejected" | "invalid" | "conflict" | "unauthorised" | "forbidden" => Outcome::Refused,
            _ => return Err(DoorFault::NotUnderstood { found: excerpt(&json.to_string()) }),
        };
        Ok(Answer { outcome, code, message: text("message"), json })
    }

    /// Whether the ledger has the command.
    pub fn is_in(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted | Outcome::Duplicate)
    }

    /// Reads the reply to a batch of `count` commands: one answer for each, or one that speaks for the whole.
    pub(super) fn read_batch(json: Value, count: usize) -> Result<Vec<Answer>, DoorFault> {
        let Value::Object(mut reply) = json else {
            return Err(DoorFault::NotUnderstood { found: excerpt(&json.to_string()) });
        };
        let Some(Value::Array(answers)) = reply.remove("results") else {
            let whole = Answer::read(Value::Object(reply))?;
            return Ok(vec![whole; count]);
        };
        if answers.len() != count {
            let found = format!("{} answers to {count} commands", answers.len());
            return Err(DoorFault::NotUnderstood { found });
        }
        answers.into_iter().map(Answer::read).collect()
    }
}

impl Page {
    /// Reads a page, or the refusal that came in its place.
    pub(super) fn read(json: Value) -> Result<Page, DoorFault> {
        let Value::Object(mut page) = json else {
            return Err(DoorFault::NotUnderstood { found: excerpt(&json.to_string()) });
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let rows = page.remove("rows");
        match (text(page.get("position")), rows) {
            (Some(position), Some(Value::Array(rows))) => {
                Ok(Page { position, rows, next: text(page.get("next")) })
            }
            _ => match (text(page.get("code")), text(page.get("message"))) {
                (Some(code), Some(message)) => Err(DoorFault::QueryRefused { code, message }),
                _ => Err(DoorFault::NotUnderstood { found: excerpt(&Value::Object(page).to_string()) }),
            },
        }
    }
}

/// As much of a text as fits a message.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(200).collect()
}

//! A message of the inbox as a command under an id: the id that it names, else the place that it has in the stream.

use std::time::{Instant, SystemTime};

use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use ledger_core::values::{CommandId, Text};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Fault;
use crate::auth::Auth;
use crate::invalid::Invalid;
use crate::nats::values;
use crate::reply::Reply;
use crate::request::{Envelope, TRACE_HEADER, read_command};
use crate::writer::Request;

/// What a token of a subject carries as it is; everything else is percent-encoded.
const TOKEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The subject that tells the outcome of a command.
pub fn outcome_subject(ledger: &str, command_id: &str) -> String {
    format!("bincard.{ledger}.outcome.{}", utf8_percent_encode(command_id, TOKEN))
}

/// A command of the inbox.
pub(super) struct Letter {
    pub(super) message: Message,
    /// Under which its outcome is stored.
    pub(super) id: String,
    /// Which message it is to the consumer, from 1.
    pub(super) delivery: u64,
    /// When it was opened here.
    pub(super) opened: Instant,
    /// When the server took it: its token had to be valid then, however long it waited.
    sent_at: SystemTime,
}

impl Letter {
    /// A message, with the command it asks for if that can be read.
    pub(super) fn open(
        message: Message,
        ledger: &str,
        auth: &Auth,
    ) -> Result<(Self, Result<Request, Reply>), Fault> {
        let (fallback, delivery, sent_at) = {
            let info = message.info().map_err(Fault::jetstream)?;
            let fallback = format!("inbox-{}-{}", info.stream, info.stream_sequence);
            (fallback, info.consumer_sequence, SystemTime::from(info.published))
        };
        let (id, request) = read(&message, ledger, &fallback, auth, sent_at);
        Ok((Letter { message, id, delivery, opened: Instant::now(), sent_at }, request))
    }

    /// The caller's trace.
    pub(super) fn trace(&self) -> Option<&str> {
        let headers = self.message.headers.as_ref()?;
        headers.get(TRACE_HEADER).map(|value| value.as_str())
    }

    /// What it asks for.
    pub(super) fn command(&self, ledger: &str) -> &str {
        command_in(&self.message, ledger)
    }

    /// The command once more.
    pub(super) fn read(&self, ledger: &str, auth: &Auth) -> Result<Request, Reply> {
        read(&self.message, ledger, &self.id, auth, self.sent_at).1
    }
}

fn read(
    message: &Message,
    ledger: &str,
    fallback: &str,
    auth: &Auth,
    sent_at: SystemTime,
) -> (String, Result<Request, Reply>) {
    let mut envelope = match envelope(message.headers.as_ref(), auth, sent_at) {
        Ok(envelope) => envelope,
        Err(refused) => return (fallback.to_owned(), Err(refused)),
    };
    let id = match envelope.id.take() {
        Some(id) => id,
        None => match CommandId::try_new(fallback) {
            Ok(id) => id,
            Err(fault) => {
                let invalid = Invalid::whole("invalid_value", fault.to_string());
                return (fallback.to_owned(), Err(invalid.into()));
            }
        },
    };
    envelope.id = Some(id.clone());
    let request = read_command(command_in(message, ledger), &message.payload, &envelope);
    (id.as_str().to_owned(), request.map_err(Reply::from))
}

fn command_in<'m>(message: &'m Message, ledger: &str) -> &'m str {
    let subject = message.subject.as_str();
    subject.strip_prefix(&format!("bincard.{ledger}.inbox.")).unwrap_or(subject)
}

fn envelope(headers: Option<&HeaderMap>, auth: &Auth, sent_at: SystemTime) -> Result<Envelope, Reply> {
    let caller = auth.caller(|name| values(headers, name), sent_at)?;
    Ok(Envelope::read(caller, |name| values(headers, name))?)
}

#[cfg(test)]
mod tests {
    use super::outcome_subject;

    #[test]
    fn any_command_id_is_one_token_of_a_subject() {
        assert_eq!(outcome_subject("main", "order-1_a"), "bincard.main.outcome.order-1_a");
        assert_eq!(outcome_subject("eu", "a.b *>é"), "bincard.eu.outcome.a%2Eb%20%2A%3E%C3%A9");
    }
}

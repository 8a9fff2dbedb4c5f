//! A message of the inbox as a command under an id: the id that it names, else the place that it has in the stream.

use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use ledger_core::values::{CommandId, Text};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Fault;
use crate::invalid::Invalid;
use crate::request::{Envelope, read_command};
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
}

impl Letter {
    /// A message, with the command it asks for if that can be read.
    pub(super) fn open(message: Message, ledger: &str) -> Result<(Self, Result<Request, Invalid>), Fault> {
        let (fallback, delivery) = {
            let info = message.info().map_err(Fault::jetstream)?;
            (format!("inbox-{}-{}", info.stream, info.stream_sequence), info.consumer_sequence)
        };
        let (id, request) = read(&message, ledger, &fallback);
        Ok((Letter { message, id, delivery }, request))
    }

    /// The command once more.
    pub(super) fn read(&self, ledger: &str) -> Result<Request, Invalid> {
        read(&self.message, ledger, &self.id).1
    }
}

fn read(message: &Message, ledger: &str, fallback: &str) -> (String, Result<Request, Invalid>) {
    let mut envelope = match envelope(message.headers.as_ref()) {
        Ok(envelope) => envelope,
        Err(invalid) => return (fallback.to_owned(), Err(invalid)),
    };
    let id = match envelope.id.take() {
        Some(id) => id,
        None => match CommandId::try_new(fallback) {
            Ok(id) => id,
            Err(fault) => {
                return (fallback.to_owned(), Err(Invalid::whole("invalid_value", fault.to_string())));
            }
        },
    };
    envelope.id = Some(id.clone());
    let subject = message.subject.as_str();
    let command = subject.strip_prefix(&format!("bincard.{ledger}.inbox.")).unwrap_or(subject);
    (id.as_str().to_owned(), read_command(command, &message.payload, &envelope))
}

fn envelope(headers: Option<&HeaderMap>) -> Result<Envelope, Invalid> {
    Envelope::read(|name| {
        let values = headers.into_iter().flat_map(|headers| headers.get_all(name));
        values.map(|value| value.as_str().as_bytes()).collect()
    })
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

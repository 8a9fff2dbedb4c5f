//! What was asked and what came of it, told to a tracing system as OpenTelemetry spans, where one is configured. A span is
//! made when the answer leaves, with the times that were measured anyway: where none is configured, nothing is made.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState,
};
use opentelemetry::{Context, KeyValue};

use crate::reply::{Outcome, Reply};

/// Where spans go; nowhere by default.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<BoxedTracer>>);

/// A request that is answered now.
pub(crate) struct Told<'a> {
    /// The ledger.
    pub(crate) ledger: &'a str,
    /// `http`, `nats` or `inbox`.
    pub(crate) door: &'static str,
    /// The command or view, or `batch`.
    pub(crate) name: &'a str,
    /// The caller's `traceparent`, as it came.
    pub(crate) trace: Option<&'a str>,
    /// From its arrival to now.
    pub(crate) time: Duration,
}

impl Traces {
    /// Spans go to this tracer.
    pub fn to(tracer: BoxedTracer) -> Self {
        Traces(Some(Arc::new(tracer)))
    }

    /// A command or a batch has its answer.
    pub(crate) fn answered(&self, told: &Told<'_>, outcome: &Outcome) {
        let Some(tracer) = &self.0 else { return };
        let (mut about, mut fault) = (Vec::new(), None);
        match outcome {
            Outcome::One(reply) => {
                about.push(KeyValue::new("bincard.status", reply.status()));
                about.extend(reply.code().map(|code| KeyValue::new("bincard.code", code.to_owned())));
                if let Reply::Accepted(accepted) = reply {
                    about.push(KeyValue::new("bincard.position", accepted.position.to_string()));
                }
                fault = is_a_fault(reply).then(|| reply.message().unwrap_or_default().to_owned());
            }
            Outcome::Each(lines) => about.push(KeyValue::new("bincard.commands", lines.len() as i64)),
        }
        span(tracer, told, about, fault);
    }

    /// A query has its answer, or its refusal.
    pub(crate) fn queried(&self, told: &Told<'_>, refusal: Option<&Reply>) {
        let Some(tracer) = &self.0 else { return };
        let about = vec![KeyValue::new("bincard.status", refusal.map_or("answered", Reply::status))];
        let fault = refusal.filter(|reply| is_a_fault(reply));
        span(tracer, told, about, fault.map(|reply| reply.message().unwrap_or_default().to_owned()));
    }
}

/// Whether it is our fault: a refusal is an answer as good as any.
fn is_a_fault(reply: &Reply) -> bool {
    matches!(reply, Reply::Busy(_) | Reply::Unavailable(_) | Reply::Unknown(_))
}

fn span(tracer: &BoxedTracer, told: &Told<'_>, about: Vec<KeyValue>, fault: Option<String>) {
    let Told { ledger, door, name, trace, time } = *told;
    let now = SystemTime::now();
    let attributes =
        [KeyValue::new("bincard.ledger", ledger.to_owned()), KeyValue::new("bincard.door", door)];
    let parent = trace
        .and_then(parent)
        .map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
    let mut span = SpanBuilder::from_name(name.to_owned())
        .with_kind(SpanKind::Server)
        .with_start_time(now.checked_sub(time).unwrap_or(now))
        .with_attributes(attributes.into_iter().chain(about))
        .start_with_context(tracer, &parent);
    if let Some(why) = fault {
        span.set_status(Status::error(why));
    }
    span.end_with_timestamp(now);
}

/// The caller's span, if the header is one of the W3C's: version 00, lower case.
/// <https://www.w3.org/TR/trace-context/#traceparent-header>
pub(crate) fn parent(header: &str) -> Option<SpanContext> {
    let mut parts = header.split('-');
    let mut hex = |len: usize| {
        let is_hex = |part: &&str| {
            part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        parts.next().filter(is_hex)
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    if version != "00" || parts.next().is_some() {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::NONE)).filter(SpanContext::is_valid)
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Traces(on)" } else { "Traces(off)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_the_w3c_is_read_and_anything_else_is_no_parent() {
        let found = parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(found.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(found.span_id().to_string(), "b7ad6b7169203331");
        assert!(found.is_sampled() && found.is_remote());
        for bad in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(parent(bad).is_none(), "{bad}");
        }
    }
}

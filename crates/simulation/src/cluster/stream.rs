//! The replicated stream and the way to it: a server that stores a message at one place or not at all, a leader that was
//! deposed and does not know it, and messages that are lost, doubled and late in both directions.

use std::time::Duration;

use fastrand::Rng;
use journal::Frame;
use journal::jetstream::{Ask, Attempt, Heard};

/// What the network carries, from or to an instance's n-th life.
#[derive(Debug, Clone)]
pub(super) enum Carried {
    Request(Attempt, Ask),
    Answer(Attempt, Heard),
}

/// The stream as its leader has it, and how the way to it behaves.
pub(super) struct Stream {
    messages: Vec<Frame>,
    /// Requests up to this moment meet a leader that was deposed.
    deposed_until: u64,
    lost_percent: u8,
    doubled_percent: u8,
    late_percent: u8,
}

impl Stream {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut percent = |often: &[u8]| often[rng.usize(..often.len())];
        Stream {
            messages: Vec::new(),
            deposed_until: 0,
            lost_percent: percent(&[0, 2, 10]),
            doubled_percent: percent(&[0, 2, 10]),
            late_percent: percent(&[0, 5, 20]),
        }
    }

    pub(super) fn messages(&self) -> &[Frame] {
        &self.messages
    }

    /// From now on, until then, whoever asks reaches a leader that is none any more.
    pub(super) fn depose_leader(&mut self, until: u64) {
        self.deposed_until = until;
    }

    /// Nothing goes wrong on the way any more.
    pub(super) fn heal(&mut self) {
        (self.lost_percent, self.doubled_percent, self.late_percent) = (0, 0, 0);
        self.deposed_until = 0;
    }

    /// When copies of what is sent now arrive.
    pub(super) fn arrivals(&self, now: u64, rng: &mut Rng) -> Vec<u64> {
        let copies = match rng.u8(..100) {
            roll if roll < self.lost_percent => 0,
            roll if roll < self.lost_percent + self.doubled_percent => 2,
            _ => 1,
        };
        let delay = |rng: &mut Rng| {
            let late = rng.u8(..100) < self.late_percent;
            if late { rng.u64(50_000..6_000_000) } else { rng.u64(200..5_000) }
        };
        (0..copies).map(|_| now + delay(rng)).collect()
    }

    /// What a reader gets from there on: a replica may lag behind.
    pub(super) fn read_after(&self, last: u64, lags: bool) -> &[Frame] {
        let end = if lags { self.messages.len().saturating_sub(1) } else { self.messages.len() };
        self.messages.get(place(last)..end).unwrap_or_default()
    }

    /// The server's answer. A deposed leader knows nothing of the end of the stream and stores nothing.
    pub(super) fn serve(&mut self, ask: &Ask, now: u64) -> Heard {
        let last = self.messages.len() as u64;
        let deposed = now < self.deposed_until;
        match ask {
            Ask::Pause(_) => Heard::Paused,
            Ask::Publish { .. } if deposed => Heard::Rejected { why: "a deposed leader".into() },
            Ask::Publish { expected_last, frame } if *expected_last == last => {
                self.messages.push(frame.clone());
                Heard::Acknowledged { stream_sequence: last + 1 }
            }
            Ask::Publish { .. } => Heard::Rejected { why: format!("wrong last sequence: {last}") },
            Ask::Look { .. } if deposed => Heard::Absent,
            Ask::Look { stream_sequence } => match self.messages.get(place(*stream_sequence - 1)) {
                Some(frame) => Heard::Found { bytes: frame.bytes().to_vec() },
                None => Heard::Absent,
            },
        }
    }
}

fn place(stream_sequence: u64) -> usize {
    usize::try_from(stream_sequence).expect("a simulated stream fits memory")
}

/// A moment of simulated time as the appender's clock.
pub(super) fn clock(now: u64) -> Duration {
    Duration::from_micros(now)
}

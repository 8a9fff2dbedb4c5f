//! A closed loop: so many requests are always under way, until all are answered.

use std::time::{Duration, Instant};

use futures::StreamExt;

use crate::cli::Failure;

/// Sends each piece of work, never more than `in_flight` at a time; the time from the first to the last answer.
pub(super) async fn keep_in_flight<W>(
    work: impl IntoIterator<Item = W>,
    in_flight: usize,
    send: impl AsyncFn(W) -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    let began = Instant::now();
    let mut answers = futures::stream::iter(work).map(|piece| send(piece)).buffer_unordered(in_flight);
    while let Some(answer) = answers.next().await {
        answer?;
    }
    Ok(began.elapsed())
}

/// Sends one after the other, and takes the time of each.
pub(super) async fn one_at_a_time<W>(
    work: impl IntoIterator<Item = W>,
    send: impl AsyncFn(W) -> Result<(), Failure>,
) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::new();
    for piece in work {
        let began = Instant::now();
        send(piece).await?;
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}

/// So many a second.
pub(super) fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

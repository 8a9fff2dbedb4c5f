//! The connections of the door: served beside each other, and none for ever to a client that does not say what it wants.

use std::error::Error;
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::serve::Listener;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Sleep;

/// How long the door waits for a client.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the whole head of a request; a connection without one is closed. This is how long one may be idle, too.
    pub head: Duration,
    /// For the whole body, from the head on.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { head: Duration::from_secs(60), body: Duration::from_secs(60) }
    }
}

/// Serves until `stopping` is true, then finishes the requests that are there.
pub(super) async fn serve<L: Listener>(
    mut listener: L,
    router: Router,
    mut stopping: watch::Receiver<bool>,
    patience: Patience,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = told(&mut stopping) => break,
            (io, _) = listener.accept() => {
                connections.spawn(connection(io, router.clone(), stopping.clone(), patience));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    io: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    router: Router,
    mut stopping: watch::Receiver<bool>,
    patience: Patience,
) {
    let router = TowerToHyperService::new(router);
    let answer = service_fn(|request: hyper::Request<Incoming>| {
        router.call(request.map(|body| Body::new(Patient::new(body, patience.body))))
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.head);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(fault) = ended {
        tracing::debug!(%fault, "a connection was closed");
    }
}

/// Waits until the door is to stop. A sender that is gone will not say so any more: that is a stop, too.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _stop = stopping.wait_for(|stop| *stop).await;
}

/// A body that is there in time, or an error.
struct Patient {
    body: Incoming,
    patience: Duration,
    /// Begun when the body is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(body: Incoming, patience: Duration) -> Self {
        Patient { body, patience, deadline: None }
    }
}

impl HttpBody for Patient {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = self.patience;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Some(Err(TooSlow { patience }.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The client did not send the body in time.
#[derive(Debug)]
pub(super) struct TooSlow {
    patience: Duration,
}

impl TooSlow {
    /// The one behind an error of reading a body.
    pub(super) fn behind<'e>(fault: &'e (dyn Error + 'static)) -> Option<&'e TooSlow> {
        let mut cause = Some(fault);
        while let Some(fault) = cause {
            if let Some(slow) = fault.downcast_ref() {
                return Some(slow);
            }
            cause = fault.source();
        }
        None
    }
}

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wanted the whole body within {} s", self.patience.as_secs_f32())
    }
}

impl Error for TooSlow {}

#[cfg(test)]
mod tests {
    use ledger_core::Settings;
    use ledger_core::values::{Name, Text};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::service::{Options, Service};

    /// What the door says to a client that sends this and then waits, until the door closes the connection.
    async fn answer_to(sent: &str) -> String {
        let settings = Settings::named(Name::try_new("main").unwrap());
        let service = Service::in_memory(Options::new("", settings)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let short = Duration::from_millis(200);
        let patience = Patience { head: short, body: short };
        let never = std::future::pending();
        let serving = tokio::spawn(crate::http::serve_with(patience, listener, service.into(), never));
        socket.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let closed = tokio::time::timeout(Duration::from_secs(20), socket.read_to_string(&mut answer)).await;
        closed.expect("the door lets go").unwrap();
        serving.abort();
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_sends_half_a_head_or_nothing_does_not_keep_its_connection() {
        for sent in ["POST /v1/commands/items.define HTTP/1.1\r\nHost: b\r\nContent-", ""] {
            assert_eq!(answer_to(sent).await, "", "after {sent:?}");
        }
        let idle = answer_to("GET /health/live HTTP/1.1\r\nHost: b\r\n\r\n").await;
        assert!(idle.starts_with("HTTP/1.1 200") && idle.ends_with("live\n"), "{idle}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_sends_half_a_body_is_told_and_let_go() {
        let head = "POST /v1/commands/items.define HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\n";
        let answer = answer_to(&format!("{head}Content-Length: 40\r\n\r\n{{\"sku\": \"TEA")).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("too_slow") && answer.contains("within 0.2 s"), "{answer}");
    }
}

//! The way to one stream: a connection and a thread of its own, so that the journal waits for nobody's traffic.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, ConnectOptions, HeaderMap, Request, ServerAddr, header};
use bytes::Bytes;
use futures::StreamExt;
use tokio::runtime::{Handle, Runtime};

use super::{Ask, Heard};
use crate::fault::Fault;
use crate::frame::{FRAME_BYTES_MAX, Frame};

/// A server that does not acknowledge a frame in this time is asked what became of it.
const ACK_WAIT: Duration = Duration::from_secs(2);
/// How long any other answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Silence inside a batch of messages that ends it: what is missing is fetched again.
const BATCH_SILENCE: Duration = Duration::from_secs(2);
/// A server that stands still keeps its connections: only a ping that it does not answer tells, and then another server
/// is tried. The client's own interval is a minute.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// Bytes of a batch, so that no connection drowns in one.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
const BATCH_MESSAGES_MAX: usize = 512;
/// Room for the headers beside the longest frame.
pub(super) const HEADERS_BYTES: usize = 4096;
/// The first release that answers a batch of messages by sequence: major, minor, patch.
pub const SERVER_MIN: (i64, i64, i64) = (2, 11, 0);

/// Where the stream's servers are, and who asks.
#[derive(Clone)]
pub struct Server {
    /// One URL, or several with commas between them.
    pub url: String,
    /// Name, credentials, TLS.
    pub options: ConnectOptions,
}

/// A connection to the servers that keep one stream.
pub(super) struct Link {
    /// Taken out only when the link is dropped.
    runtime: Option<Runtime>,
    client: Client,
    context: Context,
    stream: Stream<()>,
    name: String,
    subject: String,
}

/// Messages of the stream, in order, as many as came.
pub(super) type Batch = Vec<(u64, Bytes)>;

impl Link {
    /// Connects, on a thread of its own. Whether the stream is there is not looked at.
    pub(super) fn open(server: &Server, name: String, subject: String) -> Result<Self, Fault> {
        let built = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("journal-nats")
            .enable_all()
            .build();
        let unreachable = |why: String| Fault::Unreachable { server: server.url.clone(), why };
        let runtime = built.map_err(|error| unreachable(error.to_string()))?;
        let (done, connected) = sync_channel(1);
        let (connecting, stream) = (server.clone(), name.clone());
        runtime.spawn(async move { done.send(connect(connecting, stream).await) });
        let connected = connected.recv().unwrap_or_else(|_| Err(unreachable("connecting failed".into())));
        match connected {
            Ok((client, context, stream)) => {
                Ok(Self { runtime: Some(runtime), client, context, stream, name, subject })
            }
            Err(fault) => {
                runtime.shutdown_background();
                Err(fault)
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Where tasks of the link run.
    pub(super) fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("taken out only when the link is dropped").handle()
    }

    /// Waits for work on the link's thread; the caller may be anywhere.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        let (done, result) = sync_channel(1);
        self.handle().spawn(async move { done.send(work.await) });
        result.recv().unwrap_or_else(|_| Err(self.unreachable("the connection was closed")))
    }

    /// Does what an appender asks, and tells what came of it.
    pub(super) async fn ask(&self, ask: &Ask) -> Heard {
        match ask {
            Ask::Publish { expected_last, frame } => self.publish(*expected_last, frame).await,
            Ask::Look { stream_sequence } => self.look(*stream_sequence).await,
            Ask::Pause(pause) => {
                tokio::time::sleep(*pause).await;
                Heard::Paused
            }
        }
    }

    async fn publish(&self, expected_last: u64, frame: &Frame) -> Heard {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_STREAM, self.name.as_str());
        headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, expected_last.to_string());
        let request = Request::new()
            .headers(headers)
            .payload(Bytes::copy_from_slice(frame.bytes()))
            .timeout(Some(ACK_WAIT));
        let answer = match self.client.send_request(self.subject.clone(), request).await {
            Ok(answer) => answer,
            Err(error) => return Heard::NoAnswer { why: error.to_string() },
        };
        match serde_json::from_slice::<Response<PublishAck>>(&answer.payload) {
            Ok(Response::Ok(stored)) if stored.stream == self.name => {
                Heard::Acknowledged { stream_sequence: stored.sequence }
            }
            Ok(Response::Ok(stored)) => {
                Heard::NoAnswer { why: format!("stored in stream {}", stored.stream) }
            }
            Ok(Response::Err { error }) if says_wrong_place(error.error_code()) => {
                Heard::Rejected { why: error.to_string() }
            }
            Ok(Response::Err { error }) => Heard::NoAnswer { why: error.to_string() },
            Err(error) => Heard::NoAnswer { why: format!("no acknowledgement: {error}") },
        }
    }

    /// Reads one message on the stream's leader.
    pub(super) async fn look(&self, stream_sequence: u64) -> Heard {
        match self.stream.get_raw_message(stream_sequence).await {
            Ok(message) => Heard::Found { bytes: message.payload.to_vec() },
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Heard::Absent,
            Err(error) => Heard::NoAnswer { why: error.to_string() },
        }
    }

    /// The sequence of the stream's last message, as its leader says.
    pub(super) async fn last_stream_sequence(&self) -> Result<u64, Fault> {
        let info = self.stream.get_info().await.map_err(|error| self.unreachable(error))?;
        Ok(info.state.last_sequence)
    }

    /// Messages from this one on, from any replica: none if it has none yet.
    pub(super) async fn batch(&self, from: u64) -> Result<Batch, Fault> {
        let inbox = self.client.new_inbox();
        let mut answers =
            self.client.subscribe(inbox.clone()).await.map_err(|error| self.unreachable(error))?;
        let subject = format!("$JS.API.DIRECT.GET.{}", self.name);
        let wanted =
            format!(r#"{{"seq":{from},"batch":{BATCH_MESSAGES_MAX},"max_bytes":{BATCH_BYTES_MAX}}}"#);
        let asked = self.client.publish_with_reply(subject, inbox, wanted.into()).await;
        asked.map_err(|error| self.unreachable(error))?;
        let mut batch = Batch::new();
        let mut patience = ANSWER_WAIT;
        loop {
            let answer = match tokio::time::timeout(patience, answers.next()).await {
                Ok(Some(answer)) => answer,
                // The rest of a batch that broke off is fetched by the next one.
                Ok(None) | Err(_) if !batch.is_empty() => return Ok(batch),
                Ok(None) | Err(_) => return Err(self.unreachable("no answer to a request for messages")),
            };
            if let Some(status) = answer.status {
                return match status.as_u16() {
                    // The end of the batch, or nothing there.
                    204 | 404 => Ok(batch),
                    _ => Err(self.unreachable(format!("asked for messages, was told {status}"))),
                };
            }
            let headers = answer.headers.as_ref();
            let sequence =
                headers.and_then(|headers| headers.get(header::NATS_SEQUENCE)?.as_str().parse().ok());
            let Some(sequence) = sequence else {
                return Err(self.unreachable("a message of the stream came without its sequence"));
            };
            batch.push((sequence, answer.payload));
            patience = BATCH_SILENCE;
        }
    }

    pub(super) fn unreachable(&self, why: impl ToString) -> Fault {
        let info = self.client.server_info();
        let server = format!("stream {} on {}:{}", self.name, info.host, info.port);
        Fault::Unreachable { server, why: why.to_string() }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whoever drops it may be on a runtime's thread, which must not wait.
            runtime.shutdown_background();
        }
    }
}

async fn connect(server: Server, stream: String) -> Result<(Client, Context, Stream<()>), Fault> {
    let unreachable = |why: String| Fault::Unreachable { server: server.url.clone(), why };
    let addresses = addresses(&server.url).map_err(|error| unreachable(error.to_string()))?;
    let options = server.options.request_timeout(Some(ANSWER_WAIT)).ping_interval(PING_INTERVAL);
    let client = options.connect(addresses).await.map_err(|error| unreachable(error.to_string()))?;
    check_server(&client, &server.url)?;
    let context = jetstream::new(client.clone());
    let stream = context.get_stream_no_info(&stream).await.map_err(|error| unreachable(error.to_string()))?;
    Ok((client, context, stream))
}

fn addresses(url: &str) -> std::io::Result<Vec<ServerAddr>> {
    url.split(',').map(|url| url.trim().parse()).collect()
}

fn says_wrong_place(code: ErrorCode) -> bool {
    code == ErrorCode::STREAM_WRONG_LAST_SEQUENCE || code == ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT
}

/// Whether the server can keep a stream of frames at all.
fn check_server(client: &Client, url: &str) -> Result<(), Fault> {
    let (found, (major, minor, patch)) = (client.server_info(), SERVER_MIN);
    let unsuitable = |why: String| Err(Fault::Unsuitable { stream: format!("on {url}"), why });
    if !client.is_server_compatible(major, minor, patch) {
        return unsuitable(format!(
            "the server is {}, wanted at least {major}.{minor}.{patch}",
            found.version
        ));
    }
    let wanted = FRAME_BYTES_MAX + HEADERS_BYTES;
    if found.max_payload < wanted {
        return unsuitable(format!(
            "the server's max_payload is {}, wanted at least {wanted}",
            found.max_payload
        ));
    }
    Ok(())
}

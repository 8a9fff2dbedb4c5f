//! The way to a bucket: the HTTP client of this program under the S3 client of `object_store`, whose own one would bring
//! a second TLS library.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use ureq::Agent;
use ureq::http::Response;

/// The longest object that is read, in bytes: a segment is longer than usual only for a frame that needs it.
const OBJECT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Asks with this client.
#[derive(Debug, Clone)]
pub(super) struct Connector(pub(super) Agent);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let agent = self.0.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let request = ureq::http::Request::from_parts(parts, body.as_ref());
            let (parts, mut body) = agent.run(request)?.into_parts();
            let body = body.with_config().limit(OBJECT_BYTES_MAX).read_to_vec()?;
            Ok::<_, ureq::Error>(Response::from_parts(parts, Bytes::from(body).into()))
        });
        let answered = asked.await.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        answered.map_err(|error| HttpError::new(kind_of(&error), error))
    }
}

/// What the S3 client wants to know, to tell what is worth another try.
fn kind_of(error: &ureq::Error) -> HttpErrorKind {
    match error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => HttpErrorKind::Timeout,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}

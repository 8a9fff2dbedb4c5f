//! OpenTelemetry for `serve`: spans go over HTTP to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names. The other OTEL_
//! variables (headers, protocol, sampler, service name) mean what they mean everywhere.

use async_trait::async_trait;
use command_api::Traces;
use opentelemetry::KeyValue;
use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use ureq::Agent;

use crate::cli::Failure;
use crate::door::outgoing_agent;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// The way to a collector, if one is named.
pub(super) struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Nothing is started without a collector.
    pub(super) fn start() -> Result<Self, Failure> {
        let is_set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
        let is_disabled =
            std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        if is_disabled || !ENDPOINTS.iter().any(|name| is_set(name)) {
            return Ok(Telemetry(None));
        }
        let client = Client(outgoing_agent());
        let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
        let exporter = exporter.map_err(|fault| Failure::usage(format!("{}: {fault}", ENDPOINTS[0])))?;
        let about =
            Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let about = if is_set("OTEL_SERVICE_NAME") { about } else { about.with_service_name("bincard") };
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(about.build());
        Ok(Telemetry(Some(provider.build())))
    }

    /// Where the ledger tells its spans.
    pub(super) fn traces(&self) -> Traces {
        match &self.0 {
            None => Traces::default(),
            Some(provider) => Traces::to(BoxedTracer::new(Box::new(provider.tracer("bincard")))),
        }
    }

    /// Sends what is left.
    pub(super) async fn stop(self) {
        let Some(provider) = self.0 else { return };
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Err(fault) = stopped.expect("sending spans does not panic") {
            tracing::warn!(%fault, "the last spans did not reach the collector");
        }
    }
}

/// Sends with the HTTP client of this program, from the exporter's own thread.
#[derive(Debug)]
struct Client(Agent);

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let (parts, mut body) = self.0.run(Request::from_parts(parts, body.as_ref()))?.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}

//! Start and end of logging and tracing.

use std::io::stderr;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

/// Libraries that tell too much, among them those that the exporter itself uses.
const QUIET: &str = ",actix_http=warn,actix_server=warn,h2=warn,hyper=warn,hyper_util=warn,\
                     lapin=error,lapin::returned_messages=off,\
                     mio=warn,opentelemetry=warn,opentelemetry_sdk=warn,opentelemetry_otlp=warn,\
                     reqwest=warn,rustls=warn,tokio_postgres=warn";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What to write and where.
#[derive(Debug, Clone)]
pub struct Config<'a> {
    /// Name of the service in traces.
    pub service: &'static str,
    /// Form of the log, which goes to standard error.
    pub format: LogFormat,
    /// `tracing` filter, such as `info` or `info,audience_service=debug`.
    pub level: &'a str,
    /// Base URL of an OTLP/HTTP collector; traces are exported only when it is set.
    pub otlp_endpoint: Option<&'a str>,
}

/// Why logging and tracing cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The filter is not valid.
    #[error("telemetry.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter cannot be made.
    #[error("telemetry.otlp_endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Another subscriber is installed.
    #[error("logging has started already")]
    AlreadyStarted(#[from] tracing_subscriber::util::TryInitError),
}

/// Holds the exporter; [`Guard::shutdown`] sends what it still has.
#[derive(Debug)]
#[must_use]
pub struct Guard(Option<SdkTracerProvider>);

impl Guard {
    /// Sends the remaining spans. Blocks for a few seconds at most when the collector is away.
    pub fn shutdown(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "spans were lost at the end");
        }
    }
}

/// Starts logging, and tracing if a collector is configured. Once per process.
///
/// # Errors
/// When the configuration is not valid or logging has started already.
pub fn init(config: &Config<'_>) -> Result<Guard, InitError> {
    let provider = config
        .otlp_endpoint
        .map(|url| provider(config.service, url))
        .transpose()?;
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer(config.service))
    });
    tracing_subscriber::registry()
        .with(filter(config.level)?)
        .with(lines(config.format))
        .with(traces)
        .try_init()?;
    Ok(Guard(provider))
}

/// What is asked for comes last, so that it may also ask for a quiet library.
fn filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    let default = level
        .split(',')
        .find(|part| !part.contains('='))
        .unwrap_or("info");
    EnvFilter::try_new(format!("{default}{QUIET},{level}"))
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let colours = std::io::IsTerminal::is_terminal(&stderr());
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(stderr)
        .with_ansi(colours);
    match format {
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    }
}

fn provider(service: &'static str, url: &str) -> Result<SdkTracerProvider, InitError> {
    let endpoint = format!("{}/v1/traces", url.trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(service).build())
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_quiets_libraries_unless_they_are_asked_for() {
        let text = filter("debug").unwrap().to_string();
        assert!(
            text.contains("debug") && text.contains("hyper=warn"),
            "{text}"
        );
        let text = filter("info,hyper=trace").unwrap().to_string();
        assert!(
            text.contains("hyper=trace") && !text.contains("hyper=warn"),
            "{text}"
        );
        assert!(filter("info,x=nonsense").is_err());
    }
}

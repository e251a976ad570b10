//! Logs and traces of a process.

use settings::{LogFormat, Settings};

/// Logs and traces of a process, as configured.
///
/// # Errors
/// When they cannot be set up.
pub fn start_telemetry(
    name: &'static str,
    settings: &Settings,
) -> anyhow::Result<telemetry::Guard> {
    Ok(telemetry::init(&telemetry::Config {
        service: name,
        format: match settings.telemetry.log_format {
            LogFormat::Text => telemetry::LogFormat::Text,
            LogFormat::Json => telemetry::LogFormat::Json,
        },
        level: &settings.telemetry.level,
        otlp_endpoint: settings.telemetry.otlp_endpoint.as_deref(),
    })?)
}

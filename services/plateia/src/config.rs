//! Configuration of the server: reading it, and showing what is in effect.

use std::{
    fmt::{self, Display, Write},
    net::SocketAddr,
    path::PathBuf,
};

use settings::{LogFormat, SecretString, Settings, SettingsError};

use crate::cli::ServerArgs;

/// What is configured by file and environment, and then on the command line.
///
/// # Errors
/// When a source cannot be read or a key is wrong; the message names the key.
pub fn load(args: &ServerArgs) -> Result<Settings, SettingsError> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let env = std::env::vars_os().filter_map(text);
    let mut settings = Settings::load(args.config.as_deref(), env)?;
    override_with(&mut settings, args.data_dir.clone(), args.listen);
    Ok(settings)
}

fn override_with(settings: &mut Settings, data_dir: Option<PathBuf>, listen: Option<SocketAddr>) {
    if let Some(dir) = data_dir {
        settings.data_dir = dir;
    }
    if let Some(listen) = listen {
        settings.listen = listen;
    }
}

/// The settings as a configuration file, secrets left out.
pub fn as_toml(settings: &Settings) -> Result<String, fmt::Error> {
    let mut text = String::new();
    line(&mut text, "listen", Some(quoted(settings.listen)))?;
    line(
        &mut text,
        "data_dir",
        Some(quoted(settings.data_dir.display())),
    )?;
    secret(&mut text, "api_key", settings.api_key.as_ref())?;
    secret(
        &mut text,
        "gateway_secret",
        settings.gateway_secret.as_ref(),
    )?;
    let limits = &settings.limits;
    text.push_str("\n[limits]\n");
    line(&mut text, "body_bytes", Some(limits.body_bytes))?;
    line(&mut text, "items", Some(limits.items))?;
    line(&mut text, "sse", Some(limits.sse))?;
    text.push_str("\n[workers]\n");
    line(&mut text, "http", settings.workers.http)?;
    line(&mut text, "operations", Some(settings.workers.operations))?;
    let retention = &settings.retention;
    text.push_str("\n[retention]\n");
    line(
        &mut text,
        "customer_events_days",
        Some(retention.customer_events_days),
    )?;
    let imports = &settings.imports;
    text.push_str("\n[imports]\n");
    secret(&mut text, "admin_token", imports.admin_token.as_ref())?;
    line(&mut text, "start_at", Some(quoted(&imports.start_at)))?;
    line(
        &mut text,
        "requests_per_minute",
        Some(imports.requests_per_minute),
    )?;
    line(
        &mut text,
        "allow_private_hosts",
        Some(quoted(&imports.allow_private_hosts)),
    )?;
    line(&mut text, "runs", Some(imports.runs))?;
    let bigquery = &settings.bigquery;
    text.push_str("\n[bigquery]\n");
    line(&mut text, "endpoint", Some(quoted(&bigquery.endpoint)))?;
    line(&mut text, "machine_account", Some(bigquery.machine_account))?;
    sender(&mut text, settings)?;
    text.push_str("\n[environment]\n");
    line(&mut text, "id", Some(quoted(&settings.environment.id)))?;
    let telemetry = &settings.telemetry;
    let format = match telemetry.log_format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    text.push_str("\n[telemetry]\n");
    line(&mut text, "log_format", Some(quoted(format)))?;
    line(&mut text, "level", Some(quoted(&telemetry.level)))?;
    line(
        &mut text,
        "otlp_endpoint",
        telemetry.otlp_endpoint.as_ref().map(quoted),
    )?;
    Ok(text)
}

/// Which senders run, and the mail server.
fn sender(text: &mut String, settings: &Settings) -> fmt::Result {
    text.push_str("\n[sender]\n");
    line(text, "kinds", settings.sender.kinds.as_ref().map(quoted))?;
    let smtp = &settings.smtp;
    text.push_str("\n[smtp]\n");
    line(text, "host", smtp.host.as_ref().map(quoted))?;
    line(text, "port", smtp.port)?;
    line(text, "tls", Some(quoted(smtp.tls.as_str())))?;
    let ca_file = smtp.ca_file.as_ref().map(|file| quoted(file.display()));
    line(text, "ca_file", ca_file)?;
    line(text, "user", smtp.user.as_ref().map(quoted))?;
    secret(text, "password", smtp.password.as_ref())?;
    line(text, "from", smtp.from.as_ref().map(quoted))?;
    line(text, "timeout_seconds", Some(smtp.timeout_seconds))?;
    line(text, "pool_size", Some(smtp.pool_size))?;
    let unsubscribe = smtp.list_unsubscribe.as_ref().map(quoted);
    line(text, "list_unsubscribe", unsubscribe)
}

/// One key; as a comment where it is not set.
fn line(text: &mut String, key: &str, value: Option<impl Display>) -> fmt::Result {
    match value {
        Some(value) => writeln!(text, "{key} = {value}"),
        None => writeln!(text, "# {key} is not set"),
    }
}

fn quoted(value: impl Display) -> String {
    // JSON's escapes are TOML's too.
    serde_json::Value::String(value.to_string()).to_string()
}

/// A comment in any case: a secret belongs into the environment.
fn secret(text: &mut String, key: &str, value: Option<&SecretString>) -> fmt::Result {
    let state = if value.is_some() {
        "set, and not shown"
    } else {
        "not set"
    };
    writeln!(text, "# {key} is {state}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Settings::load(None, env)
    }

    #[test]
    fn what_is_printed_has_no_secrets_and_can_be_read_again() {
        let key = "a-key-of-32-characters-in-all-ok";
        let settings = load(&[
            ("PLATEIA_API_KEY", key),
            ("PLATEIA__LIMITS__ITEMS", "7"),
            ("PLATEIA__RETENTION__CUSTOMER_EVENTS_DAYS", "8"),
            ("PLATEIA__SENDER__KINDS", "smtp"),
            ("PLATEIA__SMTP__HOST", "mail.example.com"),
            ("PLATEIA__SMTP__FROM", "\"News\" <news@example.com>"),
            ("PLATEIA__SMTP__TLS", "tls"),
        ])
        .unwrap();
        let text = as_toml(&settings).unwrap();
        assert!(!text.contains(key));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plateia.toml");
        std::fs::write(&file, &text).unwrap();
        let again = Settings::load(Some(&file), std::iter::empty()).unwrap();
        assert_eq!(
            (&again.limits, &again.workers, &again.retention),
            (&settings.limits, &settings.workers, &settings.retention)
        );
        let smtp = |settings: &Settings| {
            let smtp = settings.smtp.clone();
            (smtp.host, smtp.from, smtp.tls, smtp.pool_size)
        };
        assert_eq!(smtp(&again), smtp(&settings));
        assert_eq!(again.sender, settings.sender);
        assert!(text.contains("# api_key is set") && again.api_key.is_none());
    }

    #[test]
    fn the_command_line_wins() {
        let mut settings = load(&[("PLATEIA__LISTEN", "127.0.0.1:9000")]).unwrap();
        override_with(
            &mut settings,
            Some("elsewhere".into()),
            "127.0.0.1:0".parse().ok(),
        );
        assert_eq!(settings.listen.port(), 0);
        assert_eq!(settings.data_dir, PathBuf::from("elsewhere"));
    }

    #[test]
    fn errors_name_the_key() {
        for (name, value, key) in [
            ("PLATEIA__WORKERS__OPERATIONS", "0", "workers.operations"),
            ("PLATEIA__LISTEN", "nowhere", "listen"),
            ("PLATEIA__LIMITS__ITEMS", "many", "limits.items"),
            ("PLATEIA__LIMITS__WRONG", "1", "wrong"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}

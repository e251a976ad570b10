use std::io::Write;

use tempfile::NamedTempFile;

use super::*;

fn load(toml: Option<&str>, env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let file = toml.map(|text| {
        let mut file = NamedTempFile::with_suffix(".toml").unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    });
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(file.as_ref().map(NamedTempFile::path), env)
}

fn key(settings: &Settings) -> Option<&str> {
    settings.api_key.as_ref().map(ExposeSecret::expose_secret)
}

#[test]
fn defaults_stand_alone() {
    let settings = load(None, &[("PATH", "/bin"), ("PLATEIA_URL", "http://x")]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        settings.limits,
        Limits {
            body_bytes: 67_108_864,
            items: 100_000,
            sse: 1000
        }
    );
    assert_eq!(settings.retention.customer_events_days, 730);
    assert_eq!(settings.telemetry, Telemetry::default());
    assert_eq!(key(&settings), None);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let toml = "listen = \"0.0.0.0:1\"\ndata_dir = \"/d\"\n[telemetry]\nlog_format = \"json\"\n";
    let env = [
        ("PLATEIA__LISTEN", "127.0.0.1:0"),
        ("PLATEIA__LIMITS__ITEMS", "5"),
    ];
    let settings = load(Some(toml), &env).unwrap();
    assert_eq!(settings.listen.port(), 0);
    assert_eq!(settings.data_dir, Path::new("/d"));
    assert_eq!(settings.limits.items, 5);
    assert_eq!(settings.telemetry.log_format, LogFormat::Json);
}

#[test]
fn secrets_are_taken_as_they_are_and_do_not_print() {
    let secret = "0000000000000001e5";
    let settings = load(None, &[("PLATEIA_API_KEY", secret)]).unwrap();
    assert_eq!(key(&settings), Some(secret));
    assert!(!format!("{settings:?}").contains(secret));
    let both = [
        ("PLATEIA__API_KEY", "the-long-name-wins"),
        ("PLATEIA_API_KEY", secret),
    ];
    assert_eq!(key(&load(None, &both).unwrap()), Some("the-long-name-wins"));
    let reversed = [both[1], both[0]];
    assert_eq!(
        key(&load(None, &reversed).unwrap()),
        Some("the-long-name-wins")
    );
}

#[test]
fn errors_name_the_key() {
    for (toml, env, named) in [
        (Some("listen = \"nowhere\""), &[][..], "listen"),
        (Some("lisen = \"127.0.0.1:1\""), &[], "lisen"),
        (Some("[limits]\nitmes = 1"), &[], "itmes"),
        (Some("[limits]\nitems = \"many\""), &[], "limits.items"),
        (None, &[("PLATEIA__LIMITS__ITEMS", "many")], "limits.items"),
        (None, &[("PLATEIA__LIMITS__ITEMS", "0")], "limits.items"),
        (None, &[("PLATEIA__NOPE", "1")], "nope"),
        (
            None,
            &[("PLATEIA__TELEMETRY__LOG_FORMAT", "xml")],
            "log_format",
        ),
        (
            None,
            &[("PLATEIA__TELEMETRY__OTLP_ENDPOINT", "collector")],
            "telemetry.otlp_endpoint",
        ),
        (
            None,
            &[("PLATEIA__BIGQUERY__ENDPOINT", "bigquery")],
            "bigquery.endpoint",
        ),
        (None, &[("PLATEIA_API_KEY", "short")], "api_key"),
        (
            None,
            &[("PLATEIA__GATEWAY_SECRET", "short")],
            "gateway_secret",
        ),
        (None, &[("PLATEIA__WORKERS__HTTP", "0")], "workers.http"),
        (
            Some("[retention]\ncustomer_events_days = 0"),
            &[],
            "retention.customer_events_days",
        ),
        (
            None,
            &[("PLATEIA__RETENTION__CUSTOMER_EVENTS_DAYS", "36501")],
            "retention.customer_events_days",
        ),
    ] {
        let message = load(toml, env).unwrap_err().to_string();
        assert!(message.contains(named), "{named} not in {message}");
        assert!(!message.contains("short"), "{message}");
    }
}

#[test]
fn senders_are_the_log_and_smtp_where_there_is_a_server() {
    let kinds = |env: &[(&str, &str)]| load(None, env).and_then(|s| s.sender_kinds());
    let (host, from) = (
        ("PLATEIA__SMTP__HOST", "mail.example.com"),
        ("PLATEIA__SMTP__FROM", "news@example.com"),
    );
    let named = |kinds| ("PLATEIA__SENDER__KINDS", kinds);
    let user = ("PLATEIA__SMTP__USER", "me");
    let password = ("PLATEIA__SMTP__PASSWORD", "hunter2");
    let open = ("PLATEIA__SMTP__TLS", "none");
    let here = ("PLATEIA__SMTP__HOST", "127.0.0.1");
    for (env, log, smtp) in [
        (&[][..], true, false),
        (&[host, from], true, true),
        (&[here, from, user, password, open], true, true),
        (&[host, from, named("log")], true, false),
        (&[host, from, named("smtp")], false, true),
        (&[host, from, named("smtp, log")], true, true),
    ] {
        assert_eq!(kinds(env).unwrap(), SenderKinds { log, smtp }, "{env:?}");
    }
    for (env, key) in [
        (&[named("fax")][..], "sender.kinds"),
        (&[named("")], "sender.kinds"),
        (&[named("log,")], "sender.kinds"),
        (&[named("smtp"), from], "smtp.host"),
        (&[host], "smtp.from"),
        (&[("PLATEIA__SMTP__TLS", "ssl")], "smtp.tls"),
        (&[("PLATEIA__SMTP__PORT", "0")], "smtp.port"),
        (&[("PLATEIA__SMTP__USER", "me")], "smtp.password"),
        (&[host, from, user, password, open], "smtp.tls"),
        (
            &[("PLATEIA__SMTP__TIMEOUT_SECONDS", "10")],
            "smtp.timeout_seconds",
        ),
        (&[("PLATEIA__SMTP__POOL_SIZE", "0")], "smtp.pool_size"),
    ] {
        let error = kinds(env).unwrap_err().to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
}

#[test]
fn the_port_of_the_mail_server_goes_with_its_tls() {
    for (tls, port) in [("none", 25), ("starttls", 587), ("tls", 465)] {
        let toml = format!("[smtp]\ntls = \"{tls}\"");
        let smtp = load(Some(&toml), &[]).unwrap().smtp;
        assert_eq!((smtp.tls.as_str(), smtp.port()), (tls, port));
        let env = [("PLATEIA__SMTP__PORT", "2525")];
        assert_eq!(load(Some(&toml), &env).unwrap().smtp.port(), 2525);
    }
    let secret = "hunter2";
    let env = [
        ("PLATEIA__SMTP__USER", "me"),
        ("PLATEIA__SMTP__PASSWORD", secret),
    ];
    assert!(!format!("{:?}", load(None, &env).unwrap()).contains(secret));
}

#[test]
fn a_named_file_must_be_there() {
    let missing = Settings::load(
        Some(Path::new("/nonexistent/plateia.toml")),
        std::iter::empty(),
    );
    assert!(missing.unwrap_err().to_string().contains("plateia.toml"));
}

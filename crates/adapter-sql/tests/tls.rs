//! PostgreSQL through TLS: a front of the tests' server that speaks it.

#![expect(clippy::unwrap_used, reason = "tests")]

use adapter_sql::pg::{Db, Settings};
use test_kit::tls;
use tokio_postgres::config::Host;

/// What a client asks for TLS with, and what the server answers that has it.
const SSL_REQUEST: tls::Preamble = (&[0, 0, 0, 8, 4, 210, 22, 47], b"S");

/// Takes TLS connections for the server of the tests, as `localhost`.
struct Front {
    settings: Settings,
    tls: tls::Front,
}

impl Front {
    /// Shows a certificate for `name`.
    async fn start(name: &str, mode: &str) -> Option<Self> {
        let behind: tokio_postgres::Config = test_kit::postgres_url()?.parse().unwrap();
        let Some(Host::Tcp(host)) = behind.get_hosts().first() else {
            panic!("the server of the tests listens on no address");
        };
        let behind_at = (host.clone(), *behind.get_ports().first().unwrap_or(&5432));
        let tls = tls::Front::start(name, behind_at, Some(SSL_REQUEST)).await;
        let (user, name) = (behind.get_user().unwrap(), behind.get_dbname().unwrap());
        let password = behind.get_password().map_or_else(String::new, |password| {
            format!(":{}", String::from_utf8_lossy(password))
        });
        let at = format!("{user}{password}@localhost:{}", tls.port);
        let settings = Settings::new(format!("postgres://{at}/{name}?sslmode={mode}"));
        Some(Self { settings, tls })
    }

    async fn trusted(mut self) -> Result<(), String> {
        self.settings = self.settings.trusting(&self.tls.ca_file).unwrap();
        self.ping().await
    }

    async fn ping(&self) -> Result<(), String> {
        ping(&self.settings).await
    }
}

async fn ping(settings: &Settings) -> Result<(), String> {
    let db = Db::open(settings).map_err(|error| format!("{error:?}"))?;
    db.ping().await.map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn a_server_with_a_certificate_that_is_known_is_reached() {
    for mode in ["require", "verify-ca", "verify-full"] {
        let Some(front) = Front::start("localhost", mode).await else {
            return;
        };
        front.trusted().await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let Some(front) = Front::start("localhost", "require").await else {
        return;
    };
    let refused = front.ping().await.unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let Some(front) = Front::start("elsewhere", "require").await else {
        return;
    };
    let refused = front.trusted().await.unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_required() {
    let Some(url) = test_kit::postgres_url() else {
        return;
    };
    let refused = ping(&Settings::new(format!("{url}?sslmode=require"))).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("TLS"), "{refused}");
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let refused = |file: &str| {
        let settings = Settings::new("postgres://nobody@localhost/none?sslmode=require");
        settings.trusting(file.as_ref()).err().unwrap().to_string()
    };
    assert!(refused("/nowhere/ca.pem").contains("/nowhere/ca.pem"));
    let none = refused(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    assert!(none.ends_with("Cargo.toml: there is none"), "{none}");
}

//! PostgreSQL through TLS: a front of the tests' server that speaks it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{path::PathBuf, sync::Arc};

use adapter_sql::pg::{Db, Settings};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_postgres::config::Host;
use tokio_rustls::TlsAcceptor;

/// What a client asks for TLS with, and what the server answers that has it.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const WILLING: &[u8] = b"S";

/// Takes TLS connections for the server of the tests, as `localhost`.
struct Front {
    settings: Settings,
    ca_file: PathBuf,
    _dir: TempDir,
}

impl Front {
    /// Shows a certificate for `name`.
    async fn start(name: &str, mode: &str) -> Option<Self> {
        let behind: tokio_postgres::Config = test_support::postgres_url()?.parse().unwrap();
        let Some(Host::Tcp(host)) = behind.get_hosts().first() else {
            panic!("the server of the tests listens on no address");
        };
        let behind_at = (host.clone(), *behind.get_ports().first().unwrap_or(&5432));
        let signed = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, signed.cert.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, acceptor.clone(), behind_at.clone()));
            }
        });
        let (user, name) = (behind.get_user().unwrap(), behind.get_dbname().unwrap());
        let password = behind.get_password().map_or_else(String::new, |password| {
            format!(":{}", String::from_utf8_lossy(password))
        });
        let url = format!("postgres://{user}{password}@localhost:{port}/{name}?sslmode={mode}");
        Some(Self {
            settings: Settings::new(url),
            ca_file,
            _dir: dir,
        })
    }

    async fn trusted(mut self) -> Result<(), String> {
        self.settings.ca_file = Some(self.ca_file.clone());
        self.ping().await
    }

    async fn ping(&self) -> Result<(), String> {
        ping(&self.settings).await
    }
}

/// Nothing is passed on that did not come through TLS.
async fn pass_on(mut client: TcpStream, acceptor: TlsAcceptor, server: (String, u16)) {
    let mut asked = [0; 8];
    client.read_exact(&mut asked).await.unwrap();
    assert_eq!(asked, SSL_REQUEST);
    client.write_all(WILLING).await.unwrap();
    if let Ok(mut client) = acceptor.accept(client).await {
        let mut server = TcpStream::connect(server).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
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
    let Some(url) = test_support::postgres_url() else {
        return;
    };
    let refused = ping(&Settings::new(format!("{url}?sslmode=require"))).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("TLS"), "{refused}");
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_named() {
    let mut settings = Settings::new("postgres://nobody@localhost/none?sslmode=require");
    settings.ca_file = Some("/nowhere/ca.pem".into());
    let refused = ping(&settings).await.unwrap_err();
    assert!(refused.contains("/nowhere/ca.pem"), "{refused}");
}

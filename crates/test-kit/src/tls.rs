//! Servers that speak TLS and show certificates that nobody vouches for.

use std::{path::PathBuf, sync::Arc};

use rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What a client says in the open before TLS begins, and what it is answered.
pub type Preamble = (&'static [u8], &'static [u8]);

/// A certificate that is its own authority.
pub struct SelfSigned {
    /// Shows it.
    pub acceptor: TlsAcceptor,
    /// Shows it too.
    pub config: Arc<ServerConfig>,
    /// The certificate, for those who are to trust it.
    pub pem: String,
}

/// Makes a certificate for a host.
///
/// # Panics
/// When the name is none.
pub fn self_signed(name: &str) -> SelfSigned {
    let signed = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key.into())
        .expect("the certificate's own key");
    let config = Arc::new(config);
    SelfSigned {
        acceptor: TlsAcceptor::from(Arc::clone(&config)),
        config,
        pem: signed.cert.pem(),
    }
}

/// Takes TLS connections for a server, as `localhost`, until the runtime ends.
pub struct Front {
    /// Where it listens.
    pub port: u16,
    /// The certificate that it shows, for as long as this lives.
    pub ca_file: PathBuf,
    _dir: TempDir,
}

impl Front {
    /// Shows a certificate for `name`; passes on to the host and port of `server`.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(name: &str, server: (String, u16), preamble: Option<Preamble>) -> Self {
        let SelfSigned { acceptor, pem, .. } = self_signed(name);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, pem).expect("a file");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, server) = (acceptor.clone(), server.clone());
                tokio::spawn(pass_on(client, acceptor, server, preamble));
            }
        });
        Self {
            port,
            ca_file,
            _dir: dir,
        }
    }
}

/// Nothing is passed on that did not come through TLS.
async fn pass_on(
    mut client: TcpStream,
    acceptor: TlsAcceptor,
    server: (String, u16),
    preamble: Option<Preamble>,
) {
    if let Some((asked, answer)) = preamble {
        let mut said = vec![0; asked.len()];
        client.read_exact(&mut said).await.expect("a preamble");
        assert_eq!(said, asked);
        client.write_all(answer).await.expect("a client");
    }
    if let Ok(mut client) = acceptor.accept(client).await {
        let mut server = TcpStream::connect(server).await.expect("the server");
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

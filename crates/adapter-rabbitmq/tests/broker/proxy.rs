//! A TCP proxy to the broker that can cut, stall and refuse.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{broadcast, watch},
};

/// How the proxy treats its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Open,
    /// Takes connections and bytes, and passes nothing on.
    Stalled,
    /// Closes every connection at once.
    Refusing,
}

struct Shared {
    target: String,
    mode: watch::Sender<Mode>,
    cut: broadcast::Sender<()>,
    /// Bytes for the clients, as if the broker had sent them.
    inject: broadcast::Sender<Vec<u8>>,
    connections: Mutex<usize>,
}

/// Listens until the runtime ends.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A proxy before the broker of an `amqp://` URL.
    pub async fn before(url: &str, mode: Mode) -> Self {
        let authority = url.split("://").nth(1).unwrap();
        let host = authority.split('/').next().unwrap();
        let target = host.rsplit('@').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            mode: watch::Sender::new(mode),
            cut: broadcast::Sender::new(1),
            inject: broadcast::Sender::new(8),
            connections: Mutex::default(),
        });
        tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared }
    }

    /// The broker's URL with the proxy in its place.
    pub fn url(&self, url: &str) -> String {
        url.replace(&self.shared.target, &self.address.to_string())
    }

    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        let _ = self.shared.cut.send(());
    }

    /// Connections made so far.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// Sends bytes to all clients, when nothing else is under way.
    pub fn inject(&self, bytes: &[u8]) {
        self.shared.inject.send(bytes.to_vec()).unwrap();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if *shared.mode.borrow() == Mode::Refusing {
            continue;
        }
        *shared.connections.lock().unwrap() += 1;
        tokio::spawn(serve(client, shared.clone()));
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut cut = shared.cut.subscribe();
    let Ok(server) = TcpStream::connect(&shared.target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let never = broadcast::Sender::new(1);
    let up = pump(from_client, to_server, &shared, never.subscribe());
    let down = pump(from_server, to_client, &shared, shared.inject.subscribe());
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = cut.recv() => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    mut inject: broadcast::Receiver<Vec<u8>>,
) {
    let mut mode = shared.mode.subscribe();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let wrote = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    if mode.wait_for(|mode| *mode == Mode::Open).await.is_err() {
                        return;
                    }
                    to.write_all(&buffer[..count]).await
                }
            },
            Ok(bytes) = inject.recv() => to.write_all(&bytes).await,
        };
        if wrote.is_err() {
            return;
        }
    }
}

//! A TCP proxy between a service and one of its servers, whose faults are chosen at run time.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{broadcast, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// Bytes read at a time.
const CHUNK: usize = 16 << 10;
/// Pause between two portions when the proxy is slow.
const TICK: Duration = Duration::from_millis(100);
/// The end of a simple query of PostgreSQL that commits.
const COMMIT: &[u8] = b"COMMIT\0";
/// The server's answer that it is done.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

/// What happens to a `COMMIT` of PostgreSQL; the connection ends after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtCommit {
    /// The server never sees it: nothing is committed.
    Withhold,
    /// The server commits, the client never hears of it.
    SwallowReply,
}

/// What the proxy does from now on. The default passes everything on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// New connections are closed at once.
    pub refuse: bool,
    /// Nothing passes, and nobody is told.
    pub stall: bool,
    /// Passes no more than so many bytes per second and direction.
    pub bytes_per_second: Option<u64>,
    /// Whenever so many bytes have passed, the connection that passed the last of them is cut.
    pub cut_every: Option<u64>,
    /// What happens to the next commits, see [`Proxy::at_commits`].
    pub at_commit: Option<AtCommit>,
}

impl Rules {
    /// Passes everything on.
    const OPEN: Self = Self {
        refuse: false,
        stall: false,
        bytes_per_second: None,
        cut_every: None,
        at_commit: None,
    };
    /// Closes new connections at once.
    pub const REFUSE: Self = Self {
        refuse: true,
        ..Self::OPEN
    };
    /// Passes nothing on.
    pub const STALL: Self = Self {
        stall: true,
        ..Self::OPEN
    };
}

struct Shared {
    rules: watch::Sender<Rules>,
    /// Cuts every connection that is open when it changes.
    cuts: watch::Sender<u64>,
    /// Bytes for the clients, as if the server had sent them.
    injected: broadcast::Sender<Vec<u8>>,
    connections: AtomicUsize,
    /// Bytes until the next cut.
    budget: AtomicI64,
    /// Commits still to be disturbed.
    commits: AtomicI64,
    faults: AtomicU64,
}

/// A proxy; it stops when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    /// `host:port` of the server.
    server: String,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Proxy {
    /// Listens on a free port of loopback and passes what comes on to the server of a URL.
    ///
    /// # Errors
    /// When the URL names no server, or no port can be had.
    pub async fn before(url: &str) -> std::io::Result<Self> {
        Self::start(authority(url).ok_or(ErrorKind::InvalidInput)?).await
    }

    /// Listens on a free port of loopback and passes what comes on to `server` (`host:port`).
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(server: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let shared = Arc::new(Shared {
            rules: watch::Sender::new(Rules::default()),
            cuts: watch::Sender::new(0),
            injected: broadcast::Sender::new(8),
            connections: AtomicUsize::new(0),
            budget: AtomicI64::new(0),
            commits: AtomicI64::new(0),
            faults: AtomicU64::new(0),
        });
        let proxy = Self {
            address: listener.local_addr()?,
            server: server.to_owned(),
            shared: Arc::clone(&shared),
            stop: CancellationToken::new(),
        };
        let (server, stop) = (proxy.server.clone(), proxy.stop.clone());
        tokio::spawn(accept(listener, server, shared, stop));
        Ok(proxy)
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the server with the proxy in its place.
    pub fn url(&self, url: &str) -> String {
        url.replacen(&self.server, &self.address.to_string(), 1)
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Sends bytes to all clients, when nothing else is under way.
    pub fn inject(&self, bytes: &[u8]) {
        // There may be no client.
        let _ = self.shared.injected.send(bytes.to_vec());
    }

    /// Faults so far: connections refused or cut, commits disturbed, times it was stalled or slowed.
    pub fn faults(&self) -> u64 {
        self.shared.faults.load(Ordering::Relaxed)
    }

    /// Follows other rules, for open connections too.
    pub fn set(&self, rules: Rules) {
        let bytes = rules.cut_every.unwrap_or_default();
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.shared.budget.store(bytes, Ordering::Relaxed);
        if rules.stall || rules.bytes_per_second.is_some() {
            self.shared.fault();
        }
        self.shared.rules.send_replace(rules);
    }

    /// Passes everything on again.
    pub fn heal(&self) {
        self.set(Rules::default());
    }

    /// Cuts every open connection.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Disturbs the next `count` commits.
    pub fn at_commits(&self, what: AtCommit, count: u32) {
        self.shared.commits.store(count.into(), Ordering::Relaxed);
        self.set(Rules {
            at_commit: Some(what),
            ..Rules::default()
        });
    }

    /// Commits that are still to be disturbed.
    pub fn commits_left(&self) -> i64 {
        self.shared.commits.load(Ordering::Relaxed).max(0)
    }
}

/// `host:port` in a URL.
pub fn authority(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?']).next()?;
    authority.rsplit('@').next()
}

impl Shared {
    fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the connection is to be cut before (`Some(0)`) or after so many of the bytes.
    fn cut_at(&self, rules: Rules, end: End, bytes: &[u8], seen: &mut Scanner) -> Option<usize> {
        let found = match (rules.at_commit, end) {
            (Some(AtCommit::Withhold), End::Client) => seen.find(COMMIT, bytes),
            (Some(AtCommit::SwallowReply), End::Server) => seen.find(COMMITTED, bytes),
            _ => None,
        };
        if found.is_some() && self.commits.fetch_sub(1, Ordering::Relaxed) > 0 {
            return found;
        }
        let every = i64::try_from(rules.cut_every?).unwrap_or(i64::MAX);
        let passing = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let left = self.budget.fetch_sub(passing, Ordering::Relaxed);
        if left > passing {
            return None;
        }
        self.budget.store(every, Ordering::Relaxed);
        Some(usize::try_from(left).unwrap_or_default().min(bytes.len()))
    }
}

/// Finds a message whose bytes may come in parts.
#[derive(Default)]
struct Scanner {
    tail: Vec<u8>,
}

impl Scanner {
    /// Where in `bytes` the rest of `wanted` begins.
    fn find(&mut self, wanted: &[u8], bytes: &[u8]) -> Option<usize> {
        let carried = self.tail.len();
        self.tail.extend_from_slice(bytes);
        let at = self
            .tail
            .windows(wanted.len())
            .position(|window| window == wanted);
        let keep = self.tail.len().min(wanted.len() - 1);
        self.tail.drain(..self.tail.len() - keep);
        at.map(|at| at.saturating_sub(carried))
    }
}

/// Whose bytes a pump passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Client,
    Server,
}

async fn accept(
    listener: TcpListener,
    server: String,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((client, _)) = client else { continue };
        let refused = shared.rules.borrow().refuse;
        if refused {
            shared.fault();
            continue;
        }
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let (server, shared, stop) = (server.clone(), Arc::clone(&shared), stop.child_token());
        tokio::spawn(async move {
            // A server that is away is as away through the proxy.
            if let Ok(server) = TcpStream::connect(server).await {
                pass(client, server, shared, stop).await;
            }
        });
    }
}

/// Passes on what comes from both ends, until one of them ends or the connection is cut.
async fn pass(client: TcpStream, server: TcpStream, shared: Arc<Shared>, stop: CancellationToken) {
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let mut cuts = shared.cuts.subscribe();
    cuts.mark_unchanged();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(End::Client, from_client, to_server, &shared) => {}
        () = pump(End::Server, from_server, to_client, &shared) => {}
        _ = cuts.changed() => shared.fault(),
        () = stop.cancelled() => {}
    }
}

async fn pump(end: End, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) {
    let mut rules = shared.rules.subscribe();
    let mut injected = shared.injected.subscribe();
    let mut seen = Scanner::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            Ok(bytes) = injected.recv(), if end == End::Server => match to.write_all(&bytes).await {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok(count @ 1..) = read else {
            return;
        };
        let mut rest = buffer.get(..count).unwrap_or_default();
        while !rest.is_empty() {
            let Ok(now) = rules.wait_for(|rules| !rules.stall).await.map(|now| *now) else {
                return;
            };
            let portion = match now.bytes_per_second {
                Some(rate) => {
                    sleep(TICK).await;
                    usize::try_from(rate / 10)
                        .unwrap_or(CHUNK)
                        .clamp(1, rest.len())
                }
                None => rest.len(),
            };
            let (bytes, later) = rest.split_at(portion);
            rest = later;
            let cut = shared.cut_at(now, end, bytes, &mut seen);
            let passed = bytes.get(..cut.unwrap_or(portion)).unwrap_or(bytes);
            if to.write_all(passed).await.is_err() {
                return;
            }
            if cut.is_some() {
                shared.fault();
                return;
            }
        }
    }
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;

use std::io;

use tokio::time::{Instant, timeout};

use super::*;

const SOON: Duration = Duration::from_secs(5);
/// How long nothing may come.
const QUIET: Duration = Duration::from_millis(150);

/// A server that answers with what it hears, in capital letters.
async fn shouting() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    buffer[..count].make_ascii_uppercase();
                    if stream.write_all(&buffer[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn proxy() -> Proxy {
    Proxy::start(&shouting().await.to_string()).await.unwrap()
}

async fn client(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 4096];
    let count = timeout(SOON, stream.read(&mut buffer)).await.unwrap()?;
    Ok(buffer[..count].to_vec())
}

async fn ends(stream: &mut TcpStream) {
    while let Ok(bytes) = read(stream).await {
        if bytes.is_empty() {
            return;
        }
    }
}

#[tokio::test]
async fn passes_both_ways() {
    let proxy = proxy().await;
    let mut stream = client(&proxy).await;
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(read(&mut stream).await.unwrap(), b"HELLO");
    assert_eq!(proxy.faults(), 0);
}

#[tokio::test]
async fn cuts_what_is_open_and_takes_what_comes() {
    let proxy = proxy().await;
    let (mut one, mut two) = (client(&proxy).await, client(&proxy).await);
    for stream in [&mut one, &mut two] {
        stream.write_all(b"a").await.unwrap();
        read(stream).await.unwrap();
    }
    proxy.cut();
    ends(&mut one).await;
    ends(&mut two).await;
    assert_eq!(proxy.faults(), 2);
    let mut next = client(&proxy).await;
    next.write_all(b"b").await.unwrap();
    assert_eq!(read(&mut next).await.unwrap(), b"B");
}

#[tokio::test]
async fn stalls_until_it_is_healed() {
    let proxy = proxy().await;
    let mut stream = client(&proxy).await;
    proxy.set(Rules::STALL);
    stream.write_all(b"late").await.unwrap();
    let mut byte = [0];
    assert!(timeout(QUIET, stream.read(&mut byte)).await.is_err());
    proxy.heal();
    assert_eq!(read(&mut stream).await.unwrap(), b"LATE");
}

#[tokio::test]
async fn refuses() {
    let proxy = proxy().await;
    proxy.set(Rules::REFUSE);
    ends(&mut client(&proxy).await).await;
    assert_eq!(proxy.faults(), 1);
}

#[tokio::test]
async fn is_slow() {
    let proxy = proxy().await;
    let mut stream = client(&proxy).await;
    proxy.set(Rules {
        bytes_per_second: Some(40),
        ..Rules::default()
    });
    let begun = Instant::now();
    stream.write_all(b"0123456789").await.unwrap();
    let mut got = Vec::new();
    while got.len() < 10 {
        got.extend(read(&mut stream).await.unwrap());
    }
    assert!(begun.elapsed() >= 3 * TICK, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn cuts_after_so_many_bytes() {
    let proxy = proxy().await;
    proxy.set(Rules {
        cut_every: Some(6),
        ..Rules::default()
    });
    let mut stream = client(&proxy).await;
    // Four bytes there, two of four back.
    stream.write_all(b"abcd").await.unwrap();
    let mut got = Vec::new();
    while let Ok(bytes) = read(&mut stream).await {
        if bytes.is_empty() {
            break;
        }
        got.extend(bytes);
    }
    assert_eq!(got, b"AB");
}

/// A server that says what it got of a commit, and confirms it.
async fn committing() -> (SocketAddr, watch::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = watch::channel(Vec::new());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 64];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                sender.send_modify(|got| got.extend_from_slice(&buffer[..count]));
                if sender.borrow().ends_with(b"COMMIT\0") {
                    let _ = stream.write_all(COMMITTED).await;
                }
            }
        }
    });
    (address, receiver)
}

#[tokio::test]
async fn withholds_a_commit_that_comes_in_parts() {
    let (server, got) = committing().await;
    let proxy = Proxy::start(&server.to_string()).await.unwrap();
    proxy.at_commits(AtCommit::Withhold, 1);
    let mut stream = client(&proxy).await;
    stream.write_all(b"before").await.unwrap();
    let mut hears = got.clone();
    let heard = hears.wait_for(|got| got.len() == 6);
    timeout(SOON, heard).await.unwrap().unwrap();
    for part in [&COMMIT[..4], &COMMIT[4..]] {
        stream.write_all(part).await.unwrap();
    }
    ends(&mut stream).await;
    assert!(!got.borrow().ends_with(b"COMMIT\0"), "{:?}", got.borrow());
    assert_eq!((proxy.faults(), proxy.commits_left()), (1, 0));
}

#[tokio::test]
async fn swallows_the_reply_to_a_commit_only_so_often() {
    let (server, got) = committing().await;
    let proxy = Proxy::start(&server.to_string()).await.unwrap();
    proxy.at_commits(AtCommit::SwallowReply, 1);
    let mut stream = client(&proxy).await;
    stream.write_all(COMMIT).await.unwrap();
    assert!(matches!(
        read(&mut stream).await.as_deref(),
        Ok([]) | Err(_)
    ));
    assert!(got.borrow().ends_with(b"COMMIT\0"));
    let mut next = client(&proxy).await;
    next.write_all(COMMIT).await.unwrap();
    assert_eq!(read(&mut next).await.unwrap(), COMMITTED);
}

#[tokio::test]
async fn injects_as_if_the_server_had_sent_it() {
    let proxy = proxy().await;
    let mut stream = client(&proxy).await;
    stream.write_all(b"a").await.unwrap();
    assert_eq!(read(&mut stream).await.unwrap(), b"A");
    proxy.inject(b"not asked for");
    assert_eq!(read(&mut stream).await.unwrap(), b"not asked for");
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn servers_in_urls() {
    for (url, server) in [
        (
            "postgres://plateia@127.0.0.1:18001/postgres",
            "127.0.0.1:18001",
        ),
        ("amqp://guest:guest@127.0.0.1:26000/%2f", "127.0.0.1:26000"),
        (
            "mongodb://127.0.0.1:22/?directConnection=true",
            "127.0.0.1:22",
        ),
    ] {
        assert_eq!(authority(url), Some(server));
    }
    assert_eq!(authority("nothing"), None);
}

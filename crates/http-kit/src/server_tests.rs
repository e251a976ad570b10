use std::{io::ErrorKind, time::Instant};

use actix_web::HttpResponse;
use runtime::Grace;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
};

use super::*;

/// Longest time that one answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const STALLED: Duration = Duration::from_millis(300);
/// Bytes of an answer that the buffers of a connection do not hold.
const LONG: usize = 64 << 20;
const PING: &str = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";

fn start(limits: Limits, grace: Grace) -> (Server, Lifecycle) {
    let life = Lifecycle::new(Handle::current()).with_grace(grace);
    let configure = |config: &mut web::ServiceConfig| {
        config
            .route(
                "/echo",
                web::post().to(async |body: web::Bytes| HttpResponse::Ok().body(body)),
            )
            .route(
                "/refused",
                web::post().to(async || HttpResponse::Unauthorized().finish()),
            )
            .route(
                "/long",
                web::get().to(async || HttpResponse::Ok().body(vec![b'a'; LONG])),
            );
    };
    let address = "127.0.0.1:0".parse().unwrap();
    let server =
        Server::with_limits(address, 1, limits, &life, &Metrics::new(), configure).unwrap();
    (server, life)
}

fn impatient() -> (Server, Lifecycle) {
    let limits = Limits {
        stalled: STALLED,
        ..Limits::default()
    };
    start(limits, Grace::default())
}

/// Reads the answer to [`PING`].
async fn pinged(stream: &mut TcpStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nhi") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
}

async fn sent(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// What comes until the server closes the connection.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    match read.await.expect("the connection is closed") {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_or_body_that_stands_still_is_answered_408_and_cut_off() {
    let (server, life) = impatient();
    for request in [
        "POST /echo HTTP/1.1\r\nHost: a\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let answer = until_closed(sent(&server, request).await).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{request:?}: {answer}");
        assert!(
            answer.contains("connection: close"),
            "{request:?}: {answer}"
        );
    }
    assert!(server.stop(&life).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_head_that_stands_still_is_answered_408_and_cut_off() {
    let (server, life) = impatient();
    for (first, then) in [
        (PING.to_owned(), "GET /"),
        (PING.to_owned(), "G"),
        // One that nobody reads while the first is served.
        (format!("{PING}GET /echo HTT"), "P"),
    ] {
        let mut stream = sent(&server, &first).await;
        pinged(&mut stream).await;
        stream.write_all(then.as_bytes()).await.unwrap();
        let answer = until_closed(stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{then:?}: {answer}");
        assert!(answer.contains("\"code\":\"head_stalled\""), "{answer}");
    }
    assert!(server.stop(&life).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_too_slowly_is_cut_off() {
    let (server, life) = impatient();
    let mut stream = sent(&server, PING).await;
    pinged(&mut stream).await;
    let (mut read, mut write) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(STALLED / 10).await;
        }
    });
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer)).await;
    drop(ended.expect("the connection is closed"));
    assert!(answer.starts_with(b"HTTP/1.1 408 "));
    dripping.abort();
    assert!(server.stop(&life).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_without_an_answer() {
    let limits = Limits {
        idle: STALLED,
        ..Limits::default()
    };
    let (server, life) = start(limits, Grace::default());
    for more in ["", "GET /echo HTT"] {
        let mut stream = sent(&server, &format!("{PING}{more}")).await;
        pinged(&mut stream).await;
        assert_eq!(until_closed(stream).await, "");
    }
    assert!(server.stop(&life).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_read_slowly_is_not_cut_off() {
    let limits = Limits {
        stalled: STALLED,
        idle: STALLED,
    };
    let (server, life) = start(limits, Grace::default());
    let mut stream = sent(&server, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut read = 0;
    let mut buffer = vec![0; LONG / 8];
    while read < LONG {
        // Longer than either limit in all.
        tokio::time::sleep(STALLED / 4).await;
        match stream.read(&mut buffer).await.unwrap() {
            0 => panic!("cut off after {read} bytes"),
            some => read += some,
        }
    }
    assert!(server.stop(&life).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_hold_up_the_end() {
    let (server, life) = start(Limits::default(), Grace::default());
    let mut stream = sent(&server, PING).await;
    pinged(&mut stream).await;
    let began = Instant::now();
    assert!(server.stop(&life).await);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(until_closed(stream).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_reads_does_not_hold_the_connection() {
    let (server, life) = impatient();
    for body in [
        "Content-Length: 9\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let request = format!("POST /refused HTTP/1.1\r\nHost: a\r\n{body}");
        let answer = until_closed(sent(&server, &request).await).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    assert!(server.stop(&life).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_that_goes_on_is_taken() {
    let (server, life) = impatient();
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n";
    let mut stream = sent(&server, head).await;
    for _ in 0..9 {
        tokio::time::sleep(STALLED / 5).await;
        stream.write_all(b"a").await.unwrap();
    }
    let answer = until_closed(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("aaaaaaaaa"),
        "{answer}"
    );
    assert!(server.stop(&life).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_does_not_hold_up_the_end() {
    let grace = Grace {
        running: Duration::from_secs(1),
        handing_back: Duration::from_secs(2),
    };
    let (server, life) = start(Limits::default(), grace);
    let request = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";
    let stalled = sent(&server, request).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    server.stop(&life).await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    drop(stalled);
}

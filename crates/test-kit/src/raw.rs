//! Requests that are given up half way, which no HTTP client sends.

use std::{net::SocketAddr, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use crate::http::Request;

fn encode(request: &Request, address: SocketAddr) -> Vec<u8> {
    let Request {
        method,
        path,
        headers,
        body,
    } = request;
    let length = body.len();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "Connection: close\r\nContent-Length: {length}\r\n\r\n"
    ));
    [head.as_bytes(), body].concat()
}

pub async fn abandon(request: &Request, address: SocketAddr, share: u8, wait: Duration) {
    let bytes = encode(request, address);
    let sent = (bytes.len() * (usize::from(share) + 1)).div_ceil(256);
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return;
    };
    // Whoever goes away does not care whether it was heard.
    let _ = stream.write_all(&bytes[..sent]).await;
    sleep(wait).await;
}

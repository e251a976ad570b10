//! A plain HTTP/1.1 client: one connection per request, so that every fault is the request's own.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    /// Whole lines, each with its line break.
    pub headers: String,
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The beginning of the body, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body)
            .chars()
            .take(300)
            .collect()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

impl Request {
    fn encode(&self, address: SocketAddr) -> Vec<u8> {
        let (method, path, headers) = (self.method, &self.path, &self.headers);
        let length = self.body.len();
        let mut bytes = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\
             Content-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it and waits for the whole answer.
    ///
    /// # Errors
    /// When no whole answer comes within `patience`.
    pub async fn send(&self, address: SocketAddr, patience: Duration) -> anyhow::Result<Answer> {
        timeout(patience, async {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(&self.encode(address)).await?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await?;
            parse(&bytes)
        })
        .await
        .context("no answer in time")?
    }

    /// Sends the first `share` (of 256) of it, waits, and goes away without reading an answer.
    pub async fn abandon(&self, address: SocketAddr, share: u8, wait: Duration) {
        let bytes = self.encode(address);
        let sent = (bytes.len() * (usize::from(share) + 1)).div_ceil(256);
        let Ok(mut stream) = TcpStream::connect(address).await else {
            return;
        };
        // Whoever goes away does not care whether it was heard.
        let _ = stream.write_all(bytes.get(..sent).unwrap_or(&bytes)).await;
        sleep(wait).await;
    }
}

fn parse(bytes: &[u8]) -> anyhow::Result<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = bytes
        .split_at_checked(end.context("no whole head")? + 4)
        .context("no body")?;
    let head = std::str::from_utf8(head)?.to_owned();
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let body = if header(&head, "transfer-encoding").is_some() {
        joined(body)?
    } else {
        let length: usize = header(&head, "content-length").unwrap_or("0").parse()?;
        ensure!(body.len() == length, "a cut body");
        body.to_vec()
    };
    Ok(Answer { status, head, body })
}

/// The body that came in chunks.
fn joined(mut chunks: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|window| window == b"\r\n");
        let (size, rest) = chunks.split_at(end.context("a cut chunk")?);
        let size = usize::from_str_radix(std::str::from_utf8(size)?.trim(), 16)?;
        if size == 0 {
            return Ok(body);
        }
        let rest = rest.get(2..).context("a cut chunk")?;
        body.extend_from_slice(rest.get(..size).context("a cut chunk")?);
        chunks = rest.get(size + 2..).context("a cut chunk")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_only() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 1\r\n\r\n{}");
        let answer = answer.unwrap();
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (200, Some("1"))
        );
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Le").is_err());
    }

    #[test]
    fn chunks_are_joined() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let whole = format!("{head}2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n");
        assert_eq!(parse(whole.as_bytes()).unwrap().body, b"[1]");
        let cut = format!("{head}2\r\n[1\r\n1");
        assert!(parse(cut.as_bytes()).is_err());
    }
}

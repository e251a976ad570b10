//! A client that sends each request to the next replica.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest time that anything here may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Replicas of one service that share their stores.
pub struct Service {
    /// `host:port` of each.
    pub replicas: Vec<String>,
    /// A key of one workspace.
    pub key: String,
    next: AtomicUsize,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header lines, as sent.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The JSON, when the status is the one expected.
    pub fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        self.json()
    }
}

/// Waits for something, at most as long as patience lasts.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(PAUSE);
    }
}

impl Service {
    /// A service of these replicas (`host:port`), called with `key`.
    pub fn new(replicas: Vec<String>, key: &str) -> Self {
        assert!(!replicas.is_empty(), "no replica");
        Self {
            replicas,
            key: key.to_owned(),
            next: AtomicUsize::new(0),
        }
    }

    fn connect(&self, headers: &str) -> (TcpStream, String) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let address = &self.replicas[turn % self.replicas.len()];
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = &self.key;
        let common = format!("Host: {address}\r\nAuthorization: Bearer {key}\r\n{headers}");
        (stream, common)
    }

    /// Sends a request to the next replica. `headers` are whole lines.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let (mut stream, common) = self.connect(headers);
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{common}Connection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = BufReader::new(stream);
        let (mut head, mut status) = (String::new(), None);
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            if line.trim_end().is_empty() {
                break;
            }
            status = status.or_else(|| line.split(' ').nth(1)?.parse().ok());
            head.push_str(&line);
        }
        let mut body = Vec::new();
        answer.read_to_end(&mut body).unwrap();
        if head
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked")
        {
            body = joined(&body);
        }
        let status = status.expect("an answer has a status");
        Answer { status, head, body }
    }

    /// Reads what has to be there.
    pub fn get(&self, path: &str) -> Value {
        self.send("GET", path, "", b"").expect(200)
    }

    /// Sends JSON.
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = "Content-Type: application/json\r\n";
        self.send(method, path, headers, body.to_string().as_bytes())
    }

    /// Posts JSON under an idempotency key.
    pub fn once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let headers = format!("Content-Type: application/json\r\nIdempotency-Key: {key}\r\n");
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }

    /// Begins a stream of server-sent events; each call of the answer waits for the next one's data.
    pub fn events(&self, path: &str) -> impl FnMut() -> Value {
        let (mut stream, common) = self.connect("Accept: text/event-stream\r\n");
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\n{common}\r\n").as_bytes())
            .unwrap();
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains(" 200 "), "{first}");
        move || {
            loop {
                let line = lines.next().expect("the stream goes on").unwrap();
                if let Some(data) = line.strip_prefix("data:") {
                    return serde_json::from_str(data.trim()).unwrap();
                }
            }
        }
    }

    /// Documents of an audience by a walk from the first to the last.
    pub fn walk(&self, audience: &str) -> Vec<String> {
        let (mut documents, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audiences/{audience}/contacts?limit=1000{cursor}");
            let page = self.get(&path);
            documents.extend(documents_of(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return documents,
            }
        }
    }

    /// Contacts of an audience by its counter.
    pub fn count(&self, audience: &str) -> u64 {
        let seen = self.get(&format!("/api/v1/audiences/{audience}"));
        seen["contacts"].as_u64().unwrap()
    }

    /// Waits for the end of the operation that an answer of 202 names.
    pub fn ended(&self, accepted: &Value) -> Value {
        let id = text(accepted, "id");
        until("the end of an operation", || {
            let seen = self.get(&format!("/api/v1/operations/{id}"));
            let ended = ["succeeded", "failed", "cancelled"].contains(&seen["state"].as_str()?);
            ended.then_some(seen)
        })
    }
}

/// The body that came in chunks.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks.iter().position(|byte| *byte == b'\n').unwrap();
        let size = std::str::from_utf8(&chunks[..end]).unwrap().trim();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunks[end + 1..][..size]);
        // The chunk ends with a line break of its own.
        chunks = &chunks[end + 1 + size + 2..];
    }
}

/// A member that is text.
pub fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
        .to_owned()
}

/// Documents of a page.
pub fn documents_of(page: &Value) -> Vec<String> {
    let contacts = page["data"].as_array().unwrap();
    contacts.iter().map(|c| text(c, "document")).collect()
}

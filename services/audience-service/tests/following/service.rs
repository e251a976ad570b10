//! A whole service, and a client of it that shows what is on the wire.

use std::{sync::LazyLock, time::Duration};

use audience_service::{http::openapi, module::embedded};
use serde_json::{Value, json};
use service_kit::Process;
use settings::Settings;
use test_support::openapi::assert_declared;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// Longest time that one answer or event may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the service says that it answers.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(openapi::document()).unwrap());

pub struct Service {
    running: Process,
    _dir: tempfile::TempDir,
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

/// An event of a stream: id, type, data.
pub type Heard = (Option<String>, String, Value);

pub struct Events(BufReader<TcpStream>);

impl Service {
    pub async fn start() -> Self {
        Self::with_streams(1_000).await
    }

    pub async fn with_streams(most: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        settings.limits.sse = most;
        let running = started(&settings).await;
        Self { running, _dir: dir }
    }

    async fn send(&self, method: &str, path: &str, more: &str, body: &str) -> TcpStream {
        let address = self.running.address();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let workspace = if more.contains("workSpaceId") {
            ""
        } else {
            "workSpaceId: ws_1\r\n"
        };
        let user = if more.contains("userId") {
            ""
        } else {
            "userId: ana\r\n"
        };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{workspace}{user}{more}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    pub async fn ask(&self, method: &str, path: &str, more: &str, body: &Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let more = format!("{more}Connection: close\r\n");
        let mut stream = self.send(method, path, &more, &body).await;
        let mut text = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let reply = Reply {
            status: head[9..12].parse().unwrap(),
            head: head.to_lowercase(),
            body: serde_json::from_str(body).unwrap_or_default(),
        };
        let mut lines = reply.head.lines();
        let content_type = lines.find_map(|line| line.strip_prefix("content-type: "));
        let content_type = content_type.unwrap_or_default();
        assert_declared(&DOCUMENT, method, path, reply.status, content_type);
        reply
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "", &Value::Null).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path, "", &body).await
    }

    /// An audience; answers its path.
    pub async fn audience(&self, name: &str, documents: &[&str]) -> String {
        let data: Vec<_> = documents.iter().map(|d| json!({ "document": d })).collect();
        let made = self
            .post("/api/v1/audiences", json!({ "name": name, "data": data }))
            .await;
        assert_eq!(made.status, 201, "{}", made.body);
        format!("/api/v1/audiences/{}", made.body["id"].as_str().unwrap())
    }

    /// Recycles and waits for the end; answers the operation.
    pub async fn recycle(&self, audience: &str, body: Value) -> Value {
        let path = format!("{audience}/recycle");
        let ended = self.ask("POST", &path, "Prefer: wait=30\r\n", &body).await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        assert!(
            ended.head.contains("location: /api/v1/operations/op_"),
            "{}",
            ended.head
        );
        ended.body
    }

    pub async fn follow(&self, path: &str, more: &str) -> Events {
        let mut events = Events(BufReader::new(self.send("GET", path, more, "").await));
        let mut line = String::new();
        timeout(PATIENCE, events.0.read_line(&mut line))
            .await
            .unwrap()
            .unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line != "\r\n" {
            line.clear();
            timeout(PATIENCE, events.0.read_line(&mut line))
                .await
                .unwrap()
                .unwrap();
        }
        events
    }
}

impl Events {
    /// The next event, or `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Heard> {
        timeout(PATIENCE, self.read()).await.unwrap()
    }

    async fn read(&mut self) -> Option<Heard> {
        let (mut id, mut kind) = (None, String::new());
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap() == 0 || line == "0\r\n" {
                return None;
            }
            if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.trim().to_owned());
            } else if let Some(text) = line.strip_prefix("event: ") {
                kind = text.trim().to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                return Some((id, kind, serde_json::from_str(text).unwrap()));
            }
        }
    }
}

async fn started(settings: &Settings) -> Process {
    let (module, keys) = embedded(settings).await.unwrap();
    service_kit::embedded(settings, keys, vec![module])
        .await
        .unwrap()
}

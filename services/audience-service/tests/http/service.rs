//! A service and a client that sends exactly what it is told.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use audience_service::{http::openapi, module::embedded};
use http_kit::Sealer;
use serde_json::{Value, json};
use service_kit::Process;
use settings::Settings;
use sha2::{Digest, Sha256};
use test_support::openapi::assert_declared;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest time that one answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of a body here.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// Most items of a write here.
pub const ITEM_LIMIT: usize = 1000;

/// What the service says that it answers.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(openapi::document()).unwrap());

pub struct Service {
    running: Process,
    dir: tempfile::TempDir,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    headers: HashMap<String, String>,
    pub text: String,
    /// The JSON in it, or null.
    pub body: Value,
}

impl Reply {
    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Asserts a problem document of this status and code; answers its first place.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &str {
        let said = &self.text;
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{said}"
        );
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{said}"
        );
        assert_eq!(self.body["status"], status, "{said}");
        assert!(self.body["trace_id"].is_string(), "{said}");
        self.body["errors"][0]["pointer"]
            .as_str()
            .unwrap_or_default()
    }

    /// Asserts the status; answers the body.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }
}

/// A request that is being put together.
pub struct Call<'a> {
    service: &'a Service,
    line: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

impl<'a> Call<'a> {
    /// Sets a header; an empty value takes it away.
    pub fn header(mut self, name: &'a str, value: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub fn workspace(self, id: &str) -> Self {
        self.header("workSpaceId", id)
    }

    pub fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    pub fn text(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self.header("Content-Type", "application/json")
    }

    pub async fn send(self) -> Reply {
        let address = self.service.running.address();
        let mut request = format!(
            "{} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n",
            self.line
        );
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self
            .headers
            .iter()
            .any(|(name, _)| *name == "Content-Length")
            && !self.body.is_empty()
        {
            request.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        let mut bytes = format!("{request}\r\n").into_bytes();
        bytes.extend(self.body);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.unwrap().unwrap();
        let reply = parse(&answer);
        let (method, path) = self.line.split_once(' ').unwrap();
        let content_type = reply.header("content-type");
        assert_declared(&DOCUMENT, method, path, reply.status, content_type);
        reply
    }
}

fn parse(answer: &[u8]) -> Reply {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    };
    let headers: HashMap<_, _> = head.lines().skip(1).map(header).collect();
    let chunked = headers
        .get("transfer-encoding")
        .is_some_and(|v| v == "chunked");
    let body = &answer[end + 4..];
    let body = if chunked {
        unchunk(body)
    } else {
        body.to_vec()
    };
    let text = String::from_utf8_lossy(&body).into_owned();
    Reply {
        status: head[9..12].parse().unwrap(),
        headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

/// The content of chunks; panics when the last one is missing.
fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return content;
        }
        content.extend(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
}

impl Service {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        settings.limits.body_bytes = BODY_LIMIT;
        settings.limits.items = ITEM_LIMIT;
        settings.workers.http = Some(1);
        let running = started(&settings).await;
        Self { running, dir }
    }

    /// What seals the service's cursors.
    pub fn sealer(&self) -> Sealer {
        let secret = std::fs::read_to_string(self.dir.path().join("secret")).unwrap();
        let key = Sha256::digest(format!("tokens\n{}", secret.trim()));
        Sealer::new(&key.into())
    }

    /// A request of `ana` in `ws_1`.
    pub fn call<'a>(&'a self, method: &str, path: &str) -> Call<'a> {
        let headers = vec![
            ("workSpaceId", "ws_1".to_owned()),
            ("userId", "ana".to_owned()),
        ];
        Call {
            service: self,
            line: format!("{method} {path}"),
            headers,
            body: Vec::new(),
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path).json(&body).send().await
    }

    pub async fn delete(&self, path: &str, body: Value) -> Reply {
        self.call("DELETE", path).json(&body).send().await
    }

    /// Creates a list over face L; answers its id.
    pub async fn list(&self, name: &str, documents: &[&str]) -> String {
        let made = self
            .post("/create", json!({"name": name, "data": people(documents)}))
            .await;
        made.ok(201)["id"].as_str().unwrap().to_owned()
    }

    /// Recycles to a new audience, which then is not one of the API; answers its bare id.
    pub async fn recycled(&self, id: &str, name: &str) -> String {
        let body = json!({"rules": {"opted_out": true}, "target": {"type": "new", "name": name}});
        let path = format!("/api/v1/audiences/{id}/recycle");
        let call = self
            .call("POST", &path)
            .header("Prefer", "wait=30")
            .json(&body);
        let done = call.send().await.ok(200);
        let id = done["target_audience_id"].as_str().unwrap();
        id.trim_start_matches("aud_").to_owned()
    }
}

/// Items with these documents.
pub fn people(documents: &[&str]) -> Value {
    documents
        .iter()
        .map(|d| json!({"document": d, "name": "N"}))
        .collect()
}

/// The documents of an answered page.
pub fn documents(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().unwrap();
    data.iter()
        .map(|c| c["document"].as_str().unwrap())
        .collect()
}

async fn started(settings: &Settings) -> Process {
    let (module, keys) = embedded(settings).await.unwrap();
    service_kit::embedded(settings, keys, vec![module])
        .await
        .unwrap()
}

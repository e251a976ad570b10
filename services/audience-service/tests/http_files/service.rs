//! A whole service, and a client that shows every byte of an exchange.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what does not work here is a test that fails"
)]

use std::{collections::BTreeMap, path::Path, sync::LazyLock, time::Duration};

use audience_service::{http::openapi, module::embedded};
use serde_json::{Value, json};
use service_kit::Process;
use settings::Settings;
use test_support::openapi::assert_declared;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest time that one answer may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// What the service says that it answers.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(openapi::document()).unwrap());

pub struct Service {
    running: Process,
    dir: tempfile::TempDir,
}

pub struct Reply {
    pub status: u16,
    head: String,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(n, value)| n.eq_ignore_ascii_case(name).then_some(value))
    }
}

impl Service {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        let running = started(&settings).await;
        Self { running, dir }
    }

    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let length = body.len().to_string();
        let mut all = vec![("Content-Length", length.as_str())];
        all.extend(headers);
        let mut stream = self.send(method, path, &all, body).await;
        let mut text = String::new();
        let read = timeout(PATIENCE, stream.read_to_string(&mut text)).await;
        read.unwrap().unwrap();
        let (head, text) = text.split_once("\r\n\r\n").unwrap();
        let mut reply = Reply {
            status: head[9..12].parse().unwrap(),
            head: head.to_owned(),
            text: text.to_owned(),
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.text = joined(text);
        }
        let path = format!("/api/v1{path}");
        let content_type = reply.header("content-type").unwrap_or_default();
        assert_declared(&DOCUMENT, method, &path, reply.status, content_type);
        reply
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> TcpStream {
        let address = self.running.address();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut head = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nConnection: close\r\nHost: {address}\r\nworkSpaceId: ws_1\r\nuserId: ana\r\n"
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        stream
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.raw("GET", path, &[], &[]).await
    }

    /// Waits for what is accepted.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let headers = [("Content-Type", "application/json"), ("Prefer", "wait=20")];
        self.raw("POST", path, &headers, body.to_string().as_bytes())
            .await
    }

    pub async fn upload(&self, content: &str) -> Reply {
        self.upload_as("", content.as_bytes()).await
    }

    /// Uploads a file with the options in a query such as `?header=3`.
    pub async fn upload_as(&self, query: &str, content: &[u8]) -> Reply {
        let headers = [("Content-Type", "application/octet-stream")];
        self.raw("POST", &format!("/uploads{query}"), &headers, content)
            .await
    }

    /// An audience made of a file, and how its operation ended.
    pub async fn made_of(&self, name: &str, upload: &Reply, mapping: Value) -> (String, Value) {
        assert_eq!(upload.status, 201, "{}", upload.text);
        let body = json!({ "name": name, "upload_id": upload.member("id"), "mapping": mapping });
        let ended = self.post("/audiences", &body).await;
        assert_eq!(ended.status, 200, "{}", ended.text);
        (ended.member("audience_id"), ended.json())
    }

    /// The members of an audience by their documents.
    pub async fn members(&self, audience: &str) -> BTreeMap<String, Value> {
        let all = self.get(&format!("/audiences/{audience}/contacts")).await;
        let all = all.json()["data"].as_array().unwrap().clone();
        let own = |member: Value| (member["document"].as_str().unwrap().to_owned(), member);
        all.into_iter().map(own).collect()
    }

    /// The rows of a download as JSON.
    pub async fn lines(&self, path: &str) -> Vec<Value> {
        let headers = [("Accept", "application/x-ndjson")];
        let lines = self.raw("GET", path, &headers, &[]).await;
        assert_eq!(lines.status, 200, "{}", lines.text);
        let json = |line| serde_json::from_str(line).unwrap();
        lines.text.lines().map(json).collect()
    }

    pub async fn form(&self, boundary: &str, fields: &[(&str, &str)], key: &str) -> Reply {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let headers = [
            ("Content-Type", content_type.as_str()),
            ("Idempotency-Key", key),
        ];
        let body = form(boundary, fields);
        self.raw("POST", "/uploads", &headers, body.as_bytes())
            .await
    }

    pub async fn audience(&self, name: &str) -> String {
        let created = self.post("/audiences", &json!({ "name": name })).await;
        assert_eq!(created.status, 201, "{}", created.text);
        created.member("id")
    }

    pub fn stored_files(&self) -> usize {
        files_in(&self.dir.path().join("files"))
    }
}

/// A body without the frames of its chunks; panics where the last one is missing.
fn joined(mut chunked: &str) -> String {
    let mut text = String::new();
    loop {
        let (size, rest) = chunked.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return text;
        }
        text.push_str(&rest[..size]);
        chunked = &rest[size + 2..];
    }
}

/// All files below a folder, unfinished ones too.
fn files_in(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    let count = |path: &Path| if path.is_dir() { files_in(path) } else { 1 };
    entries.map(|entry| count(&entry.unwrap().path())).sum()
}

pub fn form(boundary: &str, fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let file = match *name {
            "file" => "; filename=\"base.csv\"\r\nContent-Type: text/csv",
            _ => "",
        };
        let disposition = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
        body.push_str(&format!("--{boundary}\r\n{disposition}\r\n\r\n{value}\r\n"));
    }
    body + &format!("--{boundary}--\r\n")
}

async fn started(settings: &Settings) -> Process {
    let (module, keys) = embedded(settings).await.unwrap();
    service_kit::embedded(settings, keys, vec![module])
        .await
        .unwrap()
}

//! A service and a client that sends exactly what it is told.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use fake_crm::{Fake, Plan};
use import_job_service::{http::document, module::embedded};
use serde_json::{Value, json};
use service_kit::{NoKeys, Process};
use settings::{SecretString, Settings};
use test_support::openapi::assert_declared;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest time that one answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
pub const ADMIN: &str = "adm1n";

/// What the service says that it answers.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document()).unwrap());

pub struct Service {
    process: Process,
    pub fake: Fake,
    _dir: tempfile::TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.lifecycle().shutdown();
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub text: String,
    /// The JSON in it, or null.
    pub body: Value,
}

impl Reply {
    /// Asserts the status; answers the body.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Asserts a problem of this status and code; answers its first place.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &str {
        let said = &self.text;
        let is = (self.status, self.body["code"].as_str());
        assert_eq!(is, (status, Some(code)), "{said}");
        self.body["errors"][0]["pointer"].as_str().unwrap_or("")
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::with(Plan::default(), Some(ADMIN)).await
    }

    pub async fn with(plan: Plan, admin: Option<&str>) -> Self {
        let fake = Fake::start(plan).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        settings.imports.admin_token = admin.map(SecretString::from);
        settings.imports.requests_per_minute = 60_000;
        settings.imports.allow_private_hosts = fake.url.trim_start_matches("http://").to_owned();
        let module = embedded(&settings).await.unwrap();
        let process = service_kit::embedded(&settings, Arc::new(NoKeys), vec![module]);
        let process = process.await.unwrap();
        Self {
            process,
            fake,
            _dir: dir,
        }
    }

    /// Sends a request of `ana` in `ws_1`, with more headers; one of an empty value is left out.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let address = self.process.address();
        let mut all = vec![("workSpaceId", "ws_1"), ("userId", "ana")];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in all {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.unwrap().unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        let headers = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let reply = Reply {
            status: head[9..12].parse().unwrap(),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            text: text.to_owned(),
            body: serde_json::from_str(text).unwrap_or_default(),
        };
        let content_type = reply.headers.get("content-type");
        let content_type = content_type.map_or("", String::as_str);
        assert_declared(&DOCUMENT, method, path, reply.status, content_type);
        reply
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.json("POST", path, &[], body).await
    }

    pub async fn json(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Reply {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        self.send(method, path, &all, &body.to_string()).await
    }

    /// A request with the administrator's token and nothing else.
    pub async fn admin(&self, method: &str, path: &str, body: &str) -> Reply {
        let headers = [
            ("workSpaceId", ""),
            ("userId", ""),
            ("x-admin-token", ADMIN),
        ];
        self.send(method, path, &headers, body).await
    }

    /// Makes the client of the fake; answers its id.
    pub async fn client(&self, slug: &str) -> String {
        let body = json!({"slug": slug, "base_url": self.fake.url, "token": "s3cret"});
        let made = self.post("/api/v1/clients", body).await.ok(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Imports to the end; answers the run.
    pub async fn import(&self, client: &str, import: &str) -> Value {
        let body = json!({"client_id": client, "import": import});
        let wait = [("Prefer", "wait=60")];
        self.json("POST", "/api/v1/imports", &wait, body)
            .await
            .ok(200)
    }
}

//! A whole service that takes files; paths are those below `/api/v1`.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};
use test_kit::http::{Call, Reply};

use crate::service;

pub struct Service(service::Service);

impl Service {
    pub async fn start() -> Self {
        Self(service::Service::with(|_| {}).await)
    }

    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.0.call(method, &format!("/api/v1{path}"))
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    /// Waits for what is accepted.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let call = self.call("POST", path).header("Prefer", "wait=20");
        call.json(body).send().await
    }

    pub async fn upload(&self, content: &str) -> Reply {
        self.upload_as("", content.as_bytes()).await
    }

    /// Uploads a file with the options in a query such as `?header=3`.
    pub async fn upload_as(&self, query: &str, content: &[u8]) -> Reply {
        let call = self.call("POST", &format!("/uploads{query}"));
        call.body("application/octet-stream", content).send().await
    }

    /// An audience made of a file, and how its operation ended.
    pub async fn made_of(&self, name: &str, upload: &Reply, mapping: Value) -> (String, Value) {
        upload.ok(201);
        let body = json!({ "name": name, "upload_id": upload.member("id"), "mapping": mapping });
        let ended = self.post("/audiences", &body).await;
        (ended.member("audience_id"), ended.ok(200))
    }

    /// The members of an audience by their documents.
    pub async fn members(&self, audience: &str) -> BTreeMap<String, Value> {
        let all = self.get(&format!("/audiences/{audience}/contacts")).await;
        let all = all.body["data"].as_array().unwrap().clone();
        let own = |member: Value| (member["document"].as_str().unwrap().to_owned(), member);
        all.into_iter().map(own).collect()
    }

    /// A download as lines of JSON.
    pub async fn ndjson(&self, path: &str) -> Reply {
        let call = self.call("GET", path);
        call.header("Accept", "application/x-ndjson").send().await
    }

    /// The rows of a download as JSON.
    pub async fn lines(&self, path: &str) -> Vec<Value> {
        let lines = self.ndjson(path).await;
        lines.ok(200);
        let json = |line| serde_json::from_str(line).unwrap();
        lines.text.lines().map(json).collect()
    }

    pub async fn form(&self, boundary: &str, fields: &[(&str, &str)], key: &str) -> Reply {
        let media_type = format!("multipart/form-data; boundary={boundary}");
        let call = self.call("POST", "/uploads").header("Idempotency-Key", key);
        call.body(&media_type, form(boundary, fields)).send().await
    }

    pub async fn audience(&self, name: &str) -> String {
        let created = self.post("/audiences", &json!({ "name": name })).await;
        created.ok(201);
        created.member("id")
    }

    pub fn stored_files(&self) -> usize {
        files_in(&self.0.path("files"))
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

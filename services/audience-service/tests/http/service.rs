//! A whole service on a port of its own, and its client.

use std::{ops::Deref, path::PathBuf, sync::LazyLock};

use audience_service::{http::openapi, module::embedded};
use http_kit::Sealer;
use serde_json::{Value, json};
use service_kit::Process;
use settings::Settings;
use sha2::{Digest, Sha256};
use test_kit::http::{Client, text};

/// Most bytes of a body here.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// Most items of a write here.
pub const ITEM_LIMIT: usize = 1000;

/// What the service says that it answers.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(openapi::document()).unwrap());

/// Sends requests of `ana` in `ws_1`.
pub struct Service {
    client: Client,
    running: Process,
    dir: tempfile::TempDir,
}

impl Deref for Service {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::with(|settings| {
            settings.limits.body_bytes = BODY_LIMIT;
            settings.limits.items = ITEM_LIMIT;
            settings.workers.http = Some(1);
        })
        .await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        change(&mut settings);
        let opened = embedded(&settings).await.unwrap();
        let running = service_kit::embedded(&settings, opened.keys, vec![opened.module]).await;
        let running = running.unwrap();
        let client = Client::new([running.address()])
            .with_header("workSpaceId", "ws_1")
            .with_header("userId", "ana")
            .described_by(&DOCUMENT);
        Self {
            client,
            running,
            dir,
        }
    }

    /// A client that says nothing of who calls, and asks for what is not described as well.
    pub fn stranger(&self) -> Client {
        Client::new([self.running.address()])
    }

    /// The key that was made for the first workspace.
    pub fn key(&self) -> &str {
        self.running.made_key().unwrap()
    }

    /// A path in the directory of the service.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What seals the service's cursors.
    pub fn sealer(&self) -> Sealer {
        let secret = std::fs::read_to_string(self.path("secret")).unwrap();
        let key = Sha256::digest(format!("tokens\n{}", secret.trim()));
        Sealer::new(&key.into())
    }

    /// Creates a list over face L; answers its id.
    pub async fn list(&self, name: &str, documents: &[&str]) -> String {
        let body = json!({"name": name, "data": people(documents)});
        text(&self.post("/create", body).await.ok(201), "id")
    }

    /// Recycles to a new audience, which then is not one of the API; answers its bare id.
    pub async fn recycled(&self, id: &str, name: &str) -> String {
        let body = json!({"rules": {"opted_out": true}, "target": {"type": "new", "name": name}});
        let path = format!("/api/v1/audiences/{id}/recycle");
        let call = self.call("POST", &path).header("Prefer", "wait=30");
        let done = call.json(&body).send().await.ok(200);
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

//! A whole service beside a CRM, and its client.

use std::{
    ops::Deref,
    sync::{Arc, LazyLock},
};

use fake_crm::{Fake, Plan};
use import_job_service::{http::document, module::embedded};
use serde_json::{Value, json};
use service_kit::{NoKeys, Process};
use settings::{SecretString, Settings};
use test_kit::http::{Client, Reply, text};

pub const ADMIN: &str = "adm1n";

/// What the service says that it answers.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document()).unwrap());

/// Sends requests of `ana` in `ws_1`.
pub struct Service {
    client: Client,
    process: Process,
    pub fake: Fake,
    _dir: tempfile::TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.lifecycle().shutdown();
    }
}

impl Deref for Service {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::with(Plan::default(), Some(ADMIN)).await
    }

    pub async fn with(plan: Plan, admin: Option<&str>) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), plan, admin).await
    }

    /// On what is in a directory.
    pub async fn in_dir(dir: tempfile::TempDir, plan: Plan, admin: Option<&str>) -> Self {
        let fake = Fake::start(plan).unwrap();
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
        let client = Client::new([process.address()])
            .with_header("workSpaceId", "ws_1")
            .with_header("userId", "ana")
            .described_by(&DOCUMENT);
        Self {
            client,
            process,
            fake,
            _dir: dir,
        }
    }

    /// Sends a request with more headers; one of an empty value is left out.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut call = self.call(method, path).body("", body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        call.send().await
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
        text(&self.post("/api/v1/clients", body).await.ok(201), "id")
    }

    /// Imports to the end; answers the run.
    pub async fn import(&self, client: &str, import: &str) -> Value {
        let body = json!({"client_id": client, "import": import});
        let call = self.call("POST", "/api/v1/imports");
        let call = call.header("Prefer", "wait=60").json(&body);
        call.send().await.ok(200)
    }
}

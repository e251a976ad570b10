//! A whole service whose operations and notifications are followed.

use std::ops::Deref;

use serde_json::{Value, json};
use test_kit::events::Events;

use crate::service;

pub struct Service(service::Service);

impl Deref for Service {
    type Target = service::Service;

    fn deref(&self) -> &service::Service {
        &self.0
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::with_streams(1_000).await
    }

    pub async fn with_streams(most: usize) -> Self {
        Self(service::Service::with(|settings| settings.limits.sse = most).await)
    }

    /// An audience; answers its path.
    pub async fn audience(&self, name: &str, documents: &[&str]) -> String {
        let data: Vec<_> = documents.iter().map(|d| json!({ "document": d })).collect();
        let body = json!({ "name": name, "data": data });
        let made = self.post("/api/v1/audiences", body).await;
        made.ok(201);
        format!("/api/v1/audiences/{}", made.member("id"))
    }

    /// Recycles and waits for the end; answers the operation.
    pub async fn recycle(&self, audience: &str, body: Value) -> Value {
        let call = self.call("POST", &format!("{audience}/recycle"));
        let ended = call.header("Prefer", "wait=30").json(&body).send().await;
        let location = ended.header("location");
        assert!(location.starts_with("/api/v1/operations/op_"), "{location}");
        ended.ok(200)
    }

    /// The events of a stream, from the one after `last` where one is named.
    pub async fn follow(&self, path: &str, last: &str) -> Events {
        let call = self.call("GET", path);
        call.header("Last-Event-ID", last).follow().await
    }
}

//! A whole service beside a workspace of a few customers, and its client.

use std::{
    ops::Deref,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    shared::{AudienceId, WorkspaceId},
    workspace::TimeZone,
};
use events::v1::{CommunicationDue, RecipientsResolved, ResolvedRecipient, Route};
use kernel::directory::{Part, RecipientSource};
use ports::{StoreError, scheduling::Directory};
use scheduler_service::{http::document, module::embedded};
use serde_json::Value;
use service_kit::{NoKeys, Process};
use settings::Settings;
use test_kit::http::{Client, PATIENCE};

/// What the service says that it answers.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document()).unwrap());

/// Customers 1 to 20, and one audience.
struct Few;

#[async_trait]
impl Directory for Few {
    async fn unknown_customers(
        &self,
        _: &WorkspaceId,
        ids: &[i64],
    ) -> Result<Vec<i64>, StoreError> {
        Ok(ids.iter().copied().filter(|id| *id > 20).collect())
    }

    async fn has_audience(&self, _: &WorkspaceId, id: AudienceId) -> Result<bool, StoreError> {
        Ok(id.raw() == 7)
    }

    async fn time_zone(&self, _: &WorkspaceId) -> Result<TimeZone, StoreError> {
        Ok(TimeZone::America__Sao_Paulo)
    }
}

#[async_trait]
impl RecipientSource for Few {
    async fn part(&self, _: &WorkspaceId, ask: CommunicationDue) -> Result<Part, StoreError> {
        // Those with odd numbers have no address.
        let route = |id: i64, channel: &String| Route {
            channel: channel.clone(),
            address: (id % 2 == 0).then(|| format!("a{id}")),
            skipped: None,
        };
        let recipient = |id: &i64| ResolvedRecipient {
            key: id.to_string(),
            routes: ask
                .channels
                .iter()
                .map(|channel| route(*id, channel))
                .collect(),
            ..ResolvedRecipient::default()
        };
        Ok(Part {
            found: RecipientsResolved {
                recipients: ask.customers.iter().map(recipient).collect(),
                zone: "UTC".to_owned(),
                ..RecipientsResolved::default()
            },
            next: None,
        })
    }
}

/// Sends requests of `ana` in `ws_1`.
pub struct Service {
    client: Client,
    process: Process,
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
    /// What is at a path, as soon as it is as it should be.
    pub async fn once(&self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let read = self.get(path).await.ok(200);
                if is(&read) {
                    return read;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap()
    }

    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        let few = Arc::new(Few);
        let module = embedded(&settings, few.clone(), few).await.unwrap();
        let process = service_kit::embedded(&settings, Arc::new(NoKeys), vec![module]);
        let process = process.await.unwrap();
        let client = Client::new([process.address()])
            .with_header("workSpaceId", "ws_1")
            .with_header("userId", "ana")
            .described_by(&DOCUMENT);
        Self {
            client,
            process,
            _dir: dir,
        }
    }
}

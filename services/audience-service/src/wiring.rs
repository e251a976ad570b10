//! Puts the service together. The only module that names concrete adapters.

use std::{net::SocketAddr, sync::Arc};

use chrono::TimeDelta;
use events::REQUIRED_SUBSCRIBERS;
use messaging::{DeadLetterQueue, OutboxRelay, Retention, RetentionSettings, Router, Signal};
use ports::{
    Clock, StoreError,
    auth::{ApiKeyOwner, ApiKeyStore},
    bus::{DeadLetters, EventPublisher, InboxStore, OutboxQueue, Subscribers, Subscription},
    idempotency::IdempotencyStore,
};
use runtime::Lifecycle;
use service_kit::Started;
use settings::Settings;

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "replica")]
mod replica;
mod secrets;
mod server;

#[cfg(feature = "replica")]
pub use replica::{AudienceService, ServerError};
pub use secrets::SecretError;

use crate::{
    application::App,
    consumers::{CUSTOMERS, NOTIFICATIONS, NotifyUser, SyncCustomers},
};

/// The workspace that the first key opens.
const FIRST_WORKSPACE: &str = "ws_demo";
/// Id of that key, for `key:<id>` as the acting user.
const FIRST_KEY: &str = "first";

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] settings::SettingsError),
    /// The data directory cannot be used.
    #[error("data directory: {0}")]
    DataDir(#[source] std::io::Error),
    /// A secret in the data directory cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A store cannot be opened, brought up to date or repaired.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A server that the service stands on cannot be used.
    #[cfg(feature = "replica")]
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Something was interrupted and cannot be repaired.
    #[error("repair: {0}")]
    Repair(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A running service.
pub struct Running {
    address: SocketAddr,
    made_key: Option<String>,
    life: Lifecycle,
    server: http_kit::Server,
}

impl Running {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key of the first workspace, if it was just made.
    pub fn made_key(&self) -> Option<&str> {
        self.made_key.as_deref()
    }

    /// Start and end of the process, for signals.
    pub const fn lifecycle(&self) -> &Lifecycle {
        &self.life
    }

    /// Stops: takes no new requests, ends or hands back what runs. `true` when all of it ended in time.
    pub async fn stop(self) -> bool {
        self.server.stop(&self.life).await
    }
}

/// What both databases are to the service besides its store.
trait Database: ApiKeyStore + InboxStore + OutboxQueue + DeadLetters + Clone + 'static {}

impl<D: ApiKeyStore + InboxStore + OutboxQueue + DeadLetters + Clone + 'static> Database for D {}

/// What the HTTP server needs besides the use cases.
struct Doors {
    authenticator: http_kit::Authenticator,
    idempotency: Arc<dyn IdempotencyStore>,
    secrets: secrets::Secrets,
    dead_letters: DeadLetterQueue,
    /// Whether anything but the routes of operators is served.
    api: bool,
    /// Other services in the process.
    neighbours: Vec<Started>,
}

fn files(error: ports::files::FileError) -> StartError {
    StartError::DataDir(std::io::Error::other(error))
}

fn customer_events_kept(settings: &Settings) -> TimeDelta {
    TimeDelta::days(i64::from(settings.retention.customer_events_days))
}

/// Handlers of what this service listens to.
fn router(app: &Arc<App>, inbox: Arc<dyn InboxStore>) -> Router {
    let clock = Arc::clone(&app.deps().clock);
    Router::new(inbox, clock)
        .on(NOTIFICATIONS, NotifyUser(Arc::clone(app)))
        .on(CUSTOMERS, SyncCustomers(Arc::clone(app)))
}

fn start_relay(
    app: &Arc<App>,
    outbox: Arc<dyn OutboxQueue>,
    publisher: Arc<dyn EventPublisher>,
    life: &Lifecycle,
) {
    let clock = Arc::clone(&app.deps().clock);
    let signal = Signal::from(app.wake().on_outbox());
    let relay = OutboxRelay::new(outbox, publisher, clock, signal);
    life.spawn_named("relay", relay.run(life.soft()));
}

fn start_retention<D: Database>(db: &D, clock: Arc<dyn Clock>, life: &Lifecycle) {
    let (outbox, inbox) = (Arc::new(db.clone()), Arc::new(db.clone()));
    let retention = Retention::new(outbox, inbox, clock, RetentionSettings::default());
    life.spawn_named("retention", retention.run(life.soft()));
}

fn required() -> Subscribers {
    let require = |all: Subscribers, (event, subscription): &(&str, &'static str)| {
        all.require(event, Subscription::from_static(subscription))
    };
    REQUIRED_SUBSCRIBERS
        .iter()
        .fold(Subscribers::default(), require)
}

/// Makes the first workspace's key known.
async fn know_key(keys: &dyn ApiKeyStore, key: &str, clock: &dyn Clock) -> Result<(), StoreError> {
    let workspace = domain::shared::WorkspaceId::parse(FIRST_WORKSPACE)
        .map_err(|e| StoreError::Internal(Box::new(e)))?;
    let owner = ApiKeyOwner {
        workspace,
        key_id: FIRST_KEY.to_owned(),
    };
    keys.ensure(&secrets::sha256(key.as_bytes()), &owner, clock.now())
        .await
}

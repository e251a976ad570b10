//! Puts the service together for the embedded default: SQLite for both stores, the bus inside the
//! process. The only module that names concrete adapters.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use adapter_files::{DiskBlobs, DiskSpool, TabularFormats};
use adapter_local_bus::LocalBus;
use adapter_sql::{
    contacts::{ContactsOptions, SqliteContacts},
    sqlite::Db,
};
use domain::shared::WorkspaceId;
use events::REQUIRED_SUBSCRIBERS;
use messaging::{DeadLetterQueue, OutboxRelay, Retention, RetentionSettings, Router, Signal};
use ports::{
    Clock, IdGenerator, StoreError,
    auth::{ApiKeyOwner, ApiKeyStore},
    bus::{Subscribers, Subscription},
};
use runtime::{Lifecycle, Snowflakes, SystemClock};
use settings::{ExposeSecret, Settings};
use tokio::runtime::Handle;

mod secrets;
mod server;

pub use secrets::SecretError;

use crate::{
    application::{App, Deps},
    consumers::{NOTIFICATIONS, NotifyUser},
    workers,
};

/// The workspace that the first key opens.
const FIRST_WORKSPACE: &str = "ws_demo";
/// Id of that key, for `key:<id>` as the acting user.
const FIRST_KEY: &str = "first";
/// Workers per pool of operations.
const WORKERS_PER_POOL: usize = 1;
/// How long a graceful stop waits for requests and work to end.
const GRACE: Duration = Duration::from_secs(20);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("data directory: {0}")]
    DataDir(#[source] std::io::Error),
    /// A secret in the data directory cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A store cannot be opened, brought up to date or repaired.
    #[error("store: {0}")]
    Store(#[from] StoreError),
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
pub struct Embedded {
    address: SocketAddr,
    made_key: Option<String>,
    life: Lifecycle,
    server: server::Running,
}

impl Embedded {
    /// Starts everything. When this returns, the service answers and interrupted writes are repaired.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        let dir = settings.data_dir.as_path();
        std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdGenerator> = Arc::new(snowflakes(&clock)?);
        let db = Db::open(&dir.join("audience.db")).await?;
        db.migrate().await?;
        let app = Arc::new(App::new(deps(dir, &db, &clock, &ids).await?));
        let repaired = app
            .repair_all()
            .await
            .map_err(|e| StartError::Repair(e.to_string()))?;
        if repaired > 0 {
            tracing::info!(repaired, "interrupted writes repaired");
        }
        let secrets = secrets::Secrets::load(dir)?;
        let made_key = first_key(settings, dir, &db, clock.as_ref()).await?;
        let life = Lifecycle::new(Handle::current());
        let dead = start_bus(&app, &db, &life);
        workers::start(&app, &life, WORKERS_PER_POOL);
        let server = server::start(settings, &app, &db, &secrets, &life, dead)?;
        Ok(Self {
            address: server.address(),
            made_key,
            life,
            server,
        })
    }

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
        self.life.shutdown();
        self.server.stop(GRACE).await;
        self.life.drain(GRACE).await
    }
}

fn files(error: ports::files::FileError) -> StartError {
    StartError::DataDir(std::io::Error::other(error))
}

fn snowflakes(clock: &Arc<dyn Clock>) -> Result<Snowflakes, StoreError> {
    // One process owns the data directory, so one node number is enough.
    Snowflakes::new(0, Arc::clone(clock)).map_err(|e| StoreError::Internal(Box::new(e)))
}

async fn deps(
    dir: &Path,
    db: &Db,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
) -> Result<Deps, StartError> {
    let contacts = SqliteContacts::open(ContactsOptions::new(dir.join("contacts.db"))).await?;
    Ok(Deps {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        contacts: Arc::new(contacts),
        blobs: Arc::new(DiskBlobs::new(dir.join("files")).map_err(files)?),
        spool: Arc::new(DiskSpool::new(dir.join("scratch")).map_err(files)?),
        formats: Arc::new(TabularFormats),
        clock: Arc::clone(clock),
        owner: format!("embedded-{}", ids.next()),
        ids: Arc::clone(ids),
    })
}

/// Relay, local bus and router. The router wakes the moment the relay has delivered.
fn start_bus(app: &Arc<App>, db: &Db, life: &Lifecycle) -> DeadLetterQueue {
    let clock = Arc::clone(&app.deps().clock);
    let store = Arc::new(db.clone());
    let router =
        Router::new(store.clone(), clock.clone()).on(NOTIFICATIONS, NotifyUser(Arc::clone(app)));
    let mut bus = LocalBus::new(clock.clone(), required());
    let mut wakes = Vec::new();
    for (binding, wake) in router.bindings() {
        wakes.push(Arc::clone(&wake));
        bus = bus.bind(binding, store.clone(), wake);
    }
    let signal = Signal::from(app.wake().on_outbox());
    let relay = OutboxRelay::new(store.clone(), Arc::new(bus), clock.clone(), signal);
    let keep = RetentionSettings::default();
    let retention = Retention::new(store.clone(), store.clone(), clock.clone(), keep);
    life.spawn_named("relay", relay.run(life.soft()));
    life.spawn_named("router", router.run(life.soft()));
    life.spawn_named("retention", retention.run(life.soft()));
    DeadLetterQueue::new(store, clock, wakes)
}

fn required() -> Subscribers {
    let require = |all: Subscribers, (event, subscription): &(&str, &'static str)| {
        all.require(event, Subscription::from_static(subscription))
    };
    REQUIRED_SUBSCRIBERS
        .iter()
        .fold(Subscribers::default(), require)
}

/// Makes the first workspace's key known. Answers the key if there was none before.
async fn first_key(
    settings: &Settings,
    dir: &Path,
    db: &Db,
    clock: &dyn Clock,
) -> Result<Option<String>, StartError> {
    let configured = settings
        .api_key
        .as_ref()
        .map(|k| k.expose_secret().to_owned());
    let (key, made) = match configured {
        Some(key) => (key, false),
        None => secrets::stored_key(dir)?,
    };
    let workspace =
        WorkspaceId::parse(FIRST_WORKSPACE).map_err(|e| StoreError::Internal(Box::new(e)))?;
    let owner = ApiKeyOwner {
        workspace,
        key_id: FIRST_KEY.to_owned(),
    };
    db.ensure(&secrets::sha256(key.as_bytes()), &owner, clock.now())
        .await?;
    Ok(made.then_some(key))
}

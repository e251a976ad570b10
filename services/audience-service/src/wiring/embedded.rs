//! The embedded default: SQLite for both stores, the bus inside the process.

use std::{path::Path, sync::Arc};

use adapter_files::{DiskBlobs, DiskSpool, TabularFormats};
use adapter_local_bus::LocalBus;
use adapter_sql::{
    contacts::{ContactsOptions, SqliteContacts},
    sqlite::{Db, Idempotency},
};
use messaging::DeadLetterQueue;
use ports::{Clock, IdGenerator, StoreError, bus::EventPublisher};
use runtime::{Lifecycle, Snowflakes, SystemClock};
use service_kit::{Heard, Host, Neighbour};
use settings::{ExposeSecret, Settings};
use tokio::runtime::Handle;

use super::{
    Doors, Running, StartError, customer_events_kept, files, know_key, required, router, secrets,
    server, start_relay, start_retention,
};
use crate::{
    application::{App, Deps, StepSizes},
    workers,
};

impl Running {
    /// Starts everything in this process. When this returns, the service answers and interrupted
    /// writes are repaired.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn embedded(settings: &Settings) -> Result<Self, StartError> {
        Self::embedded_with(settings, Vec::new()).await
    }

    /// As [`Self::embedded`], with other services at the same address and on the same bus.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn embedded_with(
        settings: &Settings,
        neighbours: Vec<Box<dyn Neighbour>>,
    ) -> Result<Self, StartError> {
        let dir = settings.data_dir.as_path();
        std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // One process owns the data directory, so one node number is enough.
        let ids = Snowflakes::new(0, Arc::clone(&clock))
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        let ids: Arc<dyn IdGenerator> = Arc::new(ids);
        let db = Db::open(&dir.join("audience.db")).await?;
        db.migrate().await?;
        let app = Arc::new(App::new(deps(settings, &db, &clock, &ids).await?));
        let repaired = app
            .repair_all()
            .await
            .map_err(|e| StartError::Repair(e.to_string()))?;
        if repaired > 0 {
            tracing::info!(repaired, "interrupted writes repaired");
        }
        let made_key = first_key(settings, dir, &db, clock.as_ref()).await?;
        let life = Lifecycle::new(Handle::current());
        let heard = neighbours.iter().flat_map(|n| n.heard()).collect();
        let (publisher, dead_letters) = start_bus(&app, &db, heard, &life);
        workers::start(&app, &life, settings.workers.operations);
        let authenticator = server::authenticator(settings, Arc::new(db.clone()), true);
        let secret = secrets::stored_secret(dir)?;
        let host = || Host {
            publisher: Arc::clone(&publisher),
            life: life.clone(),
            authenticator: authenticator.clone(),
            secret: secret.clone(),
        };
        let started = |neighbour: Box<dyn Neighbour>| neighbour.start(host());
        let neighbours = neighbours.into_iter().map(started).collect();
        let doors = Doors {
            authenticator: authenticator.clone(),
            idempotency: Arc::new(Idempotency::new(db, clock, ids)),
            secrets: secrets::Secrets::of(&secret),
            dead_letters,
            api: true,
            neighbours,
        };
        let server = server::start(settings, &app, doors, &life)?;
        Ok(Self {
            address: server.address(),
            made_key,
            life,
            server,
        })
    }
}

async fn deps(
    settings: &Settings,
    db: &Db,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
) -> Result<Deps, StartError> {
    let dir = settings.data_dir.as_path();
    let contacts = SqliteContacts::open(ContactsOptions::new(dir.join("contacts.db"))).await?;
    Ok(Deps {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        contacts: Arc::new(contacts),
        blobs: Arc::new(DiskBlobs::new(dir.join("files")).map_err(files)?),
        spool: Arc::new(DiskSpool::new(dir.join("scratch")).map_err(files)?),
        formats: Arc::new(TabularFormats),
        clock: Arc::clone(clock),
        steps: StepSizes::default(),
        customer_events_kept: customer_events_kept(settings),
        owner: format!("embedded-{}", ids.next()),
        ids: Arc::clone(ids),
    })
}

/// Relay, local bus and router. The router wakes the moment the relay has delivered.
fn start_bus(
    app: &Arc<App>,
    db: &Db,
    neighbours: Vec<Heard>,
    life: &Lifecycle,
) -> (Arc<dyn EventPublisher>, DeadLetterQueue) {
    let clock = Arc::clone(&app.deps().clock);
    let store = Arc::new(db.clone());
    let router = router(app, store.clone());
    let mut bus = LocalBus::new(clock.clone(), required());
    let mut wakes = Vec::new();
    for (binding, wake) in router.bindings() {
        wakes.push(Arc::clone(&wake));
        bus = bus.bind(binding, store.clone(), wake);
    }
    for heard in neighbours {
        bus = bus.bind(heard.binding, heard.inbox, heard.wake);
    }
    let bus: Arc<dyn EventPublisher> = Arc::new(bus);
    start_relay(app, store.clone(), Arc::clone(&bus), life);
    life.spawn_named("router", router.run(life.soft()));
    start_retention(db, clock.clone(), life);
    (bus, DeadLetterQueue::new(store, clock, wakes))
}

/// Answers the key of the first workspace if there was none before.
async fn first_key(
    settings: &Settings,
    dir: &Path,
    db: &Db,
    clock: &dyn Clock,
) -> Result<Option<String>, StartError> {
    let (key, made) = match &settings.api_key {
        Some(key) => (key.expose_secret().to_owned(), false),
        None => secrets::stored_key(dir)?,
    };
    know_key(db, &key, clock).await?;
    Ok(made.then_some(key))
}

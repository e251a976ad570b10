//! One replica of the service on PostgreSQL, MongoDB and RabbitMQ.

use std::{net::SocketAddr, sync::Arc};

use adapter_files::{DiskBlobs, DiskSpool, TabularFormats};
use adapter_mongo::{MongoContacts, MongoSettings, MongoStartError};
use adapter_rabbitmq::{RabbitBus, RabbitStartError};
use adapter_sql::pg::{Db, Idempotency, Tables};
use messaging::{AllDeadLetters, DeadLetterQueue};
use ports::{Clock, IdGenerator, StoreError, bus::DeadLetters};
use runtime::{Lifecycle, Readiness, Snowflakes, SystemClock};
use service_kit::{Service, check_broker, listen_to_replicas};
use settings::{ExposeSecret, Servers, Settings, SettingsError};
use tokio::runtime::Handle;

use super::{
    Doors, Running, StartError, customer_events_kept, files, know_key, required, router, secrets,
    server, start_relay, start_retention,
};
use crate::{
    application::{App, Deps, StepSizes},
    consumers::{CUSTOMERS, NOTIFICATIONS},
    workers,
};

/// Why a server cannot be used; the message begins with the key that names it.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The relational database.
    #[error("postgres.url: {}", told(.0))]
    Postgres(#[source] StoreError),
    /// The contact store.
    #[error("mongodb.url: {0}")]
    Mongodb(#[source] MongoStartError),
    /// The broker.
    #[error("rabbitmq.url: {0}")]
    Rabbitmq(#[source] RabbitStartError),
}

/// An error with what caused it, in one line.
fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn database(settings: &Settings) -> Result<Db, StartError> {
    let postgres = service_kit::postgres(settings, Tables::default())?;
    Ok(Db::open(&postgres).map_err(ServerError::Postgres)?)
}

async fn contacts(settings: &Settings, servers: &Servers) -> Result<MongoContacts, ServerError> {
    let url = servers.mongodb_url.expose_secret();
    let mongo = MongoSettings::new(url, &settings.mongodb.database);
    MongoContacts::open(&mongo)
        .await
        .map_err(ServerError::Mongodb)
}

/// The program of one replica.
pub struct AudienceService(Running);

impl Service for AudienceService {
    const NAME: &'static str = "audience-service";
    type Error = StartError;

    fn check(settings: &Settings) -> Result<(), SettingsError> {
        settings.servers()?;
        service_kit::postgres(settings, Tables::default())?;
        service_kit::rabbitmq(settings).map(drop)
    }

    async fn migrate(settings: &Settings) -> Result<(), StartError> {
        let servers = settings.servers()?;
        let db = database(settings)?;
        db.migrate().await.map_err(ServerError::Postgres)?;
        contacts(settings, &servers).await?;
        Ok(())
    }

    async fn start(settings: &Settings) -> Result<Self, StartError> {
        Running::replica(settings).await.map(Self)
    }

    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn lifecycle(&self) -> &Lifecycle {
        self.0.lifecycle()
    }

    async fn stop(self) -> bool {
        self.0.stop().await
    }
}

impl Running {
    /// Starts one replica. When this returns, it answers; what other replicas left behind is repaired
    /// as soon as their leases have run out.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn replica(settings: &Settings) -> Result<Self, StartError> {
        let servers = settings.servers()?;
        let roles = servers.roles;
        let db = database(settings)?;
        db.migrate().await.map_err(ServerError::Postgres)?;
        let contacts = contacts(settings, &servers).await?;
        let listener = db.listen().await.map_err(ServerError::Postgres)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Snowflakes::new(listener.node(), Arc::clone(&clock))
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        let ids: Arc<dyn IdGenerator> = Arc::new(ids);
        let deps = deps(settings, &db, &contacts, &clock, &ids, listener.node())?;
        let app = Arc::new(App::new(deps));
        let life = Lifecycle::new(Handle::current());
        ready_when(&life.readiness(), &db);
        listen_to_replicas(listener, app.wake().clone(), &life);
        let dead_letters = start_bus(settings, &servers, &app, &db, &life).await?;
        if roles.workers {
            workers::start(&app, &life, settings.workers.operations);
        }
        if let Some(key) = &settings.api_key {
            know_key(&db, key.expose_secret(), clock.as_ref()).await?;
        }
        let doors = Doors {
            authenticator: server::authenticator(settings, Arc::new(db.clone()), false),
            idempotency: Arc::new(Idempotency::new(db, clock, ids)),
            secrets: secrets::Secrets::of(servers.key.expose_secret()),
            dead_letters,
            api: roles.api,
            neighbours: Vec::new(),
        };
        let server = server::start(settings, &app, doors, &life)?;
        Ok(Self {
            address: server.address(),
            made_key: None,
            life,
            server,
        })
    }
}

fn deps(
    settings: &Settings,
    db: &Db,
    contacts: &MongoContacts,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
    node: u16,
) -> Result<Deps, StartError> {
    let dir = settings.data_dir.as_path();
    std::fs::create_dir_all(dir).map_err(StartError::DataDir)?;
    Ok(Deps {
        store: Arc::new(db.clone()),
        queries: Arc::new(db.clone()),
        contacts: Arc::new(contacts.clone()),
        blobs: Arc::new(DiskBlobs::new(dir.join("files")).map_err(files)?),
        spool: Arc::new(DiskSpool::new(dir.join("scratch")).map_err(files)?),
        formats: Arc::new(TabularFormats),
        clock: Arc::clone(clock),
        steps: StepSizes::default(),
        customer_events_kept: customer_events_kept(settings),
        owner: format!("replica-{node}-{}", ids.next()),
        ids: Arc::clone(ids),
    })
}

/// Without the database nothing can be answered. Without the contact store the rest can, and without
/// the broker everything: events wait in the outbox.
fn ready_when(readiness: &Readiness, db: &Db) {
    let db = db.clone();
    readiness.register("postgres", move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
}

/// The broker feeds the inbox; the router works it off.
async fn start_bus(
    settings: &Settings,
    servers: &Servers,
    app: &Arc<App>,
    db: &Db,
    life: &Lifecycle,
) -> Result<DeadLetterQueue, StartError> {
    let clock = Arc::clone(&app.deps().clock);
    let store = Arc::new(db.clone());
    let mut bus = RabbitBus::new(service_kit::rabbitmq(settings)?, clock.clone(), required());
    let mut wakes = Vec::new();
    let router = router(app, store.clone());
    if servers.roles.consumers {
        for (binding, wake) in router.bindings() {
            wakes.push(Arc::clone(&wake));
            bus = bus.bind(binding, store.clone(), wake);
        }
    }
    check_broker(&bus, settings)
        .await
        .map_err(ServerError::Rabbitmq)?;
    let dead: Vec<Arc<dyn DeadLetters>> =
        vec![store.clone(), bus.dead_letters([NOTIFICATIONS, CUSTOMERS])];
    if servers.roles.relay {
        start_relay(app, store.clone(), bus.publisher(), life);
        start_retention(db, clock.clone(), life);
    }
    if servers.roles.consumers {
        life.spawn_named("router", router.run(life.soft()));
    }
    life.spawn_named("rabbitmq", bus.run(life.soft()));
    let dead = Arc::new(AllDeadLetters::new(dead));
    Ok(DeadLetterQueue::new(dead, clock, wakes))
}

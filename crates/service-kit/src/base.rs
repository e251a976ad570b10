//! A service on a database of its own and the broker: outbox, inbox, health.

use std::{io, net::SocketAddr, sync::Arc};

use actix_web::web::ServiceConfig;
use adapter_rabbitmq::{RabbitBus, RabbitSettings, RabbitStartError};
use adapter_sql::pg::{self, Db, Tables};
use events::REQUIRED_SUBSCRIBERS;
use http_kit::Server;
use messaging::{OutboxRelay, Retention, RetentionSettings, Router, Signal};
use ports::{
    Clock, StoreError,
    bus::{InboxStore, Subscribers, Subscription},
};
use runtime::{Lifecycle, SystemClock};
use settings::{ExposeSecret, Roles, Settings, SettingsError};
use tokio::runtime::Handle;

/// Threads that serve HTTP, where the settings do not say.
const HTTP_WORKERS: usize = 2;

/// Why a service does not start; the message names the key.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// A setting is missing or malformed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be used.
    #[error("postgres.url")]
    Postgres(#[source] StoreError),
    /// The broker cannot be used.
    #[error("rabbitmq.url")]
    Rabbitmq(#[source] RabbitStartError),
    /// The address cannot be listened on.
    #[error("listen: {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// What a service stands on before it serves.
pub struct Ground {
    /// Its database, brought up to date.
    pub db: Db,
    /// Start and end of the process.
    pub life: Lifecycle,
    /// What this replica does.
    pub roles: Roles,
}

impl Ground {
    /// Opens the database and brings these tables up to date.
    ///
    /// # Errors
    /// See [`BaseError`].
    pub async fn open(settings: &Settings, tables: Tables) -> Result<Self, BaseError> {
        let db = database(settings, tables).await?;
        let life = Lifecycle::new(Handle::current());
        let asked = db.clone();
        life.readiness().register("postgres", move || {
            let db = asked.clone();
            async move { db.ping().await.map_err(|error| error.to_string()) }
        });
        let roles = settings.roles()?;
        Ok(Self { db, life, roles })
    }

    /// Starts everything that the replica's roles ask for: `consumers` adds what the service listens to,
    /// `routes` its paths; `outbox` wakes the relay.
    ///
    /// # Errors
    /// See [`BaseError`].
    pub async fn serve(
        self,
        settings: &Settings,
        outbox: Signal,
        consumers: impl FnOnce(Router) -> Router,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Result<Base, BaseError> {
        start_bus(settings, &self, outbox, consumers).await?;
        let address = settings.listen;
        let workers = settings.workers.http.unwrap_or(HTTP_WORKERS);
        let server = Server::start(address, workers, &self.life, routes)
            .map_err(|source| BaseError::Listen { address, source })?;
        let life = self.life;
        Ok(Base { life, server })
    }
}

/// A running service.
pub struct Base {
    life: Lifecycle,
    server: Server,
}

impl Base {
    /// Whether the settings hold what a service needs.
    ///
    /// # Errors
    /// Names the key.
    pub fn check(settings: &Settings) -> Result<(), SettingsError> {
        postgres(settings, Tables::default())?;
        rabbitmq(settings)?;
        settings.roles().map(drop)
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    /// See [`BaseError`].
    pub async fn migrate(settings: &Settings) -> Result<(), BaseError> {
        database(settings, Tables::Messaging).await.map(drop)
    }

    /// Starts a service that has no paths of its own; `consumers` adds what it listens to.
    ///
    /// # Errors
    /// See [`BaseError`].
    pub async fn start(
        settings: &Settings,
        consumers: impl FnOnce(Router) -> Router,
    ) -> Result<Self, BaseError> {
        let ground = Ground::open(settings, Tables::Messaging).await?;
        ground
            .serve(settings, Signal::default(), consumers, |_| {})
            .await
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Start and end of the process.
    pub const fn lifecycle(&self) -> &Lifecycle {
        &self.life
    }

    /// Stops; `true` when everything ended in time.
    pub async fn stop(self) -> bool {
        self.server.stop(&self.life).await
    }
}

/// How the settings say that the database is reached.
///
/// # Errors
/// Names the key that is missing, malformed or of no use.
pub fn postgres(settings: &Settings, tables: Tables) -> Result<pg::Settings, SettingsError> {
    let mut postgres = pg::Settings::new(settings.database()?.expose_secret());
    if let Some(file) = &settings.postgres.ca_file {
        let trusting = postgres.trusting(file);
        postgres = trusting.map_err(|error| SettingsError::Unusable {
            key: "postgres.ca_file",
            reason: error.to_string(),
        })?;
    }
    postgres.tables = tables;
    postgres.schema.clone_from(&settings.postgres.schema);
    postgres.max_connections = settings.postgres.max_connections;
    Ok(postgres)
}

/// How the settings say that the broker is reached.
///
/// # Errors
/// Names the key that is missing, malformed or of no use.
pub fn rabbitmq(settings: &Settings) -> Result<RabbitSettings, SettingsError> {
    let url = settings.broker()?;
    let mut rabbit = RabbitSettings::new(url.expose_secret(), &settings.rabbitmq.prefix);
    if let Some(file) = &settings.rabbitmq.ca_file {
        rabbit = rabbit.and_then(|rabbit| rabbit.trusting(file));
    }
    rabbit.map_err(|error| SettingsError::Unusable {
        key: match error {
            RabbitStartError::Prefix => "rabbitmq.prefix",
            RabbitStartError::Authorities { .. } => "rabbitmq.ca_file",
            _ => "rabbitmq.url",
        },
        reason: error.to_string(),
    })
}

async fn database(settings: &Settings, tables: Tables) -> Result<Db, BaseError> {
    let db = Db::open(&postgres(settings, tables)?).map_err(BaseError::Postgres)?;
    db.migrate().await.map_err(BaseError::Postgres)?;
    Ok(db)
}

async fn start_bus(
    settings: &Settings,
    ground: &Ground,
    outbox: Signal,
    consumers: impl FnOnce(Router) -> Router,
) -> Result<(), BaseError> {
    let Ground { db, life, roles } = ground;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(db.clone());
    let mut bus = RabbitBus::new(rabbitmq(settings)?, clock.clone(), required());
    let inbox: Arc<dyn InboxStore> = store.clone();
    let router = consumers(Router::new(inbox.clone(), clock.clone()));
    if roles.consumers {
        for (binding, wake) in router.bindings() {
            bus = bus.bind(binding, inbox.clone(), wake);
        }
    }
    check_broker(&bus, settings)
        .await
        .map_err(BaseError::Rabbitmq)?;
    if roles.relay {
        let relay = OutboxRelay::new(store.clone(), bus.publisher(), clock.clone(), outbox);
        let keep = RetentionSettings::default();
        let retention = Retention::new(store.clone(), store, clock, keep);
        life.spawn_named("relay", relay.run(life.soft()));
        life.spawn_named("retention", retention.run(life.soft()));
    }
    if roles.consumers {
        life.spawn_named("router", router.run(life.soft()));
    }
    life.spawn_named("rabbitmq", bus.run(life.soft()));
    Ok(())
}

/// Checks the broker before a start. One that may be away and is stops nothing: events wait in the outbox.
///
/// # Errors
/// See [`RabbitBus::check`].
pub async fn check_broker(bus: &RabbitBus, settings: &Settings) -> Result<(), RabbitStartError> {
    match bus.check().await {
        Err(error) if error.is_transient() && settings.rabbitmq.may_be_away => {
            tracing::warn!(%error, "rabbitmq.url");
            Ok(())
        }
        checked => checked,
    }
}

/// Who must listen to what, as every service's relay knows it.
fn required() -> Subscribers {
    REQUIRED_SUBSCRIBERS.iter().fold(
        Subscribers::default(),
        |all, (event, subscription): &(&str, &'static str)| {
            all.require(event, Subscription::from_static(subscription))
        },
    )
}

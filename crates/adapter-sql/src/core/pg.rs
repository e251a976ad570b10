//! PostgreSQL.

use std::{path::Path, time::Duration};

use diesel::{ConnectionError, ConnectionResult, dsl::sql, select};
use diesel_async::{
    AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
    async_connection_wrapper::AsyncConnectionWrapper,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig,
        deadpool::{Object, Pool},
    },
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::shared::Instant;
use futures::{FutureExt, future::BoxFuture};
use ports::{BoxError, StoreError};
use rustls::RootCertStore;

use crate::{
    context::{Context, Migrations},
    core::{
        error,
        home::Home,
        types::{At, UtcMillis},
    },
};

mod cursor;
mod dialect;
mod link;
mod listener;
#[expect(
    clippy::duplicate_mod,
    reason = "one query source, compiled once per database"
)]
#[path = "../repositories.rs"]
mod repositories;

use link::Link;
pub use listener::{Listener, Notice};
pub use repositories::Idempotency;

pub(crate) type Conn = AsyncPgConnection;
pub(crate) type Backend = diesel::pg::Pg;
/// A connection on which one transaction is written.
pub(crate) type Held = Object<Conn>;
/// A connection for reading.
pub(crate) type Reader = Object<Conn>;

/// How to reach the database, and how long to wait for it.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://user:password@host/database?sslmode=require`; holds a secret.
    pub url: String,
    authorities: RootCertStore,
    /// Schema that holds the tables, made when it is missing; `None` for the server's default.
    pub schema: Option<String>,
    /// Most connections at a time.
    pub max_connections: usize,
    /// Longest wait for a free or new connection.
    pub acquire_timeout: Duration,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
    /// Longest wait for a row lock.
    pub lock_timeout: Duration,
}

impl Settings {
    /// The default limits for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            authorities: RootCertStore::empty(),
            schema: None,
            max_connections: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
        }
    }

    /// Lets authorities whose certificates are in this file (PEM) vouch for the server, beside the
    /// system's. The file is read now, and not again.
    ///
    /// # Errors
    /// What is wrong when it cannot be read, or holds no certificate or a broken one.
    pub fn trusting(mut self, ca_file: &Path) -> Result<Self, BoxError> {
        let told = |error| format!("certificates in {}: {error}", ca_file.display());
        self.authorities = link::authorities(ca_file).map_err(told)?;
        Ok(self)
    }
}

/// The database of one service. Clones share one pool.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Conn>,
    link: Link,
    settings: Settings,
}

impl Db {
    /// Sets the pool up. Nothing is connected before the first use.
    ///
    /// # Errors
    /// `Internal` when the settings make no pool, `Unavailable` when the URL is malformed.
    pub fn open(settings: &Settings) -> Result<Self, StoreError> {
        let mut config = ManagerConfig::<Conn>::default();
        let link = Link::new(&settings.url, &settings.authorities).map_err(error::setup)?;
        let (home, session, pooled) = (Home::here(), session(settings), link.clone());
        config.custom_setup =
            Box::new(move |_| home.connect(establish(pooled.clone(), session.clone())));
        let manager = AsyncDieselConnectionManager::new_with_config(&settings.url, config);
        let pool = Pool::builder(manager)
            .max_size(settings.max_connections)
            .wait_timeout(Some(settings.acquire_timeout))
            .create_timeout(Some(settings.acquire_timeout))
            .recycle_timeout(Some(settings.acquire_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        Ok(Self {
            pool,
            link,
            settings: settings.clone(),
        })
    }

    /// Brings the tables of these contexts up to date. Processes that start together take turns.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached, or a migration fails.
    pub async fn migrate(&self, contexts: &'static [Context]) -> Result<(), StoreError> {
        let of = migrations;
        let session = migration_session(&self.settings);
        let conn = establish(self.link.clone(), session).await;
        let mut conn = AsyncConnectionWrapper::<Conn>::from(conn.map_err(error::setup)?);
        let run = move || {
            conn.run_pending_migrations(Migrations { contexts, of })
                .map(drop)
        };
        tokio::task::spawn_blocking(run)
            .await
            .map_err(error::unavailable)?
            .map_err(error::setup)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut conn = self.reader().await?;
        conn.batch_execute("SELECT 1").await.map_err(error::store)
    }

    /// What time it is for the server.
    ///
    /// # Errors
    /// `Unavailable` when it does not answer.
    pub async fn time(&self) -> Result<Instant, StoreError> {
        let mut conn = self.reader().await?;
        let time = select(sql::<UtcMillis>("clock_timestamp()"));
        let At(time) = time.get_result(&mut conn).await.map_err(error::store)?;
        Ok(time)
    }

    async fn hold(&self) -> Result<Held, StoreError> {
        self.pool.get().await.map_err(error::unavailable)
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        self.pool.get().await.map_err(error::unavailable)
    }
}

const fn migrations(context: Context) -> EmbeddedMigrations {
    const MESSAGING: EmbeddedMigrations = embed_migrations!("migrations/messaging/postgres");
    const OPERATIONS: EmbeddedMigrations = embed_migrations!("migrations/operations/postgres");
    const AUDIENCE: EmbeddedMigrations = embed_migrations!("migrations/audience/postgres");
    const CUSTOMER: EmbeddedMigrations = embed_migrations!("migrations/customer/postgres");
    const IMPORTING: EmbeddedMigrations = embed_migrations!("migrations/importing/postgres");
    const SCHEDULING: EmbeddedMigrations = embed_migrations!("migrations/scheduling/postgres");
    const SENDING: EmbeddedMigrations = embed_migrations!("migrations/sending/postgres");
    match context {
        Context::Messaging => MESSAGING,
        Context::Operations => OPERATIONS,
        Context::Audience => AUDIENCE,
        Context::Customer => CUSTOMER,
        Context::Importing => IMPORTING,
        Context::Scheduling => SCHEDULING,
        Context::Sending => SENDING,
    }
}

/// What every session sets before its first statement. Compiling a statement takes longer than what it saves:
/// the planner thinks much of small tables with many joins.
fn session(settings: &Settings) -> String {
    format!(
        "SET jit = off; SET statement_timeout = {}; SET lock_timeout = {}; \
         SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning; {}",
        settings.statement_timeout.as_millis(),
        settings.lock_timeout.as_millis(),
        search_path(settings),
    )
}

/// What a session sets before it migrates: it may run long, but alone.
fn migration_session(settings: &Settings) -> String {
    let create = quoted_schema(settings).map_or_else(String::new, |schema| {
        format!("CREATE SCHEMA IF NOT EXISTS {schema};")
    });
    format!(
        "SELECT pg_advisory_lock(hashtext('plateia.migrate')); \
         SET client_min_messages = warning; {create} {}",
        search_path(settings),
    )
}

fn search_path(settings: &Settings) -> String {
    quoted_schema(settings).map_or_else(String::new, |schema| format!("SET search_path = {schema}"))
}

fn quoted_schema(settings: &Settings) -> Option<String> {
    settings
        .schema
        .as_ref()
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
}

fn establish(link: Link, session: String) -> BoxFuture<'static, ConnectionResult<Conn>> {
    async move {
        let mut conn = link.connect().await?;
        conn.batch_execute(&session)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
    .boxed()
}

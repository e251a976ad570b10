//! SQLite: one writer connection, and a few for reading that never wait for it.

use std::{
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::Arc,
};

use diesel::{Connection, ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::{
    AsyncConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig,
        deadpool::{Object, Pool},
    },
    sync_connection_wrapper::SyncConnectionWrapper,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use futures::{FutureExt, future::BoxFuture};
use ports::{StoreError, store::Durability};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    context::{Context, Migrations},
    core::{error, home::Home},
};

mod cursor;
mod dialect;
#[expect(
    clippy::duplicate_mod,
    reason = "one query source, compiled once per database"
)]
#[path = "../repositories.rs"]
mod repositories;

pub use repositories::Idempotency;

pub(crate) type Conn = SyncConnectionWrapper<SqliteConnection>;
pub(crate) type Backend = diesel::sqlite::Sqlite;
/// The writer connection, for one transaction.
pub(crate) type Held = OwnedMutexGuard<Writer>;
/// A connection for reading.
pub(crate) type Reader = Object<Conn>;

/// Connections for reading.
const READERS: usize = 4;

/// The cache is counted in KiB when negative; the journal is cut back to its limit after a checkpoint.
const WRITER_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4000; \
     PRAGMA journal_size_limit = 67108864";
const READER_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; \
     PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000";

/// The one connection that writes.
pub(crate) struct Writer {
    conn: Conn,
    /// What `PRAGMA synchronous` was set for last.
    durability: Option<Durability>,
    /// Whether a transaction may be open that nobody owns any more.
    dirty: bool,
}

impl Deref for Writer {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

/// The database file of one service. Clones share its connections.
#[derive(Clone)]
pub struct Db {
    writer: Arc<Mutex<Writer>>,
    readers: Pool<Conn>,
    path: PathBuf,
}

impl Db {
    /// Opens the file, and creates it where it is missing. No other process may write to it.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be opened.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let url = path
            .to_str()
            .ok_or_else(|| error::setup("the path is not UTF-8"))?;
        let conn = establish(url.to_owned(), WRITER_SETUP)
            .await
            .map_err(error::setup)?;
        let mut config = ManagerConfig::<Conn>::default();
        let home = Home::here();
        config.custom_setup =
            Box::new(move |url| home.connect(establish(url.to_owned(), READER_SETUP)));
        let manager = AsyncDieselConnectionManager::new_with_config(url, config);
        let readers = Pool::builder(manager)
            .max_size(READERS)
            .build()
            .map_err(|e| StoreError::Internal(Box::new(e)))?;
        let writer = Writer {
            conn,
            durability: None,
            dirty: false,
        };
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            readers,
            path: path.to_owned(),
        })
    }

    /// Brings the tables of these contexts up to date, all or nothing. Processes that start together take turns.
    ///
    /// # Errors
    /// `Unavailable` when a migration fails.
    pub async fn migrate(&self, contexts: &'static [Context]) -> Result<(), StoreError> {
        let _turn = self.writer.lock().await;
        let (path, of) = (self.path.clone(), migrations);
        let run = move || -> Result<(), ports::BoxError> {
            let mut conn = <SqliteConnection as Connection>::establish(&path.to_string_lossy())?;
            diesel::connection::SimpleConnection::batch_execute(&mut conn, WRITER_SETUP)?;
            conn.immediate_transaction(|conn| {
                conn.run_pending_migrations(Migrations { contexts, of })
                    .map(drop)
                    .map_err(diesel::result::Error::QueryBuilderError)
            })?;
            Ok(())
        };
        tokio::task::spawn_blocking(run)
            .await
            .map_err(error::unavailable)?
            .map_err(error::setup)
    }

    async fn hold(&self) -> Result<Held, StoreError> {
        Ok(Arc::clone(&self.writer).lock_owned().await)
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        self.readers.get().await.map_err(error::unavailable)
    }
}

const fn migrations(context: Context) -> EmbeddedMigrations {
    const MESSAGING: EmbeddedMigrations = embed_migrations!("migrations/messaging/sqlite");
    const OPERATIONS: EmbeddedMigrations = embed_migrations!("migrations/operations/sqlite");
    const AUDIENCE: EmbeddedMigrations = embed_migrations!("migrations/audience/sqlite");
    const CUSTOMER: EmbeddedMigrations = embed_migrations!("migrations/customer/sqlite");
    const IMPORTING: EmbeddedMigrations = embed_migrations!("migrations/importing/sqlite");
    const SCHEDULING: EmbeddedMigrations = embed_migrations!("migrations/scheduling/sqlite");
    const SENDING: EmbeddedMigrations = embed_migrations!("migrations/sending/sqlite");
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

fn establish(url: String, setup: &'static str) -> BoxFuture<'static, ConnectionResult<Conn>> {
    async move {
        let mut conn = Conn::establish(&url).await?;
        conn.batch_execute(setup)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
    .boxed()
}

//! Connecting: durability, time limits, and what a server must be.

use std::{sync::Arc, time::Duration};

use mongodb::{
    Client, Collection, Database, IndexModel,
    bson::{Document as Bson, RawDocumentBuf, doc},
    options::{
        ClientOptions, IndexOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
    },
};
use ports::StoreError;

use crate::{
    error,
    pace::Pace,
    rows::{CONTACTS, PAGE_INDEXES, TOMBSTONES},
};

/// Longest wait for a primary.
const SELECTION: Duration = Duration::from_secs(5);
/// Longest wait for a connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Connections kept idle no longer than this.
const IDLE: Duration = Duration::from_secs(300);
/// Most connections of one process.
const CONNECTIONS: u32 = 32;

/// Where the contacts are.
#[derive(Clone)]
pub struct MongoSettings {
    /// Connection string; may hold a password.
    pub url: String,
    /// Name of the database.
    pub database: String,
    /// How long a server that answers again may take for what came at the same time.
    pub backlog: Duration,
}

impl MongoSettings {
    /// With the default limits.
    pub fn new(url: impl Into<String>, database: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            database: database.into(),
            backlog: Duration::from_secs(2),
        }
    }
}

impl std::fmt::Debug for MongoSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MongoSettings")
            .field("url", &"[REDACTED]")
            .field("database", &self.database)
            .field("backlog", &self.backlog)
            .finish()
    }
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MongoStartError {
    /// The connection string is malformed.
    #[error("the connection string is malformed")]
    Url,
    /// Nobody answers.
    #[error("no MongoDB primary answers within {} s", SELECTION.as_secs())]
    Unreachable(#[source] StoreError),
    /// It answers, but refuses.
    #[error("MongoDB refuses: {0}")]
    Refused(#[source] StoreError),
    /// Majority writes and retries need a replica set.
    #[error("MongoDB runs standalone; a replica set is needed, if only of one node (--replSet)")]
    Standalone,
    /// Older than 6.0.
    #[error("MongoDB {0} is too old; 6.0 or later is needed")]
    TooOld(String),
}

/// Contacts in MongoDB.
#[derive(Debug, Clone)]
pub struct MongoContacts {
    pub(crate) database: Database,
    pub(crate) pace: Arc<Pace>,
    pub(crate) backlog: Duration,
}

impl MongoContacts {
    /// Connects, checks the server, and makes what indexes are missing.
    ///
    /// # Errors
    /// See [`MongoStartError`]. Ends within seconds.
    pub async fn open(settings: &MongoSettings) -> Result<Self, MongoStartError> {
        let mut options = ClientOptions::parse(&settings.url)
            .await
            .map_err(|_| MongoStartError::Url)?;
        options.app_name = Some("plateia".to_owned());
        options.server_selection_timeout = Some(SELECTION);
        options.connect_timeout = Some(CONNECT);
        options.max_idle_time = Some(IDLE);
        options.max_pool_size.get_or_insert(CONNECTIONS);
        options.retry_writes = Some(true);
        options.retry_reads = Some(true);
        options.write_concern = Some(
            WriteConcern::builder()
                .w(mongodb::options::Acknowledgment::Majority)
                .journal(true)
                .build(),
        );
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria =
            Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        let client = Client::with_options(options).map_err(|_| MongoStartError::Url)?;
        let contacts = Self {
            database: client.database(&settings.database),
            pace: Arc::default(),
            backlog: settings.backlog,
        };
        contacts.check().await?;
        contacts.make_indexes().await.map_err(refused)?;
        Ok(contacts)
    }

    /// Whether a primary answers.
    ///
    /// # Errors
    /// `Unavailable` when none does.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let ping = self.database.run_command(doc! { "ping": 1 });
        ping.await.map(drop).map_err(error::store)
    }

    async fn check(&self) -> Result<(), MongoStartError> {
        let hello = self.database.run_command(doc! { "hello": 1 });
        let hello = hello.await.map_err(|e| refused(error::store(e)))?;
        let router = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        if !hello.contains_key("setName") && !router {
            return Err(MongoStartError::Standalone);
        }
        let build = self.database.run_command(doc! { "buildInfo": 1 });
        let build = build.await.map_err(|e| refused(error::store(e)))?;
        let version = build.get_str("version").unwrap_or_default();
        let major = version.split('.').next().and_then(|part| part.parse().ok());
        match major {
            Some(0..6) => Err(MongoStartError::TooOld(version.to_owned())),
            _ => Ok(()),
        }
    }

    async fn make_indexes(&self) -> Result<(), StoreError> {
        let options = IndexOptions::builder().name("by_person".to_owned()).build();
        let by_person = IndexModel::builder()
            .keys(doc! { "k": 1, "d": 1 })
            .options(options)
            .build();
        let contacts = self.contacts();
        contacts
            .create_index(by_person)
            .await
            .map(drop)
            .map_err(error::store)
    }

    pub(crate) fn contacts(&self) -> Collection<RawDocumentBuf> {
        self.database.collection(CONTACTS)
    }

    pub(crate) fn stones(&self) -> Collection<RawDocumentBuf> {
        self.database.collection(TOMBSTONES)
    }

    pub(crate) fn page_indexes(&self) -> Collection<Bson> {
        self.database.collection(PAGE_INDEXES)
    }
}

fn refused(error: StoreError) -> MongoStartError {
    match error {
        StoreError::Unavailable(_) => MongoStartError::Unreachable(error),
        error => MongoStartError::Refused(error),
    }
}

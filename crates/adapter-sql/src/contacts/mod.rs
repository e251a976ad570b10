//! Contacts in one SQLite file.
//!
//! Rows lie in the order of their keys (`WITHOUT ROWID`), so a page is one seek and a run of leaves.
//! One thread writes; interactive work goes before bulk work, and bulk transactions are short, so that
//! nobody who waits for an answer waits long. Readers have connections of their own.

mod body;
mod reads;
mod schema;
mod statements;
mod store;
mod writer;
mod writes;

use std::{path::PathBuf, sync::Arc};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use ports::StoreError;

pub use body::encode;
pub use schema::{DDL, WRITER_SETUP};

use crate::core::error;
use reads::Readers;
use writer::Writer;

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit survives a loss of power.
    Full,
    /// Nothing waits; for tests.
    Off,
}

/// How to open the file.
#[derive(Debug, Clone)]
pub struct ContactsOptions {
    /// The file; made where it is missing.
    pub path: PathBuf,
    /// Whether commits wait for the disk.
    pub synchronous: Synchronous,
    /// Connections that read.
    pub readers: usize,
}

impl ContactsOptions {
    /// Durable, four readers.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            synchronous: Synchronous::Full,
            readers: 4,
        }
    }
}

/// Contacts in one SQLite file. No other process may write to it. Clones share everything.
#[derive(Clone)]
pub struct SqliteContacts {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

impl SqliteContacts {
    /// Opens the file, and brings its tables up to date.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be opened; `Corrupt` when a newer version wrote it.
    pub async fn open(options: ContactsOptions) -> Result<Self, StoreError> {
        let opened = move || {
            let mut conn = connect(&options, schema::WRITER_SETUP)?;
            schema::migrate(&mut conn)?;
            let readers = Readers::new(&options)?;
            Ok(Self {
                writer: Arc::new(Writer::start(conn)),
                readers: Arc::new(readers),
            })
        };
        tokio::task::spawn_blocking(opened)
            .await
            .map_err(error::unavailable)?
    }
}

fn connect(options: &ContactsOptions, setup: &str) -> Result<SqliteConnection, StoreError> {
    let path = options.path.to_string_lossy();
    let mut conn = SqliteConnection::establish(&path).map_err(error::setup)?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "PRAGMA synchronous = FULL;",
        Synchronous::Off => "PRAGMA synchronous = OFF;",
    };
    conn.batch_execute(setup).map_err(error::setup)?;
    conn.batch_execute(synchronous).map_err(error::setup)?;
    Ok(conn)
}

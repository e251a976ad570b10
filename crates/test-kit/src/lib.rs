//! What tests and rigs stand on: one HTTP client, one proxy, programs as processes, databases, the servers
//! that the environment names, TLS, and the end-to-end scenario.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a set-up that fails is a test that fails"
)]

pub mod bigquery;
pub mod blocking;
pub mod events;
pub mod http;
pub mod openapi;
pub mod place;
pub mod program;
pub mod proxy;
mod raw;
pub mod scenario;
pub mod smtp;
pub mod tables;
pub mod tls;

use std::{ops::Deref, path::Path};

use adapter_sql::{Context, pg, sqlite};
use tempfile::TempDir;

/// Names the PostgreSQL server for tests.
const POSTGRES_URL: &str = "PLATEIA_TEST_POSTGRES_URL";
/// Names the MongoDB replica set for tests.
const MONGODB_URL: &str = "PLATEIA_TEST_MONGODB_URL";
/// Names the broker for tests.
const RABBITMQ_URL: &str = "PLATEIA_TEST_RABBITMQ_URL";
/// `1` lets tests pass without a server.
const SKIP_POSTGRES: &str = "PLATEIA_TEST_SKIP_POSTGRES";

/// A database that goes when the test ends.
pub struct TestDatabase<Db> {
    db: Db,
    dir: TempDir,
}

impl<Db> TestDatabase<Db> {
    /// A directory that goes with the database.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

impl<Db> Deref for TestDatabase<Db> {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// A migrated SQLite database in a temporary directory.
pub async fn sqlite() -> TestDatabase<sqlite::Db> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = sqlite::Db::open(&dir.path().join("control.sqlite"))
        .await
        .expect("a database");
    db.migrate(Context::ALL).await.expect("migrations");
    TestDatabase { db, dir }
}

/// The PostgreSQL server that the environment names; `None`, after saying so, where the environment
/// allows to go without.
///
/// # Panics
/// When the environment neither names a server nor allows to go without.
pub fn postgres_url() -> Option<String> {
    let url = variable(POSTGRES_URL);
    if url.is_none() {
        assert!(
            variable(SKIP_POSTGRES).as_deref() == Some("1"),
            "{POSTGRES_URL} is not set: run `make test`, or set {SKIP_POSTGRES}=1 to skip",
        );
        eprintln!("SKIPPED: {SKIP_POSTGRES}=1, nothing was tested on PostgreSQL");
    }
    url
}

/// A migrated schema of its own in the server of [`postgres_url`].
///
/// # Panics
/// As [`postgres_url`].
pub async fn postgres() -> Option<TestDatabase<pg::Db>> {
    let url = postgres_url()?;
    let dir = tempfile::tempdir().expect("a temporary directory");
    // The name of the directory is unlike any other, in this process and in others.
    let unique = dir
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .replace('.', "");
    let mut settings = pg::Settings::new(url);
    settings.schema = Some(format!("test_{unique}"));
    settings.max_connections = 8;
    let db = pg::Db::open(&settings).expect("a pool");
    db.migrate(Context::ALL).await.expect("migrations");
    Some(TestDatabase { db, dir })
}

/// The broker that the environment names.
///
/// # Panics
/// When it names none.
pub fn rabbitmq_url() -> String {
    required(RABBITMQ_URL)
}

/// The MongoDB replica set that the environment names.
///
/// # Panics
/// When it names none.
pub fn mongodb_url() -> String {
    required(MONGODB_URL)
}

/// The value of a variable of the environment.
///
/// # Panics
/// When it is not set.
pub fn required(name: &str) -> String {
    variable(name).unwrap_or_else(|| {
        panic!("{name} is not set: run `make test`, or `eval \"$(deploy/dev/servers start)\"`")
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings of their own"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

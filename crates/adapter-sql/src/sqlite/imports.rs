//! The tables of imports, for the file of import-job-service.

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use ports::StoreError;

use super::{Db, WRITER_SETUP};
use crate::error;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/imports/sqlite");

impl Db {
    /// Brings the tables of imports up to date, beside those of [`Db::migrate`].
    ///
    /// # Errors
    /// `Unavailable` when a migration fails.
    pub async fn migrate_imports(&self) -> Result<(), StoreError> {
        let _turn = self.writer.lock().await;
        let path = self.path.clone();
        let run = move || -> Result<(), ports::BoxError> {
            let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
            conn.batch_execute(WRITER_SETUP)?;
            conn.immediate_transaction(|conn| {
                conn.run_pending_migrations(MIGRATIONS)
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
}

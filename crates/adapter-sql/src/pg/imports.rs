//! The tables of imports, for the database of import-job-service.

use diesel::Connection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use ports::StoreError;

use super::{Conn, Db, migration_session};
use crate::error;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/imports/postgres");

impl Db {
    /// Brings the tables of imports up to date, beside those of [`Db::migrate`].
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached, or a migration fails.
    pub async fn migrate_imports(&self) -> Result<(), StoreError> {
        let settings = self.settings.clone();
        let run = move || -> Result<(), ports::BoxError> {
            let mut conn = <AsyncConnectionWrapper<Conn> as Connection>::establish(&settings.url)?;
            let session = migration_session(&settings);
            diesel::connection::SimpleConnection::batch_execute(&mut conn, &session)?;
            conn.run_pending_migrations(MIGRATIONS)?;
            Ok(())
        };
        tokio::task::spawn_blocking(run)
            .await
            .map_err(error::unavailable)?
            .map_err(error::setup)
    }
}

//! The tables of imports, for the database of import-job-service.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use ports::StoreError;

use super::Db;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/imports/postgres");

impl Db {
    /// Brings the tables of imports up to date, beside those of [`Db::migrate`].
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached, or a migration fails.
    pub async fn migrate_imports(&self) -> Result<(), StoreError> {
        self.run_migrations(MIGRATIONS).await
    }
}

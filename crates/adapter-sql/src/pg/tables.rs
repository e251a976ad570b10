//! Which tables a database has.

use diesel::{
    migration::{Migration, MigrationSource, Result},
    pg::Pg,
};
use diesel_migrations::EmbeddedMigrations;

/// Which tables a database has: each service has one of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tables {
    /// All of audience-service's.
    #[default]
    Audience,
    /// Outbox and inbox.
    Messaging,
}

impl Tables {
    fn has(self, version: &str) -> bool {
        match self {
            Self::Audience => true,
            Self::Messaging => version == "0006",
        }
    }
}

/// The migrations that make some tables.
pub(super) struct Migrations {
    pub all: EmbeddedMigrations,
    pub tables: Tables,
}

impl MigrationSource<Pg> for Migrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<Pg>>>> {
        let mut migrations = self.all.migrations()?;
        migrations.retain(|migration| self.tables.has(&migration.name().version().to_string()));
        Ok(migrations)
    }
}

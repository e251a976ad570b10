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
    /// Operations, requests, outbox and inbox: what imports stand on.
    Imports,
}

impl Tables {
    fn has(self, version: &str) -> bool {
        match self {
            Self::Audience => true,
            Self::Messaging => version == "0006",
            // The first has the workspaces, which keys refer to.
            Self::Imports => [
                "0001", "0002", "0003", "0006", "0007", "0009", "0012", "0050",
            ]
            .contains(&version),
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

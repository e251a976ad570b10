//! What a database holds.

use diesel::{
    backend::Backend,
    migration::{Migration, MigrationSource, Result},
};
use diesel_migrations::EmbeddedMigrations;

/// Tables that belong together. A service's database has those of the contexts that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Outbox and inbox.
    Messaging,
    /// Long operations, what is remembered of requests, and API keys.
    Operations,
    /// Audiences and what uses them, settings of workspaces, notifications, feeds, outcomes and uploads. Stands
    /// on operations.
    Audience,
    /// Customers and what they did. Stands on audiences: settings say how values are written.
    Customer,
    /// Clients, runs and the rows that were imported. Stands on operations.
    Importing,
    /// Communications, their occurrences and recipients. Stands on operations.
    Scheduling,
    /// What a sender was asked to send.
    Sending,
}

impl Context {
    /// Every context.
    pub const ALL: &[Self] = &[
        Self::Messaging,
        Self::Operations,
        Self::Audience,
        Self::Customer,
        Self::Importing,
        Self::Scheduling,
        Self::Sending,
    ];
}

/// The migrations of some contexts. Versions of different contexts are different.
pub(crate) struct Migrations {
    pub contexts: &'static [Context],
    /// Those of one context, for the database at hand.
    pub of: fn(Context) -> EmbeddedMigrations,
}

impl<DB: Backend> MigrationSource<DB> for Migrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<DB>>>> {
        let mut all = Vec::new();
        for context in self.contexts {
            all.extend((self.of)(*context).migrations()?);
        }
        Ok(all)
    }
}

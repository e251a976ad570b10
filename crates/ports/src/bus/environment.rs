//! To which environment a database belongs: a copy of it must not send a second time what the original sends.

use async_trait::async_trait;

use crate::StoreError;

/// The environment of one database.
#[async_trait]
pub trait EnvironmentStore: Send + Sync {
    /// The environment that the database belongs to: `own` from now on, where it belonged to none.
    async fn environment(&self, own: &str) -> Result<String, StoreError>;

    /// Lets the database belong to another one; answers the one before, where there was one.
    async fn adopt(&self, own: &str) -> Result<Option<String>, StoreError>;
}

//! API keys, as the relational store keeps them: by hash only.

use async_trait::async_trait;
use domain::shared::{Instant, WorkspaceId};

use crate::StoreError;

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyOwner {
    /// The workspace it opens.
    pub workspace: WorkspaceId,
    /// Public id of the key, for `key:<id>` as the acting user.
    pub key_id: String,
}

/// API keys.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// The owner of the key with this SHA-256, if there is one.
    async fn owner_of(&self, key_sha256: &[u8; 32]) -> Result<Option<ApiKeyOwner>, StoreError>;

    /// Makes the key known (creating its workspace); again with the same hash: no change.
    async fn ensure(
        &self,
        key_sha256: &[u8; 32],
        owner: &ApiKeyOwner,
        now: Instant,
    ) -> Result<(), StoreError>;
}

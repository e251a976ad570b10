//! Audiences that a request is making: what tells an abandoned one from one that is being filled.

use async_trait::async_trait;
use domain::shared::{AudienceId, WorkspaceId};

use crate::StoreError;

/// A request that makes an audience. It shows nowhere until the request ends the creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// Owner.
    pub workspace: WorkspaceId,
    /// The audience.
    pub audience: AudienceId,
    /// The request; unique.
    pub write_id: i64,
}

/// Creations of one transaction. Whoever ends one decides what becomes of its audience; of two that
/// try, one does.
#[async_trait]
pub trait CreationRepository: Send {
    /// Notes a creation, which counts as abandoned when it has not ended within the lease, by this
    /// store's clock.
    async fn begin(&mut self, creation: &Creation, lease_seconds: u32) -> Result<(), StoreError>;

    /// Ends a creation.
    ///
    /// # Errors
    /// `StaleVersion` when it has ended.
    async fn end(&mut self, audience: AudienceId) -> Result<(), StoreError>;

    /// Ends the creation that an earlier run of a request left behind, if it did.
    async fn end_of_request(&mut self, write_id: i64) -> Result<Option<Creation>, StoreError>;

    /// Ends every lease, as if it had run out. For the start of a process that has the store to itself.
    async fn release(&mut self) -> Result<(), StoreError>;

    /// Ends one creation that counts as abandoned, if there is one.
    async fn end_abandoned(&mut self) -> Result<Option<Creation>, StoreError>;
}

//! Settings of workspaces.

use async_trait::async_trait;
use domain::{shared::WorkspaceId, workspace::WorkspaceSettings};

use crate::StoreError;

/// Settings of one transaction.
#[async_trait]
pub trait WorkspaceRepository: Send {
    /// What holds as of this transaction.
    async fn settings(&mut self, workspace: &WorkspaceId) -> Result<WorkspaceSettings, StoreError>;

    /// Writes all of them.
    ///
    /// # Errors
    /// `StaleVersion` when the stored version is not `expected_version`.
    async fn save(
        &mut self,
        workspace: &WorkspaceId,
        settings: &WorkspaceSettings,
        expected_version: i64,
    ) -> Result<(), StoreError>;
}

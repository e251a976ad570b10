//! What another service knows of workspaces.

use async_trait::async_trait;
use domain::{
    shared::{AudienceId, WorkspaceId},
    workspace::TimeZone,
};

use crate::StoreError;

/// Who and what there is in a workspace, as the service that has it says now.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Those of these numbers that no customer has, in their order.
    async fn unknown_customers(
        &self,
        workspace: &WorkspaceId,
        ids: &[i64],
    ) -> Result<Vec<i64>, StoreError>;

    /// Whether there is such an audience, which is not dropped.
    async fn has_audience(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<bool, StoreError>;

    /// Where the workspace's days are.
    async fn time_zone(&self, workspace: &WorkspaceId) -> Result<TimeZone, StoreError>;
}

use domain::shared::{UserId, WorkspaceId};

/// Who acts, and for which workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The user, or the API key.
    pub user: UserId,
}

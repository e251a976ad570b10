//! When audiences are refreshed by themselves.

use async_trait::async_trait;
use domain::shared::{AudienceId, Instant, WorkspaceId};

use crate::StoreError;

/// A refresh whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRefresh {
    /// Owner.
    pub workspace: WorkspaceId,
    /// What is to be refreshed.
    pub audience: AudienceId,
    /// Since when.
    pub since: Instant,
}

/// The next refreshes of one transaction. [`super::AudienceRepository`] writes them with what it adds and
/// saves: an audience has one exactly while [`domain::audience::Audience::refreshes_by_itself`]. One whose
/// time has come stays due when the audience is saved with the same times.
#[async_trait]
pub trait ScheduleRepository: Send {
    /// Moves a due refresh, or ends it where there is no next one. Answers whether it still was due since
    /// then, so that of several that take it one does.
    async fn reschedule(
        &mut self,
        due: &DueRefresh,
        next: Option<Instant>,
    ) -> Result<bool, StoreError>;
}

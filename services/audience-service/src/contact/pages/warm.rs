use std::sync::Arc;

use domain::shared::{AudienceId, WorkspaceId};

use super::PageIndexes;
use crate::audience::FindAudience;

/// Counts the pages of large audiences before anybody asks for one.
#[derive(Clone)]
pub struct WarmPages {
    pub(crate) find: FindAudience,
    pub(crate) pages: Arc<PageIndexes>,
}

impl WarmPages {
    /// Begins to count those of an audience.
    pub(crate) async fn warm(&self, workspace: &WorkspaceId, id: AudienceId) {
        // Only time is at stake: the first page counts what is not counted yet.
        let Ok(audience) = self.find.any(workspace, id).await else {
            return;
        };
        if let Ok(content) = self.find.content_of(&audience).await {
            self.pages.warm(&content);
        }
    }
}

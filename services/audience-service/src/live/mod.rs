//! Live audiences: their members follow changes of customers, and time.

mod difference;
mod people;
mod plan;
mod workspace;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use domain::shared::{AudienceId, Instant};
use ports::{
    Clock,
    segments::SegmentResolver,
    store::{AudienceQueries, AudienceStore},
};

use crate::{
    AppResult,
    audience::FindAudience,
    contact::write::Writer,
    segment::{ReadConditions, RefreshAudience},
};

/// Most workspaces that are looked at in one round.
const WORKSPACES: i64 = 10_000;

/// Keeps the members of live audiences as their conditions have them.
#[derive(Clone)]
pub struct FollowChanges {
    pub(crate) find: FindAudience,
    pub(crate) read: ReadConditions,
    pub(crate) resolver: Arc<dyn SegmentResolver>,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) refresh: RefreshAudience,
    pub(crate) clock: Arc<dyn Clock>,
    /// Name of this process in leases.
    pub(crate) owner: String,
    /// What audiences that name others were last resolved by.
    pub(crate) resolved_by: Arc<Mutex<HashMap<AudienceId, plan::ResolvedBy>>>,
    /// Audiences that could not be looked at, and until when they are left alone.
    pub(crate) resting: Arc<Mutex<HashMap<AudienceId, Instant>>>,
}

impl FollowChanges {
    /// Looks at everything that has changed until now, in every workspace. One that fails holds no other up.
    ///
    /// # Errors
    /// Store errors, where the workspaces cannot be read.
    #[tracing::instrument(name = "live.round", level = "debug", skip_all)]
    pub async fn round(&self) -> AppResult<()> {
        for workspace in self.queries.live_workspaces(WORKSPACES).await? {
            if let Err(error) = self.follow(&workspace).await {
                tracing::warn!(%error, workspace = workspace.as_str(), "live audiences are behind");
            }
        }
        Ok(())
    }

    fn now(&self) -> Instant {
        // Stores keep whole milliseconds.
        use chrono::SubsecRound;
        self.clock.now().trunc_subsecs(3)
    }
}

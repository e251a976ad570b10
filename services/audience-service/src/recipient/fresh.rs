//! Members who are older than a communication allows are resolved anew before anybody is written to.

use chrono::TimeDelta;
use domain::{
    audience::RefreshCause,
    operation::OperationState,
    shared::{AudienceId, OperationId, WorkspaceId},
};
use events::v1::CommunicationDue;
use ports::StoreError;

use super::ResolveRecipients;
use crate::{AppError, AppResult};

/// Pause between two looks at a refresh.
pub const LOOK: TimeDelta = TimeDelta::seconds(2);
/// Looks at a refresh before it is given up: an hour.
const MOST: i64 = 1_800;
/// Why nobody is written to.
pub const STALE: &str = "audience_stale";

/// Whether members may be read.
pub enum Freshness {
    /// They may.
    Fresh,
    /// This is to be asked later.
    Later(Box<CommunicationDue>),
    /// They are too old, and could not be resolved anew.
    Stale,
}

impl ResolveRecipients {
    /// Whether the members that are asked for are as young as they have to be; where they are not, a refresh is
    /// started, or joined.
    pub(super) async fn freshness(
        &self,
        workspace: &WorkspaceId,
        asked: &CommunicationDue,
    ) -> AppResult<Freshness> {
        let (Some(minutes), Some(audience), None) =
            (asked.freshness_minutes, &asked.audience_id, &asked.after)
        else {
            return Ok(Freshness::Fresh);
        };
        let id: AudienceId = audience
            .parse()
            .map_err(|_| StoreError::Corrupt("an id of an audience"))?;
        if let Some(refresh) = &asked.refresh_id {
            return self.refreshed(workspace, asked, refresh).await;
        }
        let found = self.queries.audience(workspace, id).await?;
        let follows = found.is_none_or(|one| one.is_live() || !one.definition.is_segment());
        let last = self.queries.refreshes(id, None, 1).await?;
        let since = self.clock.now() - TimeDelta::minutes(minutes);
        if follows || last.first().is_some_and(|last| last.began_at >= since) {
            return Ok(Freshness::Fresh);
        }
        let cause = RefreshCause::Scheduled;
        match self.refresh.by_itself(workspace, id, cause).await {
            Ok(accepted) => Ok(Freshness::Later(Box::new(CommunicationDue {
                refresh_id: Some(accepted.operation.to_string()),
                looks: 1,
                ..asked.clone()
            }))),
            Err(AppError::Store(error)) => Err(error.into()),
            // It was dropped at this moment, or has no conditions any more.
            Err(error) => {
                tracing::warn!(audience = %id, %error, "members cannot be resolved anew");
                Ok(Freshness::Stale)
            }
        }
    }

    async fn refreshed(
        &self,
        workspace: &WorkspaceId,
        asked: &CommunicationDue,
        refresh: &str,
    ) -> AppResult<Freshness> {
        let id: OperationId = refresh
            .parse()
            .map_err(|_| StoreError::Corrupt("an id of an operation"))?;
        let operation = self.queries.operation(workspace, id).await?;
        Ok(match operation.map(|operation| operation.state) {
            Some(OperationState::Succeeded) => Freshness::Fresh,
            Some(state) if !state.is_terminal() && asked.looks < MOST => {
                Freshness::Later(Box::new(CommunicationDue {
                    looks: asked.looks + 1,
                    ..asked.clone()
                }))
            }
            _ => Freshness::Stale,
        })
    }
}

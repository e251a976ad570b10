//! Starts the refreshes whose time has come.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    audience::RefreshCause,
    operation::OperationKind,
    shared::{AudienceId, Instant},
};
use kernel::payload;
use ports::{
    Clock, StoreError,
    store::{AudienceQueries, AudienceStore, DueRefresh, Durability, NewOperation, UnitOfWork},
};

use super::{RefreshAudience, RefreshParams, refresh::nobody};
use crate::AppResult;

/// Due refreshes that are read at a time.
const AT_A_TIME: usize = 100;
/// How often a round reads.
const READS: usize = 100;
/// When one is tried again that could not be started.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Starts the refreshes that are due.
#[derive(Clone)]
pub struct StartDueRefreshes {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) refresh: RefreshAudience,
}

impl StartDueRefreshes {
    /// Starts a refresh of each audience that is due, or leaves it to the one that is under way; answers how
    /// many audiences. Several missed times are one. One that cannot be started is tried again.
    ///
    /// # Errors
    /// When the store cannot be asked.
    #[tracing::instrument(name = "segment.start_due", skip_all)]
    pub async fn execute(&self) -> AppResult<usize> {
        let now = self.clock.now();
        let mut taken = 0;
        for _ in 0..READS {
            let due = self.queries.due_refreshes(now, AT_A_TIME).await?;
            for refresh in &due {
                taken += usize::from(self.take(refresh, now).await?);
            }
            if due.len() < AT_A_TIME {
                break;
            }
        }
        Ok(taken)
    }

    async fn take(&self, due: &DueRefresh, now: Instant) -> AppResult<bool> {
        match self.start(due, now).await {
            Ok(taken) => Ok(taken),
            Err(error) => {
                tracing::warn!(%error, audience = %due.audience, "a due refresh could not be started");
                let mut uow = self.store.begin(Durability::Full).await?;
                let again = Some(now + AGAIN_AFTER);
                uow.schedules().reschedule(due, again).await?;
                uow.commit().await?;
                Ok(false)
            }
        }
    }

    /// Moves the schedule on and accepts the refresh, in one transaction. `false` where another process did.
    async fn start(&self, due: &DueRefresh, now: Instant) -> AppResult<bool> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let (workspace, id) = (&due.workspace, due.audience);
        let audience = uow.audiences().get(workspace, id).await?;
        let times = audience.map(|audience| audience.refresh_times());
        let times = times.transpose();
        let times = times.map_err(|_| StoreError::Corrupt("times of an audience"))?;
        let times = times.flatten();
        let next = times.as_ref().and_then(|times| times.next_after(now));
        if !uow.schedules().reschedule(due, next).await? {
            return Ok(false);
        }
        let (actor, request) = (nobody(workspace)?, self.refresh.fresh_request());
        let params = RefreshParams {
            cause: RefreshCause::Scheduled,
            ..RefreshParams::default()
        };
        let joins = times.is_some() && is_under_way(uow.as_mut(), id).await?;
        if times.is_some() && !joins {
            let (accept, kind) = (&self.refresh.accept, OperationKind::Refresh);
            let operation = NewOperation {
                params: payload::encode(&params)?,
                ..accept.new_operation(&actor, request, kind, id, now)
            };
            uow.operations().add(&operation).await?;
        }
        uow.commit().await?;
        if joins {
            // One that waits to be confirmed looks again.
            self.refresh.execute(&actor, request, id, params).await?;
        }
        self.refresh.accept.events.wake.work();
        Ok(true)
    }
}

/// Whether a refresh of the audience has not ended.
async fn is_under_way(uow: &mut dyn UnitOfWork, id: AudienceId) -> AppResult<bool> {
    let kinds = [OperationKind::Refresh];
    let live = uow.operations().live_of(id, &kinds).await?;
    Ok(live.iter().any(|operation| !operation.cancel_requested))
}

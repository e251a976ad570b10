//! Resolving the members of a segment into a new content, which one flip shows.

mod contact;
mod corrections;
mod fill;
mod guard;
mod members;
mod run;
mod show;

use std::sync::Arc;

pub use corrections::Corrections;
use domain::{
    audience::{AudienceStatus, RefreshCause},
    operation::{Operation, OperationKind, OperationState},
    shared::{AudienceId, UserId, WorkspaceId},
};
pub use guard::SizeGuard;
use kernel::payload;
use ports::{
    Clock, StoreError,
    store::{AudienceStore, Durability, NewOperation, OperationUpdate},
};
pub use run::RefreshCheckpoint;
pub(crate) use run::{RunRefresh, version};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, AppError, AppResult, RequestId,
    audience::FindAudience,
    operation::{AcceptOperation, Accepted},
    segment::no_segment,
};

/// Who starts what nobody asks for.
const BY_ITSELF: &str = "schedule";

/// What a refresh works from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshParams {
    /// Why.
    pub cause: RefreshCause,
    /// The share of its size, in percent, that may enter or leave without being confirmed; the installation's
    /// where absent.
    pub guard_percent: Option<u32>,
}

impl Default for RefreshParams {
    fn default() -> Self {
        Self {
            cause: RefreshCause::Requested,
            guard_percent: None,
        }
    }
}

/// Starts refreshes.
#[derive(Clone)]
pub struct RefreshAudience {
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) accept: AcceptOperation,
}

impl RefreshAudience {
    /// Starts a refresh, or finds the one that is under way: two that ask share one run.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` on a dropped audience, a draft, or one without conditions.
    #[tracing::instrument(name = "segment.refresh", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        params: RefreshParams,
    ) -> AppResult<Accepted> {
        let audience = self.find.visible(actor, id).await?;
        audience.ensure_live()?;
        if !audience.definition.is_segment() {
            return Err(no_segment());
        }
        if audience.status == AudienceStatus::Draft {
            let detail = "the audience is a draft; make it active first";
            return Err(AppError::conflict("audience_is_draft", detail));
        }
        if let Some(running) = self.running(id).await? {
            if running.awaits_confirmation() {
                self.look_again(&running).await?;
            }
            return Ok(Accepted {
                operation: running.id,
                audience: id,
            });
        }
        let now = self.clock.now();
        let kind = OperationKind::Refresh;
        let operation = NewOperation {
            params: payload::encode(&params)?,
            ..self.accept.new_operation(actor, request_id, kind, id, now)
        };
        self.accept.accept(request_id, operation, None).await
    }

    /// As [`RefreshAudience::execute`], because somebody asked for it.
    ///
    /// # Errors
    /// As there.
    pub async fn requested(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
    ) -> AppResult<Accepted> {
        let params = RefreshParams::default();
        self.execute(actor, request_id, id, params).await
    }

    /// As [`RefreshAudience::execute`], because its time had come or something had changed: in the name of
    /// nobody, whom nothing is told.
    ///
    /// # Errors
    /// As there.
    pub async fn by_itself(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
        cause: RefreshCause,
    ) -> AppResult<Accepted> {
        let params = RefreshParams {
            cause,
            guard_percent: None,
        };
        let (actor, request_id) = (nobody(workspace)?, self.fresh_request());
        self.execute(&actor, request_id, id, params).await
    }

    /// A request that nobody repeats.
    pub(crate) fn fresh_request(&self) -> RequestId {
        RequestId {
            write_id: self.accept.ids.next(),
            keyed: false,
        }
    }

    /// Puts a refresh back into the queue that waits to be confirmed: what it would change is compared anew.
    async fn look_again(&self, waiting: &Operation) -> AppResult<()> {
        let update = OperationUpdate {
            state: Some(OperationState::Queued),
            ..OperationUpdate::default()
        };
        let mut uow = self.store.begin(Durability::Full).await?;
        let queued = uow
            .operations()
            .update(waiting.id, waiting.state, &update)
            .await;
        match queued {
            // Confirmed or cancelled at this moment.
            Err(StoreError::StaleVersion) => return Ok(()),
            queued => queued?,
        }
        uow.commit().await?;
        self.accept.events.wake.work();
        Ok(())
    }

    /// The refresh of an audience that has not ended.
    ///
    /// # Errors
    /// Store errors.
    pub async fn running(&self, id: AudienceId) -> AppResult<Option<Operation>> {
        let mut uow = self.store.begin(Durability::Derived).await?;
        let live = uow
            .operations()
            .live_of(id, &[OperationKind::Refresh])
            .await?;
        let live = live
            .into_iter()
            .filter(|operation| !operation.cancel_requested);
        Ok(live.min_by_key(|operation| operation.id))
    }
}

/// In whose name audiences are refreshed by themselves.
pub(crate) fn nobody(workspace: &WorkspaceId) -> AppResult<Actor> {
    let user = UserId::parse(BY_ITSELF).map_err(|e| StoreError::Internal(Box::new(e)))?;
    let workspace = workspace.clone();
    Ok(Actor { workspace, user })
}

/// A flip that came too late.
fn outrun(error: StoreError) -> AppError {
    match error {
        StoreError::StaleVersion => {
            StoreError::Unavailable("the audience has changed meanwhile".into()).into()
        }
        error => error.into(),
    }
}

//! Emptying an audience at once, whatever its size.

use std::sync::Arc;

use domain::{
    audience::{Audience, Source},
    operation::{Failure, Operation, OperationKind, OperationState, RemovalReport, Report},
    shared::{AudienceId, Epoch, Instant, OperationId},
};
use kernel::payload;
use operations::Ending;
use ports::{
    Clock, IdGenerator, StoreError,
    contacts::ContentKey,
    crash,
    store::{
        AudienceQueries, AudienceStore, Durability, NewOperation, OperationFilter, UnitOfWork,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, AppResult, RequestId, Topic,
    audience::{FindAudience, ready},
    events::Events,
    operation::{
        AcceptOperation, EndOperation, PlanPurge, PurgeParams, ReleaseHeld, UNDO, unfinished,
    },
};

/// What a clear moved the pointer from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClearParams {
    /// The generation that was emptied.
    pub from: i64,
    /// The empty one.
    pub to: i64,
}

/// An emptied audience.
#[derive(Debug)]
pub struct Cleared {
    /// The audience.
    pub audience: Audience,
    /// The operation by which it can be undone.
    pub operation: OperationId,
}

/// Empties audiences at once, whatever their size.
#[derive(Clone)]
pub struct ClearAudience {
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) events: Events,
    pub(crate) accept: AcceptOperation,
    pub(crate) ends: EndOperation,
    pub(crate) purges: PlanPurge,
    pub(crate) release: ReleaseHeld,
}

impl ClearAudience {
    /// Empties an audience. An audience that a clear left empty is left as it is.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` when `only_from` is another source; `Conflict` on a dropped audience.
    #[tracing::instrument(name = "audience.clear", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        only_from: Option<Source>,
    ) -> AppResult<Cleared> {
        let mut audience = self.find.visible(actor, id).await?;
        if let Some(earlier) = self.accept.earlier(request_id).await? {
            audience.count(0);
            return Ok(Cleared {
                audience,
                operation: earlier.operation,
            });
        }
        audience.ensure_from(only_from)?;
        audience.ensure_live()?;
        audience.ensure_list()?;
        if let Some(operation) = self.cleared_already(actor, &audience).await? {
            return Ok(Cleared {
                audience,
                operation,
            });
        }
        let mut uow = self.store.begin(Durability::Full).await?;
        let mut audience = ready(uow.as_mut(), actor, id).await?;
        audience.ensure_live()?;
        self.supersede(uow.as_mut(), id).await?;
        let now = self.clock.now();
        let (from, emptied) = (audience.epoch, audience.contacts);
        let to = uow.contents().add(id).await?.key.epoch;
        uow.audiences().flip_epoch(id, from, to, now).await?;
        let clear = self.clear_operation(actor, request_id, &audience, to, now)?;
        uow.operations().add(&clear).await?;
        let until = now + UNDO;
        self.purges
            .plan(uow.as_mut(), &clear, PurgeParams::content(id, from), until)
            .await?;
        self.events
            .emit(
                &mut *uow,
                self.events
                    .audience_cleared(&audience, clear.id, &actor.user)?,
            )
            .await?;
        self.end_clear(uow.as_mut(), actor, &clear, emptied, until)
            .await?;
        crash::point("clear.before_flip");
        uow.commit().await?;
        crash::point("clear.flipped");
        audience.empty(to, now);
        self.events.sent();
        Ok(Cleared {
            audience,
            operation: clear.id,
        })
    }

    /// The clear that made the present, still empty content.
    async fn cleared_already(
        &self,
        actor: &Actor,
        audience: &Audience,
    ) -> AppResult<Option<OperationId>> {
        if audience.contacts != 0 {
            return Ok(None);
        }
        let filter = OperationFilter {
            kind: Some(OperationKind::Clear),
            audience: Some(audience.id),
            limit: 1,
            ..OperationFilter::default()
        };
        let last = self
            .queries
            .operations(&actor.workspace, &filter)
            .await?
            .pop();
        let Some(last) = last else {
            return Ok(None);
        };
        let emptied_it = clear_params(&last)?.to == audience.epoch.0;
        Ok(emptied_it.then_some(last.id))
    }

    /// Ends recyclings that the clear makes pointless.
    async fn supersede(&self, uow: &mut dyn UnitOfWork, id: AudienceId) -> AppResult<()> {
        let live = uow
            .operations()
            .live_of(id, &[OperationKind::Recycle])
            .await?;
        for operation in live {
            let error = Failure::new("superseded", "the audience was cleared meanwhile");
            let ending = Ending::cancelled(error, unfinished(&operation, None));
            self.release.release(uow, &operation).await?;
            self.ends.unleased(uow, &operation, &ending).await?;
            self.events.wake.publish(Topic::Cancel(operation.id.raw()));
        }
        Ok(())
    }

    fn clear_operation(
        &self,
        actor: &Actor,
        request_id: RequestId,
        audience: &Audience,
        to: Epoch,
        now: Instant,
    ) -> AppResult<NewOperation> {
        let params = ClearParams {
            from: audience.epoch.0,
            to: to.0,
        };
        Ok(NewOperation {
            id: OperationId::from_raw(self.ids.next()),
            write_id: request_id.write_id,
            workspace: audience.workspace.clone(),
            audience: Some(audience.id),
            after_uploads_of: None,
            kind: OperationKind::Clear,
            state: OperationState::Running,
            total: Some(audience.contacts),
            params: payload::encode(&params)?,
            created_by: actor.user.clone(),
            created_at: now,
            not_before: None,
            traceparent: ports::trace::current(),
        })
    }

    async fn end_clear(
        &self,
        uow: &mut dyn UnitOfWork,
        actor: &Actor,
        clear: &NewOperation,
        emptied: i64,
        until: Instant,
    ) -> AppResult<()> {
        let report = RemovalReport {
            total: emptied,
            removed: emptied,
            ..Default::default()
        };
        let complete = domain::operation::OperationResult::Complete;
        let ending = Ending::succeeded(Report::Removal(report), complete).undoable(until);
        let stored = uow.operations().get(&actor.workspace, clear.id).await?;
        if let Some(operation) = stored {
            self.ends.unleased(uow, &operation, &ending).await?;
        }
        Ok(())
    }
}

pub(crate) fn clear_params(operation: &Operation) -> Result<ClearParams, StoreError> {
    payload::decode(&operation.params, "the parameters of a clearing")
}

impl ClearParams {
    /// The content that was emptied.
    pub fn emptied(&self, audience: AudienceId) -> ContentKey {
        ContentKey {
            audience,
            epoch: Epoch(self.from),
        }
    }

    /// The content that took its place.
    pub fn empty(&self, audience: AudienceId) -> ContentKey {
        ContentKey {
            audience,
            epoch: Epoch(self.to),
        }
    }
}

//! Resolving the members of a segment into a new content, which one flip shows.

mod members;
mod run;

use std::sync::Arc;

use domain::{
    audience::AudienceStatus,
    operation::{Operation, OperationKind},
    shared::AudienceId,
};
use ports::{
    Clock, StoreError,
    store::{AudienceStore, Durability},
};
pub use run::RefreshCheckpoint;
pub(crate) use run::RunRefresh;

use crate::{
    Actor, AppError, AppResult, RequestId,
    audience::FindAudience,
    operation::{AcceptOperation, Accepted},
};

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
    ) -> AppResult<Accepted> {
        let audience = self.find.visible(actor, id).await?;
        audience.ensure_live()?;
        if !audience.definition.is_segment() {
            let detail = "the audience has no conditions";
            return Err(AppError::conflict("not_a_segment", detail));
        }
        if audience.status == AudienceStatus::Draft {
            let detail = "the audience is a draft; make it active first";
            return Err(AppError::conflict("audience_is_draft", detail));
        }
        if let Some(running) = self.running(id).await? {
            return Ok(Accepted {
                operation: running.id,
                audience: id,
            });
        }
        let now = self.clock.now();
        let kind = OperationKind::Refresh;
        let operation = self.accept.new_operation(actor, request_id, kind, id, now);
        self.accept.accept(request_id, operation, None).await
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

/// A flip that came too late.
fn outrun(error: StoreError) -> AppError {
    match error {
        StoreError::StaleVersion => {
            StoreError::Unavailable("the audience has changed meanwhile".into()).into()
        }
        error => error.into(),
    }
}

//! Audiences whose making was cut off.

use std::sync::Arc;

use domain::operation::OperationKind;
use ports::store::{AudienceStore, Creation, Durability, UnitOfWork};

use crate::{
    Actor, AppResult, RequestId,
    operation::{AcceptOperation, PlanPurge, PurgeParams},
};

/// Drops audiences whose making was cut off.
#[derive(Clone)]
pub struct AbandonedCreations {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) accept: AcceptOperation,
    pub(crate) purges: PlanPurge,
}

impl AbandonedCreations {
    /// Drops the audiences whose making was cut off; their names are free, and their contacts are
    /// deleted in the background. Answers how many there were.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "audience.abandoned.drop_all", skip_all)]
    pub async fn drop_all(&self) -> AppResult<usize> {
        let mut dropped = 0;
        loop {
            let mut uow = self.store.begin(Durability::Full).await?;
            let Some(creation) = uow.creations().end_abandoned().await? else {
                return Ok(dropped);
            };
            self.abandon(uow.as_mut(), &creation).await?;
            uow.commit().await?;
            dropped += 1;
        }
    }

    /// Gives the name free, and plans to delete what was written.
    pub(super) async fn abandon(
        &self,
        uow: &mut dyn UnitOfWork,
        creation: &Creation,
    ) -> AppResult<()> {
        let found = uow
            .audiences()
            .get(&creation.workspace, creation.audience)
            .await?;
        let Some(mut audience) = found else {
            return Ok(());
        };
        if !audience.abandon() {
            return Ok(());
        }
        uow.audiences().save(&audience, audience.version).await?;
        let by = Actor {
            workspace: audience.workspace.clone(),
            user: audience.created_by.clone(),
        };
        let now = self.purges.clock.now();
        let request_id = RequestId {
            write_id: creation.write_id,
            keyed: false,
        };
        let cause =
            self.accept
                .new_operation(&by, request_id, OperationKind::Purge, audience.id, now);
        let content = PurgeParams::content(audience.id, audience.epoch);
        self.purges.plan(uow, &cause, content, now).await
    }
}

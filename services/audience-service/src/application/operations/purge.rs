//! Deleting what nobody can bring back any more, in small steps, long after it stopped to show.

use domain::{
    audience::{Audience, Visibility},
    contact::Document,
    operation::{
        Operation, OperationKind, OperationResult, OperationState, Progress, RemovalReport, Report,
    },
    shared::{AudienceId, Epoch, Instant, OperationId, RemovalNo},
};
use kernel::payload;
use kernel::{AppError, Stop};
use ports::{
    contacts::{ContentKey, Purge},
    crash,
    store::{Durability, NewOperation, Removal, RemovalState, UnitOfWork},
};
use serde::{Deserialize, Serialize};

use super::{Ending, Job};
use crate::application::{App, AppResult};

/// What a purge deletes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PurgeParams {
    audience: i64,
    epoch: i64,
    /// One removal's contacts; the whole content where absent.
    removal: Option<i64>,
}

impl PurgeParams {
    /// A whole content.
    pub const fn content(audience: AudienceId, epoch: Epoch) -> Self {
        Self {
            audience: audience.raw(),
            epoch: epoch.0,
            removal: None,
        }
    }

    /// What one removal hides.
    pub const fn removal(key: ContentKey, removal: RemovalNo) -> Self {
        Self {
            audience: key.audience.raw(),
            epoch: key.epoch.0,
            removal: Some(removal.0),
        }
    }

    const fn key(&self) -> ContentKey {
        let audience = AudienceId::from_raw(self.audience);
        ContentKey {
            audience,
            epoch: Epoch(self.epoch),
        }
    }
}

impl App {
    /// Plans the purge of what a removal of `operation` left behind.
    pub(crate) async fn plan_removal_purge(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
        removal: &Removal,
        not_before: Instant,
    ) -> AppResult<()> {
        let cause = NewOperation {
            id: operation.id,
            write_id: operation.id.raw(),
            workspace: operation.workspace.clone(),
            audience: operation.audience,
            after_uploads_of: None,
            kind: operation.kind,
            state: operation.state,
            total: None,
            params: serde_json::Value::Null,
            created_by: operation.created_by.clone(),
            created_at: self.deps.clock.now(),
            not_before: None,
            traceparent: ports::trace::current(),
        };
        let params = PurgeParams::removal(removal.key, removal.no);
        self.plan_purge(uow, &cause, params, not_before).await
    }

    /// Plans a purge for when `cause` can no longer be undone.
    pub(crate) async fn plan_purge(
        &self,
        uow: &mut dyn UnitOfWork,
        cause: &NewOperation,
        params: PurgeParams,
        not_before: Instant,
    ) -> AppResult<()> {
        let id = self.deps.ids.next();
        let purge = NewOperation {
            id: OperationId::from_raw(id),
            write_id: id,
            kind: OperationKind::Purge,
            state: OperationState::Queued,
            total: None,
            params: payload::encode(&params)?,
            not_before: Some(not_before),
            ..cause.clone()
        };
        Ok(uow.operations().add(&purge).await?)
    }

    pub(crate) async fn run_purge(&self, job: &mut Job) -> AppResult<()> {
        let params: PurgeParams =
            payload::decode(&job.operation.params, "the parameters of a purge")?;
        match params.removal {
            None => self.purge_content(job, params.key()).await,
            Some(no) => self.purge_removal(job, params.key(), RemovalNo(no)).await,
        }
    }

    async fn purge_content(&self, job: &mut Job, key: ContentKey) -> AppResult<()> {
        let audience = self
            .deps
            .queries
            .audience(&job.operation.workspace, key.audience)
            .await?;
        // What an abandoned audience holds can be seen by nobody; no purge is planned for one that a
        // retry may go on with.
        let unseen = |a: Audience| a.epoch != key.epoch || a.visibility == Visibility::Abandoned;
        if audience.is_none_or(unseen) {
            let step = self.deps.steps.purged;
            while self.deps.contacts.purge_content(key, step).await? {
                crash::point("purge.batch");
                self.purged(job, step).await?;
            }
            let mut uow = self.deps.store.begin(Durability::Full).await?;
            uow.contents().forget(key).await?;
            uow.commit().await?;
        }
        self.end_job(job, &done(job)).await
    }

    async fn purge_removal(&self, job: &mut Job, key: ContentKey, no: RemovalNo) -> AppResult<()> {
        let removal = match self.expire(key, no).await? {
            Some(removal) if removal.state == RemovalState::Expired => removal,
            Some(removal) if removal.state == RemovalState::Building => {
                return self.end_job(job, &done(job)).await;
            }
            withdrawn => {
                // Where there is none, a retry has begun anew under another number.
                self.purge_rows(job, key, no, Purge::Tombstones).await?;
                if let Some(removal) = withdrawn {
                    let mut uow = self.deps.store.begin(Durability::Full).await?;
                    uow.contents().save_removal(&purged(removal)).await?;
                    uow.commit().await?;
                }
                return self.end_job(job, &done(job)).await;
            }
        };
        self.purge_rows(job, key, no, Purge::Hidden).await?;
        let held = match self.writer.hold(key, Vec::new()).await {
            Ok(held) => held,
            // Cleared meanwhile: the purge of the whole content has the rest.
            Err(error) if error.is_conflict_on(crate::application::contacts::CONTENT_GONE) => {
                return self.end_job(job, &done(job)).await;
            }
            Err(error) => return Err(error.into()),
        };
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let active: Vec<_> = held
            .content
            .active
            .iter()
            .copied()
            .filter(|r| *r != no)
            .collect();
        let now = self.deps.clock.now();
        uow.contents()
            .set_active(key, &active, 0, held.content.revision, now)
            .await?;
        uow.contents().save_removal(&purged(removal)).await?;
        self.writer
            .close_in(uow.as_mut(), &held, &Default::default())
            .await?;
        uow.commit().await?;
        self.end_job(job, &done(job)).await
    }

    async fn purge_rows(
        &self,
        job: &mut Job,
        key: ContentKey,
        no: RemovalNo,
        what: Purge,
    ) -> AppResult<()> {
        let (contacts, step) = (&self.deps.contacts, self.deps.steps.purged);
        let mut after: Option<Document> = None;
        loop {
            let from = after.as_ref();
            after = contacts.purge_removal(key, no, what, from, step).await?;
            if after.is_none() {
                return Ok(());
            }
            crash::point("purge.batch");
            self.purged(job, step).await?;
        }
    }

    /// Takes the undo away, if the removal still counts. One that does not stays as it is.
    async fn expire(&self, key: ContentKey, no: RemovalNo) -> AppResult<Option<Removal>> {
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let removals = uow.contents().removals(key).await?;
        let Some(removal) = removals.into_iter().find(|r| r.no == no) else {
            return Ok(None);
        };
        match removal.state {
            RemovalState::Active | RemovalState::Expired => {}
            RemovalState::Building | RemovalState::Withdrawn | RemovalState::Purged => {
                return Ok(Some(removal));
            }
        }
        let expired = Removal {
            state: RemovalState::Expired,
            ..removal
        };
        uow.contents().save_removal(&expired).await?;
        uow.commit().await?;
        Ok(Some(expired))
    }

    async fn purged(&self, job: &mut Job, rows: usize) -> AppResult<()> {
        let done = job.operation.progress.done + i64::try_from(rows).unwrap_or(0);
        let progress = Progress { done, total: None };
        match job
            .checkpoint(progress, None, serde_json::Value::Null)
            .await
        {
            // A purge has no half way to stop at: what it deletes is out of reach already.
            Err(AppError::Stop(Stop::Cancelled)) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn purged(removal: Removal) -> Removal {
    Removal {
        state: RemovalState::Purged,
        ..removal
    }
}

fn done(job: &Job) -> Ending {
    let removed = job.operation.progress.done;
    let report = RemovalReport {
        total: removed,
        removed,
        ..RemovalReport::default()
    };
    Ending::succeeded(Report::Removal(report), OperationResult::Complete)
}

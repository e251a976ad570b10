//! Deleting what nobody can bring back any more, in small steps, long after it stopped to show.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    audience::{Audience, Visibility},
    contact::Document,
    operation::{OperationKind, OperationResult, Progress, RemovalReport, Report},
    shared::RemovalNo,
};
use kernel::{AppError, Stop};
use operations::{Ending, Job, Run};
use ports::{
    contacts::{ContactStore, ContentKey, Purge},
    crash,
    store::{AudienceQueries, AudienceStore, Durability, Removal, RemovalState},
};

use crate::{
    AppResult,
    contact::write::{CONTENT_GONE, Writer},
    operation::{EndOperation, PurgeParams},
};

/// Runs purges.
#[derive(Clone)]
pub(crate) struct RunPurge {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) ends: EndOperation,
    /// Rows deleted in one step.
    pub(crate) step: usize,
}

#[async_trait]
impl Job for RunPurge {
    type Params = PurgeParams;
    type Checkpoint = ();
    const KINDS: &'static [OperationKind] = &[OperationKind::Purge];

    async fn run(&self, run: &mut Run, params: PurgeParams) -> AppResult<()> {
        match params.removal {
            None => self.purge_content(run, params.key()).await,
            Some(no) => self.purge_removal(run, params.key(), RemovalNo(no)).await,
        }
    }
}

impl RunPurge {
    async fn purge_content(&self, run: &mut Run, key: ContentKey) -> AppResult<()> {
        let audience = self
            .queries
            .audience(&run.operation.workspace, key.audience)
            .await?;
        // What an abandoned audience holds can be seen by nobody; no purge is planned for one that a
        // retry may go on with.
        let unseen = |a: Audience| a.epoch != key.epoch || a.visibility == Visibility::Abandoned;
        if audience.is_none_or(unseen) {
            let step = self.step;
            while self.contacts.purge_content(key, step).await? {
                crash::point("purge.batch");
                self.purged(run, step).await?;
            }
            let mut uow = self.store.begin(Durability::Full).await?;
            uow.contents().forget(key).await?;
            uow.commit().await?;
        }
        self.ends.run(run, &done(run)).await
    }

    async fn purge_removal(&self, run: &mut Run, key: ContentKey, no: RemovalNo) -> AppResult<()> {
        let removal = match self.expire(key, no).await? {
            Some(removal) if removal.state == RemovalState::Expired => removal,
            Some(removal) if removal.state == RemovalState::Building => {
                return self.ends.run(run, &done(run)).await;
            }
            withdrawn => {
                // Where there is none, a retry has begun anew under another number.
                self.purge_rows(run, key, no, Purge::Tombstones).await?;
                if let Some(removal) = withdrawn {
                    let mut uow = self.store.begin(Durability::Full).await?;
                    uow.contents().save_removal(&purged(removal)).await?;
                    uow.commit().await?;
                }
                return self.ends.run(run, &done(run)).await;
            }
        };
        self.purge_rows(run, key, no, Purge::Hidden).await?;
        let held = match self.writer.hold(key, Vec::new()).await {
            Ok(held) => held,
            // Cleared meanwhile: the purge of the whole content has the rest.
            Err(error) if error.is_conflict_on(CONTENT_GONE) => {
                return self.ends.run(run, &done(run)).await;
            }
            Err(error) => return Err(error.into()),
        };
        let mut uow = self.store.begin(Durability::Full).await?;
        let active: Vec<_> = held
            .content
            .active
            .iter()
            .copied()
            .filter(|r| *r != no)
            .collect();
        let now = self.ends.clock.now();
        uow.contents()
            .set_active(key, &active, 0, held.content.revision, now)
            .await?;
        uow.contents().save_removal(&purged(removal)).await?;
        self.writer
            .close_in(uow.as_mut(), &held, &Default::default())
            .await?;
        uow.commit().await?;
        self.ends.run(run, &done(run)).await
    }

    async fn purge_rows(
        &self,
        run: &mut Run,
        key: ContentKey,
        no: RemovalNo,
        what: Purge,
    ) -> AppResult<()> {
        let (contacts, step) = (&self.contacts, self.step);
        let mut after: Option<Document> = None;
        loop {
            let from = after.as_ref();
            after = contacts.purge_removal(key, no, what, from, step).await?;
            if after.is_none() {
                return Ok(());
            }
            crash::point("purge.batch");
            self.purged(run, step).await?;
        }
    }

    /// Takes the undo away, if the removal still counts. One that does not stays as it is.
    async fn expire(&self, key: ContentKey, no: RemovalNo) -> AppResult<Option<Removal>> {
        let mut uow = self.store.begin(Durability::Full).await?;
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

    async fn purged(&self, run: &mut Run, rows: usize) -> AppResult<()> {
        let done = run.operation.progress.done + i64::try_from(rows).unwrap_or(0);
        let progress = Progress { done, total: None };
        match Self::save(run, progress, None, &()).await {
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

fn done(run: &Run) -> Ending {
    let removed = run.operation.progress.done;
    let report = RemovalReport {
        total: removed,
        removed,
        ..RemovalReport::default()
    };
    Ending::succeeded(Report::Removal(report), OperationResult::Complete)
}

//! The operation of a recycling in place.

use domain::{
    contact::Document,
    operation::{OperationResult, Progress, Report},
    recycle::{Reasons, Target},
    shared::RemovalNo,
};
use ports::{
    StoreError,
    contacts::{ContentKey, Priority, Tombstone},
    crash,
    store::{Content, ContentDelta, Durability, NewRemoval, Removal, RemovalState},
};
use serde::{Deserialize, Serialize};

use super::{
    RecycleParams,
    judge::{Candidate, Judge},
    survey::{Source, Tally},
    touched::Touched,
};
use crate::application::{
    App, AppError, AppResult,
    audiences::UNDO,
    contacts::{CONTENT_GONE, Held, view_of},
    events,
    operations::{Ending, Job, PurgeParams},
};

/// Removals of one audience that can be undone at the same time.
const MAX_UNDOABLE: usize = 64;

/// Where a recycling stands.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct RecycleCheckpoint {
    /// The last document judged.
    pub after: Option<String>,
    /// Whether every contact is judged.
    pub surveyed: bool,
    /// What was found so far.
    pub tally: Tally,
    /// Documents with a tombstone from a step that a crash cut off, not among those counted.
    pub stale: Vec<String>,
    /// Row number of the next contact copied to a new audience.
    #[serde(default)]
    pub copied: i64,
}

/// The reasons that the survey counted for a contact, kept beside those that hold now.
const COUNTED_SHIFT: u32 = 16;

/// Bits of a tombstone left by the survey.
fn counted(reasons: Reasons) -> Reasons {
    Reasons::from_bits(reasons.bits() | (reasons.bits() << COUNTED_SHIFT))
}

/// What the survey counted for a tombstone's contact, if it did.
pub(super) fn counted_reasons(stone: &Tombstone) -> Option<Reasons> {
    let bits = stone.reasons.bits() >> COUNTED_SHIFT;
    (bits != 0).then(|| Reasons::from_bits(bits))
}

/// New reasons for a tombstone, with what the survey counted kept.
pub(super) fn with_counted(now: Reasons, before: Option<Reasons>) -> Reasons {
    Reasons::from_bits(now.bits() | (before.map_or(0, Reasons::bits) << COUNTED_SHIFT))
}

impl App {
    pub(crate) async fn run_recycle(&self, job: &mut Job) -> AppResult<()> {
        let params: RecycleParams = serde_json::from_value(job.operation.params.clone())
            .map_err(|_| StoreError::Corrupt("the parameters of a recycling"))?;
        let audience = self.audience_of_job(job).await?;
        let content = self.content_of(&audience).await?;
        crash::point("recycle.started");
        let source = Source {
            workspace: audience.workspace.clone(),
            key: content.key,
            view: view_of(&content),
        };
        self.find_duplicates(&source, &params, job.operation.id, &job.signals)
            .await?;
        match params.target {
            Target::InPlace => self.recycle_in_place(job, &params, source).await?,
            Target::New { .. } => self.recycle_to_new(job, &params, source).await?,
        }
        self.remove_sets(job.operation.id)
    }

    async fn recycle_in_place(
        &self,
        job: &mut Job,
        params: &RecycleParams,
        source: Source,
    ) -> AppResult<()> {
        let removal = self.begin_removal(job, source.key).await?;
        let mut at: RecycleCheckpoint =
            serde_json::from_value(job.operation.checkpoint.clone()).unwrap_or_default();
        if !at.surveyed {
            self.mark(job, params, &source, &removal, &mut at).await?;
        }
        let mut touched = Touched::new(source.clone(), removal.no, &at);
        touched.catch_up(self, job, params).await?;
        let held = match self.writer.hold(source.key, Vec::new()).await {
            Ok(held) => held,
            Err(error) if error.is_conflict_on(CONTENT_GONE) => {
                return Err(AppError::conflict(
                    "superseded",
                    "the audience was cleared meanwhile",
                ));
            }
            Err(error) => return Err(error.into()),
        };
        let flipped = self.flip(job, params, removal, touched, &held).await;
        match flipped {
            Ok(content) => {
                self.pages.flipped(&content);
                self.announce(&job.operation);
                crash::point("recycle.flipped");
                Ok(())
            }
            Err(error) => {
                self.writer.release(&held).await?;
                Err(error)
            }
        }
    }

    async fn begin_removal(&self, job: &Job, key: ContentKey) -> AppResult<Removal> {
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let new = NewRemoval {
            key,
            operation: job.operation.id,
        };
        let mut removal = uow.contents().begin_removal(new).await?;
        if removal.state == RemovalState::Withdrawn {
            removal.state = RemovalState::Building;
            uow.contents().save_removal(&removal).await?;
        }
        uow.commit().await?;
        Ok(removal)
    }

    /// Judges every contact and leaves tombstones for those that go, in steps with a checkpoint each.
    async fn mark(
        &self,
        job: &mut Job,
        params: &RecycleParams,
        source: &Source,
        removal: &Removal,
        at: &mut RecycleCheckpoint,
    ) -> AppResult<()> {
        let mut after = at.after.clone().map(Document::from_stored);
        let resumed = job.operation.checkpoint != serde_json::Value::Null;
        let mut first = resumed;
        let mut judge = Judge::new(self, &source.workspace, params, job.operation.id).await?;
        judge.begin_after(after.as_ref());
        loop {
            let bodies = params.rules.needs_body();
            let batch = self.candidates(source, after.as_ref(), bodies).await?;
            let Some(last) = batch.last() else { break };
            after = Some(last.document.clone());
            let verdicts = judge.judge(&batch).await?;
            if std::mem::take(&mut first) {
                at.stale = self
                    .stale(source.key, removal.no, &batch, &verdicts)
                    .await?;
            }
            verdicts.iter().for_each(|reasons| at.tally.add(*reasons));
            let stones = tombstones(removal.no, &batch, &verdicts);
            if !stones.is_empty() {
                self.deps
                    .contacts
                    .entomb(source.key, stones, Priority::Bulk)
                    .await?;
            }
            crash::point("recycle.batch_marked");
            at.after = after.as_ref().map(|d| d.as_str().to_owned());
            save(job, at).await?;
            crash::point("recycle.checkpointed");
        }
        at.surveyed = true;
        save(job, at).await
    }

    /// Documents of the first step after a restart that the step before the crash had marked and this
    /// one does not: their tombstones are not counted.
    async fn stale(
        &self,
        key: ContentKey,
        removal: RemovalNo,
        batch: &[Candidate],
        verdicts: &[Reasons],
    ) -> AppResult<Vec<String>> {
        let stays = batch
            .iter()
            .zip(verdicts)
            .filter(|(_, reasons)| reasons.is_empty());
        let documents: Vec<Document> = stays.map(|(c, _)| c.document.clone()).collect();
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let stones = self.deps.contacts.tombstones(key, &documents).await?;
        let mine = stones.into_iter().filter(|stone| stone.removal == removal);
        Ok(mine
            .map(|stone| stone.document.as_str().to_owned())
            .collect())
    }

    /// Makes the removal count: under the lock, in one transaction with the operation's end.
    async fn flip(
        &self,
        job: &Job,
        params: &RecycleParams,
        removal: Removal,
        mut touched: Touched,
        held: &Held,
    ) -> AppResult<Content> {
        touched.look_again(self, job, params).await?;
        job.signals.check()?;
        let mut report = touched.tally().report();
        report.total = held.content.contacts;
        report.kept = report.total - report.removed;
        let now = self.deps.clock.now();
        let until = now + UNDO;
        let key = held.content.key;
        crash::point("recycle.before_flip");
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let mut active = held.content.active.clone();
        active.push(removal.no);
        let revision = held.content.revision;
        uow.contents()
            .set_active(key, &active, -report.removed, revision, now)
            .await?;
        let content = self
            .writer
            .close_in(uow.as_mut(), held, &ContentDelta::default())
            .await?;
        let removal = Removal {
            state: RemovalState::Active,
            hidden: report.removed,
            by_reason: report.by_reason.clone(),
            active_since: Some(now),
            ..removal
        };
        uow.contents().save_removal(&removal).await?;
        self.plan_removal_purge(uow.as_mut(), job, &removal, until)
            .await?;
        self.fold_oldest(uow.as_mut(), job, &active, key).await?;
        let done = events::recycle_completed(&self.deps, &job.operation, None, &report, until);
        self.emit(&mut *uow, done).await?;
        let ending = Ending::succeeded(Report::Removal(report), OperationResult::Complete);
        let ending = ending.undoable(until);
        self.end_leased(uow.as_mut(), &job.lease, &job.operation, &ending)
            .await?;
        uow.commit().await?;
        Ok(content)
    }

    async fn plan_removal_purge(
        &self,
        uow: &mut dyn ports::store::UnitOfWork,
        job: &Job,
        removal: &Removal,
        until: domain::shared::Instant,
    ) -> AppResult<()> {
        let operation = &job.operation;
        let cause = ports::store::NewOperation {
            id: operation.id,
            write_id: operation.id.raw(),
            workspace: operation.workspace.clone(),
            audience: operation.audience,
            kind: operation.kind,
            state: operation.state,
            total: None,
            params: serde_json::Value::Null,
            created_by: operation.created_by.clone(),
            created_at: self.deps.clock.now(),
            not_before: None,
        };
        let params = PurgeParams::removal(removal.key, removal.no);
        self.plan_purge(uow, &cause, params, until).await
    }

    /// Takes the undo of the oldest removal away when there are too many.
    async fn fold_oldest(
        &self,
        uow: &mut dyn ports::store::UnitOfWork,
        job: &Job,
        active: &[RemovalNo],
        key: ContentKey,
    ) -> AppResult<()> {
        let Some(excess) = active.len().checked_sub(MAX_UNDOABLE).filter(|n| *n > 0) else {
            return Ok(());
        };
        let removals = uow.contents().removals(key).await?;
        let now = self.deps.clock.now();
        let oldest = removals
            .into_iter()
            .filter(|r| r.state == RemovalState::Active)
            .take(excess);
        for removal in oldest {
            let workspace = &job.operation.workspace;
            let Some(operation) = uow.operations().get(workspace, removal.operation).await? else {
                continue;
            };
            let update = ports::store::OperationUpdate {
                undo_until: Some(now),
                ..Default::default()
            };
            uow.operations()
                .update(operation.id, operation.state, &update)
                .await?;
        }
        Ok(())
    }
}

/// Stores a checkpoint of this operation.
pub(super) async fn save(job: &mut Job, at: &RecycleCheckpoint) -> AppResult<()> {
    let total = job
        .operation
        .progress
        .total
        .map(|total| total.max(at.tally.total));
    let progress = Progress {
        done: at.tally.total,
        total,
    };
    let report = Some(Report::Removal(at.tally.report()));
    job.checkpoint(
        progress,
        report,
        serde_json::to_value(at).unwrap_or_default(),
    )
    .await
}

/// Tombstones for the contacts that go.
fn tombstones(removal: RemovalNo, batch: &[Candidate], verdicts: &[Reasons]) -> Vec<Tombstone> {
    let goes = batch
        .iter()
        .zip(verdicts)
        .filter(|(_, reasons)| !reasons.is_empty());
    let stone = |(c, reasons): (&Candidate, &Reasons)| Tombstone {
        document: c.document.clone(),
        removal,
        order: c.order,
        reasons: counted(*reasons),
    };
    goes.map(stone).collect()
}

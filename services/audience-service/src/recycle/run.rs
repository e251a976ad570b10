//! The operation of a recycling in place.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    contact::Document,
    operation::{OperationKind, OperationResult, Report},
    recycle::{Reasons, Target},
    shared::{AudienceId, RemovalNo},
};
use operations::{Ending, Job, Run};
use ports::{
    Clock,
    contacts::{ContentKey, Order, Priority, Tombstone},
    crash,
    store::{AudienceStore, Content, ContentDelta, Durability, NewRemoval, Removal, RemovalState},
};

use super::{
    DUPLICATES, RecycleParams,
    checkpoint::{RecycleCheckpoint, save},
    copy::CopyContacts,
    judge::Judge,
    set_name,
    sets::DocumentSets,
    survey::Surveyor,
    touched::Touched,
    walk::{Candidate, Source},
};
use crate::{
    AppError, AppResult,
    audience::FindAudience,
    contact::{
        pages::{Cuts, PageIndexes, Surveyed},
        view_of,
        write::{CONTENT_GONE, Held, Writer},
    },
    events::Events,
    operation::{EndOperation, PlanPurge, UNDO},
};

/// Removals of one audience that can be undone at the same time.
const MAX_UNDOABLE: usize = 64;

/// Runs recyclings.
#[derive(Clone)]
pub(crate) struct RunRecycle {
    pub(crate) survey: Surveyor,
    pub(crate) sets: DocumentSets,
    pub(crate) copy: CopyContacts,
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) pages: Arc<PageIndexes>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
    pub(crate) ends: EndOperation,
    pub(crate) purges: PlanPurge,
}

#[async_trait]
impl Job for RunRecycle {
    type Params = RecycleParams;
    type Checkpoint = RecycleCheckpoint;
    const KINDS: &'static [OperationKind] = &[OperationKind::Recycle];

    async fn run(&self, run: &mut Run, params: RecycleParams) -> AppResult<()> {
        let audience = self.find.of_operation(&run.operation).await?;
        let content = self.find.content_of(&audience).await?;
        crash::point("recycle.started");
        let source = Source {
            workspace: audience.workspace.clone(),
            key: content.key,
            view: view_of(&content),
        };
        let id = run.operation.id;
        self.sets.ensure(&run.operation, &params).await?;
        match params.target {
            Target::InPlace => self.in_place(run, &params, source).await?,
            Target::New { audience } => {
                let target = AudienceId::from_raw(audience);
                let at = Self::reached(&run.operation)?;
                if at.after.is_none() {
                    // Nothing is copied yet: who was found before is out of date.
                    self.survey.walk.spool.remove(&set_name(id, DUPLICATES))?;
                }
                self.survey
                    .find_duplicates(&source, &params, id, &run.signals)
                    .await?;
                self.copy.copy(run, &params, source, target, at).await?;
            }
        }
        self.sets.remove(id).await
    }
}

impl RunRecycle {
    async fn in_place(
        &self,
        run: &mut Run,
        params: &RecycleParams,
        source: Source,
    ) -> AppResult<()> {
        let removal = self.begin_removal(run, source.key).await?;
        // Only now: from here to its end no undo changes who is judged.
        let content = self.survey.walk.queries.content(source.key).await?;
        let source = Source {
            view: view_of(&content.ok_or(AppError::NotFound)?),
            ..source
        };
        let mut at = Self::reached(&run.operation)?;
        // A clear may have come between two attempts: numbers begin again with the content.
        let begun = (source.key.epoch.0, removal.no.0);
        if (at.epoch, at.removal) != begun {
            // What an earlier attempt found is out of date: nobody took down what changed since.
            self.survey
                .walk
                .spool
                .remove(&set_name(run.operation.id, DUPLICATES))?;
            at = RecycleCheckpoint {
                epoch: begun.0,
                removal: begun.1,
                ..RecycleCheckpoint::default()
            };
        }
        at.tally.exclusion = params.exclusion();
        self.survey
            .find_duplicates(&source, params, run.operation.id, &run.signals)
            .await?;
        let mut cuts = None;
        if !at.surveyed {
            cuts = self.mark(run, params, &source, &removal, &mut at).await?;
        }
        let mut touched = Touched::new(
            self.store.as_ref(),
            &self.survey.walk,
            source.clone(),
            removal.no,
            &at,
        );
        touched.catch_up(run, params).await?;
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
        let flipped = self.flip(run, params, removal, touched, &held).await;
        match flipped {
            Ok((content, touched)) => {
                let surveyed = cuts.map(|cuts| Surveyed::new(source.view, cuts, touched));
                self.pages.removed(&held.content, &content, surveyed);
                self.ends.announce(&run.operation);
                crash::point("recycle.flipped");
                Ok(())
            }
            Err(error) => {
                self.writer.release(&held).await;
                Err(error)
            }
        }
    }

    async fn begin_removal(&self, run: &Run, key: ContentKey) -> AppResult<Removal> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let new = NewRemoval {
            key,
            operation: run.operation.id,
        };
        let removal = uow.contents().begin_removal(new).await?;
        uow.commit().await?;
        Ok(removal)
    }

    /// Judges every contact and leaves tombstones for those that go, in steps with a checkpoint each.
    /// Answers the pages before and after, if it saw everybody.
    async fn mark(
        &self,
        run: &mut Run,
        params: &RecycleParams,
        source: &Source,
        removal: &Removal,
        at: &mut RecycleCheckpoint,
    ) -> AppResult<Option<Cuts>> {
        let mut after = at.after.clone().map(Document::from_stored);
        let mut cuts = after.is_none().then(Cuts::default);
        at.runs.push((run.run_number(), at.after.clone()));
        let mut judge = Judge::new(
            &self.survey.walk,
            &source.workspace,
            params,
            run.operation.id,
        )
        .await?;
        judge.begin_after(after.as_ref());
        let bodies = params.rules.needs_body();
        let mut batch = self
            .survey
            .walk
            .candidates(source, after.as_ref(), bodies)
            .await?;
        while let Some(last) = batch.last() {
            after = Some(last.document.clone());
            let verdicts = judge.judge(&batch).await?;
            if run.run_number() > 1 {
                self.unmark(source.key, removal.no, &batch, &verdicts)
                    .await?;
            }
            verdicts.iter().for_each(|reasons| at.tally.add(*reasons));
            if let Some(cuts) = &mut cuts {
                let stays = batch.iter().zip(&verdicts).filter(|(_, r)| r.is_empty());
                cuts.stays
                    .push(stays.map(|(candidate, _)| &candidate.document));
                cuts.everybody
                    .push(batch.iter().map(|candidate| &candidate.document));
            }
            let stones = tombstones(removal.no, params, &batch, &verdicts, at);
            // The next ones are read while these are written.
            let (marked, next) = tokio::join!(
                self.put_tombstones(source.key, stones),
                self.survey.walk.candidates(source, after.as_ref(), bodies),
            );
            marked?;
            crash::point("recycle.batch_marked");
            at.after = after.as_ref().map(|d| d.as_str().to_owned());
            save::<Self>(run, at).await?;
            crash::point("recycle.checkpointed");
            batch = next?;
        }
        at.surveyed = true;
        save::<Self>(run, at).await?;
        Ok(cuts)
    }

    async fn put_tombstones(&self, key: ContentKey, stones: Vec<Tombstone>) -> AppResult<()> {
        if stones.is_empty() {
            return Ok(());
        }
        let contacts = &self.survey.walk.contacts;
        Ok(contacts.put_tombstones(key, stones, Priority::Bulk).await?)
    }

    /// Takes the effect from tombstones that a run before this one left for contacts that stay.
    async fn unmark(
        &self,
        key: ContentKey,
        removal: RemovalNo,
        batch: &[Candidate],
        verdicts: &[Reasons],
    ) -> AppResult<()> {
        let stays = batch
            .iter()
            .zip(verdicts)
            .filter(|(_, reasons)| reasons.is_empty());
        let documents: Vec<Document> = stays.map(|(c, _)| c.document.clone()).collect();
        if documents.is_empty() {
            return Ok(());
        }
        let stones = self
            .survey
            .walk
            .contacts
            .tombstones(key, &documents)
            .await?;
        let mine = stones.into_iter().filter(|stone| stone.removal == removal);
        let harmless = |stone: Tombstone| {
            Tombstone::uncounted(stone.document, removal, Order(i64::MIN), Reasons::NONE)
        };
        self.put_tombstones(key, mine.map(harmless).collect()).await
    }

    /// Makes the removal count: under the lock, in one transaction with the operation's end.
    async fn flip(
        &self,
        run: &Run,
        params: &RecycleParams,
        removal: Removal,
        mut touched: Touched<'_>,
        held: &Held,
    ) -> AppResult<(Content, Vec<Document>)> {
        touched.look_again(run, params).await?;
        run.signals.check()?;
        let mut report = touched.tally().report();
        report.total = held.content.contacts;
        report.kept = report.total - report.removed;
        let now = self.clock.now();
        let until = now + UNDO;
        let key = held.content.key;
        crash::point("recycle.before_flip");
        let mut uow = self.store.begin(Durability::Full).await?;
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
        self.purges
            .plan_removal(uow.as_mut(), &run.operation, &removal, until)
            .await?;
        self.fold_oldest(uow.as_mut(), run, &active, key).await?;
        let done = self
            .events
            .recycle_completed(&run.operation, None, &report, until)?;
        self.events.emit(&mut *uow, done).await?;
        let ending = Ending::succeeded(Report::Removal(report), OperationResult::Complete);
        let ending = ending.undoable(until);
        self.ends
            .leased(uow.as_mut(), &run.lease, &run.operation, &ending)
            .await?;
        uow.commit().await?;
        Ok((content, touched.documents()))
    }

    /// Takes the undo of the oldest removal away when there are too many.
    async fn fold_oldest(
        &self,
        uow: &mut dyn ports::store::UnitOfWork,
        run: &Run,
        active: &[RemovalNo],
        key: ContentKey,
    ) -> AppResult<()> {
        let Some(excess) = active.len().checked_sub(MAX_UNDOABLE).filter(|n| *n > 0) else {
            return Ok(());
        };
        let removals = uow.contents().removals(key).await?;
        let now = self.clock.now();
        let oldest = removals
            .into_iter()
            .filter(|r| r.state == RemovalState::Active)
            .take(excess);
        for removal in oldest {
            let workspace = &run.operation.workspace;
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

/// Tombstones for the contacts that go.
fn tombstones(
    removal: RemovalNo,
    params: &RecycleParams,
    batch: &[Candidate],
    verdicts: &[Reasons],
    at: &RecycleCheckpoint,
) -> Vec<Tombstone> {
    let goes = batch
        .iter()
        .zip(verdicts)
        .filter(|(_, reasons)| !reasons.is_empty());
    let stone = |(c, reasons): (&Candidate, &Reasons)| {
        let order = params.tombstone_order(c.order);
        let stone = Tombstone::uncounted(c.document.clone(), removal, order, *reasons);
        at.count(stone, Some(*reasons))
    };
    goes.map(stone).collect()
}

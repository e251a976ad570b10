//! Copying the contacts that stay into a new audience, which shows when it is complete.

use domain::{
    audience::Audience,
    contact::Document,
    operation::{OperationResult, Report},
    recycle::{Keep, Reasons, Rules, Target},
    shared::AudienceId,
};
use kernel::payload;
use ports::{contacts::Priority, crash, store::Durability};

use super::{
    DUPLICATES, RecycleParams,
    checkpoint::{RecycleCheckpoint, save},
    judge::{Candidate, Judge},
    set_name,
    survey::Source,
};
use crate::application::{
    App, AppError, AppResult,
    audiences::{DuplicateParams, UNDO},
    contacts::{Orders, Row, WriteRequest, view_of},
    events,
    operations::{Ending, Job},
};

impl App {
    pub(super) async fn recycle_to_new(
        &self,
        job: &mut Job,
        params: &RecycleParams,
        source: Source,
    ) -> AppResult<()> {
        let Target::New { audience } = params.target else {
            return Ok(());
        };
        let id = job.operation.id;
        if RecycleCheckpoint::of(&job.operation)?.after.is_none() {
            // Nothing is copied yet: who was found before is out of date.
            self.deps.spool.remove(&set_name(id, DUPLICATES))?;
        }
        self.find_duplicates(&source, params, id, &job.signals)
            .await?;
        self.copy(job, params, source, AudienceId::from_raw(audience))
            .await
    }

    pub(crate) async fn run_duplicate(&self, job: &mut Job) -> AppResult<()> {
        let params: DuplicateParams =
            payload::decode(&job.operation.params, "the parameters of a copy")?;
        let workspace = job.operation.workspace.clone();
        let from = AudienceId::from_raw(params.source);
        let found = self.deps.queries.audience(&workspace, from).await?;
        let content = self.content_of(&found.ok_or(AppError::NotFound)?).await?;
        let source = Source {
            workspace,
            key: content.key,
            view: view_of(&content),
        };
        let target = job.operation.audience.ok_or(AppError::NotFound)?;
        let all = RecycleParams {
            rules: Rules::default(),
            keep: Keep::default(),
            target: Target::New {
                audience: target.raw(),
            },
            at: job.operation.created_at,
            accepted_before: 0,
            file: None,
        };
        self.copy(job, &all, source, target).await
    }

    /// Copies what no rule removes, in steps with a checkpoint each, and shows the new audience.
    async fn copy(
        &self,
        job: &mut Job,
        params: &RecycleParams,
        source: Source,
        target: AudienceId,
    ) -> AppResult<()> {
        let mut at = RecycleCheckpoint::of(&job.operation)?;
        at.tally.exclusion = params.exclusion();
        let found = self
            .deps
            .queries
            .audience(&source.workspace, target)
            .await?;
        let mut audience = found.ok_or(AppError::NotFound)?;
        let mut after = at.after.clone().map(Document::from_stored);
        let mut judge = Judge::new(self, &source.workspace, params, job.operation.id).await?;
        judge.begin_after(after.as_ref());
        loop {
            let batch = self.candidates(&source, after.as_ref(), true).await?;
            let Some(last) = batch.last() else { break };
            after = Some(last.document.clone());
            let verdicts = judge.judge(&batch).await?;
            verdicts.iter().for_each(|reasons| at.tally.add(*reasons));
            // Who stood still while reading may hold people who have left since the copy was finished
            // elsewhere.
            job.ensure_held().await?;
            self.store_copies(&mut audience, batch, &verdicts, &mut at)
                .await?;
            crash::point("copy.batch_stored");
            at.after = after.as_ref().map(|d| d.as_str().to_owned());
            save(job, &at).await?;
        }
        self.finish_copy(job, audience, &at).await?;
        self.warm_pages(job, target).await;
        Ok(())
    }

    async fn store_copies(
        &self,
        audience: &mut Audience,
        batch: Vec<Candidate>,
        verdicts: &[Reasons],
        at: &mut RecycleCheckpoint,
    ) -> AppResult<()> {
        let stays = batch
            .into_iter()
            .zip(verdicts)
            .filter(|(_, reasons)| reasons.is_empty());
        let mut rows = Vec::new();
        for (candidate, _) in stays {
            let Some(body) = candidate.body else { continue };
            let row = u32::try_from(at.copied).unwrap_or(u32::MAX);
            rows.push(Row {
                row,
                document: candidate.document,
                body,
            });
            at.copied += 1;
        }
        if rows.is_empty() {
            return Ok(());
        }
        let request = WriteRequest {
            workspace: audience.workspace.clone(),
            rows,
            // The first request of a content that nobody else can write to.
            orders: Orders::Taken(0),
            priority: Priority::Bulk,
        };
        self.write_current(audience, request).await.map(drop)
    }

    async fn finish_copy(
        &self,
        job: &mut Job,
        mut audience: Audience,
        at: &RecycleCheckpoint,
    ) -> AppResult<()> {
        let report = at.tally.report();
        let until = self.deps.clock.now() + UNDO;
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        self.reveal(uow.as_mut(), &mut audience).await?;
        if job.operation.audience != Some(audience.id) {
            let target = Some(audience.id.to_string());
            let done =
                events::recycle_completed(&self.deps, &job.operation, target, &report, until)?;
            self.emit(&mut *uow, done).await?;
        }
        let ending = Ending::succeeded(Report::Removal(report), OperationResult::Complete);
        let ending = ending.undoable(until);
        self.end_leased(uow.as_mut(), &job.lease, &job.operation, &ending)
            .await?;
        uow.commit().await?;
        self.announce(&job.operation);
        Ok(())
    }
}

//! The operation of a file, from the first row to the report.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    audience::Audience,
    operation::{
        Failure, Operation, OperationKind, OperationResult, Progress, Report, UploadReport,
    },
};
use kernel::may_pass;
use operations::{Ending, Job, Run, Signals};
use ports::{
    Clock, crash,
    files::Spool,
    store::{AudienceStore, Durability},
};

use super::{UploadCheckpoint, UploadParams, apply::ApplyRows, read::ReadFile, spool_name};
use crate::{
    AppError, AppResult,
    audience::{AudienceVisibility, FindAudience},
    contact::pages::WarmPages,
    events::Events,
    operation::{EndOperation, UNDO},
};

/// Brings files into audiences.
#[derive(Clone)]
pub(crate) struct RunUpload {
    pub(crate) read: ReadFile,
    pub(crate) apply: ApplyRows,
    pub(crate) find: FindAudience,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) spool: Arc<dyn Spool>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) visibility: AudienceVisibility,
    pub(crate) events: Events,
    pub(crate) ends: EndOperation,
    pub(crate) warm: WarmPages,
}

#[async_trait]
impl Job for RunUpload {
    type Params = UploadParams;
    type Checkpoint = UploadCheckpoint;
    const KINDS: &'static [OperationKind] = &[OperationKind::Upload, OperationKind::Create];

    async fn run(&self, run: &mut Run, params: UploadParams) -> AppResult<()> {
        let mut audience = self.find.of_operation(&run.operation).await?;
        let mut at = Self::reached(&run.operation)?;
        let scratch = spool_name(run.operation.id);
        if at.rows.is_none() {
            at = self
                .read
                .execute(&run.operation, &params, &run.signals)
                .await?;
            save(run, &at).await?;
        } else {
            self.ensure_rows(&run.operation, &params, &run.signals)
                .await?;
        }
        let mut batches = self.apply.batches(run.operation.id, at.offset);
        while let Some(batch) = batches.recv().await {
            let batch = batch?;
            self.apply
                .write(&params, &mut audience, batch, &mut at)
                .await?;
            save(run, &at).await?;
        }
        crash::point("upload.before_finish");
        let id = audience.id;
        self.finish(run, audience, at.report).await?;
        self.warm.warm(&run.operation.workspace, id).await;
        crash::point("upload.finished");
        self.spool.remove(&scratch)?;
        Ok(())
    }

    async fn unfinished(&self, run: &Run) -> AppResult<Option<Report>> {
        let operation = &run.operation;
        if operation.kind != OperationKind::Upload {
            // The audience does not show, whatever was written to it.
            return Ok(None);
        }
        match self.stored(run).await {
            // Another worker will look again.
            Err(AppError::Store(error)) if may_pass(&error) => Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, operation = %operation.id, "reported as of its checkpoint");
                Ok(None)
            }
            Ok(counted) => Ok(counted.map(Report::Upload)),
        }
    }
}

impl RunUpload {
    /// Makes the sorted rows again where they are missing: scratch files are of one machine.
    async fn ensure_rows(
        &self,
        operation: &Operation,
        params: &UploadParams,
        signals: &Arc<Signals>,
    ) -> AppResult<()> {
        if !self.spool.exists(&spool_name(operation.id))? {
            self.read.execute(operation, params, signals).await?;
        }
        Ok(())
    }

    /// What an upload that ends early has stored.
    async fn stored(&self, run: &Run) -> AppResult<Option<UploadReport>> {
        let operation = &run.operation;
        let at = Self::reached(operation)?;
        if at.rows.is_none() {
            return Ok(None);
        }
        let params = Self::params(operation)?;
        // What stops the work does not stop the account of it.
        self.ensure_rows(operation, &params, &Arc::default())
            .await?;
        let audience = self.find.of_operation(operation).await?;
        let key = self.find.content_of(&audience).await?.key;
        self.apply
            .count_stored(operation.id, &params, audience, key, at)
            .await
            .map(Some)
    }

    async fn finish(
        &self,
        run: &mut Run,
        mut audience: Audience,
        report: UploadReport,
    ) -> AppResult<()> {
        let all_rejected = report.received > 0 && report.rejected == report.received;
        let mut uow = self.store.begin(Durability::Full).await?;
        let ending = if all_rejected {
            self.visibility
                .abandon(uow.as_mut(), &run.operation)
                .await?;
            let detail = "every row was rejected; the rejected rows say why";
            let failure = Failure::new("all_rows_rejected", detail);
            Ending::failed(failure, Some(Report::Upload(report)))
        } else {
            let result = if report.rejected > 0 {
                OperationResult::Partial
            } else {
                OperationResult::Complete
            };
            let mut ending = Ending::succeeded(Report::Upload(report.clone()), result);
            if run.operation.kind == OperationKind::Create {
                self.visibility.reveal(uow.as_mut(), &mut audience).await?;
                ending = ending.undoable(self.clock.now() + UNDO);
            }
            let event = self
                .events
                .audience_imported(&audience, run.operation.id, &report)?;
            self.events.emit(&mut *uow, event).await?;
            ending
        };
        self.ends.with(uow, run, &ending).await
    }
}

/// Stores a checkpoint of this operation.
async fn save(run: &mut Run, at: &UploadCheckpoint) -> AppResult<()> {
    let rejected = at.report.rejected;
    let progress = Progress {
        done: rejected + at.written,
        total: at.rows.map(|rows| rows + rejected),
    };
    let report = Some(Report::Upload(at.report.clone()));
    RunUpload::save(run, progress, report, at).await
}

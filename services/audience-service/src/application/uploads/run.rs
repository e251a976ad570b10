//! The operation of a file, from the first row to the report.

use domain::{
    audience::{Audience, Visibility},
    operation::{Failure, OperationKind, OperationResult, Report, UploadReport},
    shared::AudienceId,
};
use ports::{
    crash,
    store::{Durability, UnitOfWork},
};

use super::{spool_name, upload_params};
use crate::application::{
    App, AppError, AppResult,
    audiences::UNDO,
    events,
    operations::{Ending, Job},
};

impl App {
    pub(crate) async fn run_upload(&self, job: &mut Job) -> AppResult<()> {
        let params = upload_params(job)?;
        let mut audience = self.audience_of_job(job).await?;
        let at = self.read_rows(job, &params).await?;
        let at = self.apply_rows(job, &params, &mut audience, at).await?;
        crash::point("upload.before_finish");
        let id = audience.id;
        self.finish_upload(job, audience, at.report).await?;
        self.warm_pages(job, id).await;
        crash::point("upload.finished");
        self.deps.spool.remove(&spool_name(job.operation.id))?;
        Ok(())
    }

    /// Counts the pages of a large audience before anybody asks for one.
    pub(crate) async fn warm_pages(&self, job: &Job, id: AudienceId) {
        let found = self
            .deps
            .queries
            .audience(&job.operation.workspace, id)
            .await;
        // Only time is at stake: the first page counts what is not counted yet.
        let Ok(Some(audience)) = found else { return };
        if let Ok(content) = self.content_of(&audience).await {
            self.pages.warm(&content);
        }
    }

    /// The audience an operation works on, also while nobody else sees it.
    pub(crate) async fn audience_of_job(&self, job: &Job) -> AppResult<Audience> {
        let operation = &job.operation;
        let id = operation.audience.ok_or(AppError::NotFound)?;
        let found = self.deps.queries.audience(&operation.workspace, id).await?;
        found.ok_or(AppError::NotFound)
    }

    async fn finish_upload(
        &self,
        job: &mut Job,
        mut audience: Audience,
        report: UploadReport,
    ) -> AppResult<()> {
        let all_rejected = report.received > 0 && report.rejected == report.received;
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let ending = if all_rejected {
            self.abandon_new_audience(uow.as_mut(), &job.operation)
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
            if job.operation.kind == OperationKind::Create {
                self.reveal(uow.as_mut(), &mut audience).await?;
                ending = ending.undoable(self.deps.clock.now() + UNDO);
            }
            let event =
                events::audience_imported(&self.deps, &audience, job.operation.id, &report)?;
            self.emit(&mut *uow, event).await?;
            ending
        };
        self.end_leased(uow.as_mut(), &job.lease, &job.operation, &ending)
            .await?;
        uow.commit().await?;
        self.announce(&job.operation);
        Ok(())
    }

    /// Shows an audience that an operation has made, and says so.
    pub(crate) async fn reveal(
        &self,
        uow: &mut dyn UnitOfWork,
        audience: &mut Audience,
    ) -> AppResult<()> {
        if self.show(&mut *uow, audience).await? {
            self.emit(&mut *uow, events::audience_created(&self.deps, audience)?)
                .await?;
        }
        Ok(())
    }

    /// The one flip of a creation. Answers whether the audience did not show before.
    pub(crate) async fn show(
        &self,
        uow: &mut dyn UnitOfWork,
        audience: &mut Audience,
    ) -> AppResult<bool> {
        let stored = uow
            .audiences()
            .get(&audience.workspace, audience.id)
            .await?;
        *audience = stored.ok_or(AppError::NotFound)?;
        if audience.visibility == Visibility::Ready {
            return Ok(false);
        }
        audience.visibility = Visibility::Ready;
        audience.updated_at = self.deps.clock.now();
        uow.audiences().save(audience, audience.version).await?;
        Ok(true)
    }
}

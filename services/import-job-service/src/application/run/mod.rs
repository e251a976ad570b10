//! Running imports, in the frame that every operation runs in.

mod asker;
mod contacts;
mod end;
mod messages;
mod page;
mod tickets;
mod turns;

use std::sync::Arc;

use async_trait::async_trait;
use domain::operation::{Failure, OperationKind, Stall};
use operations::{Ending, Handler, JobError, Signals, Stop};
use ports::{
    ErrorClass, StoreError,
    importing::{ClientId, ImportClient, ImportKind},
    store::{Claimed, Lease},
};

use super::{App, AppError, AppResult, start::Params};
pub(crate) use turns::Turns;

/// A run in the hands of this worker.
pub(crate) struct Job {
    pub app: Arc<App>,
    pub client: ImportClient,
    pub lease: Lease,
    pub signals: Arc<Signals>,
}

impl App {
    /// Takes the next run that is due.
    ///
    /// # Errors
    /// Store errors.
    pub async fn claim(&self) -> AppResult<Option<Claimed>> {
        Ok(self.frame.claim(&[OperationKind::Import]).await?)
    }

    /// Works on a run to its end, or until its lease is lost.
    pub async fn work_on(self: &Arc<Self>, claimed: Claimed) {
        self.frame
            .work_on(claimed, &Imports(Arc::clone(self)))
            .await;
    }
}

/// What this service does with its operations.
struct Imports(Arc<App>);

#[async_trait]
impl Handler for Imports {
    type Error = AppError;

    async fn run(&self, job: &mut operations::Job) -> AppResult<()> {
        // Each page is one transaction: the work can be dropped anywhere.
        tokio::select! {
            biased;
            stop = job.signals.stopped() => Err(stop.into()),
            outcome = self.run_from_checkpoint(job) => outcome,
        }
    }

    async fn end(&self, job: &operations::Job, ending: Ending) -> AppResult<()> {
        let workspace = &job.operation.workspace;
        self.0.end_leased(&job.lease, workspace, &ending).await
    }
}

impl Imports {
    async fn run_from_checkpoint(&self, job: &operations::Job) -> AppResult<()> {
        let (app, claimed, lease) = (&self.0, &job.operation, &job.lease);
        let (params, kind) = Params::of(claimed)?;
        let workspace = &claimed.workspace;
        let mut unit = app.deps.store.begin_import().await?;
        let id = ClientId(params.client);
        let found = unit.clients().get(workspace, id).await?;
        let client = found.ok_or(AppError::NotFound)?;
        let found = unit.operations().get(workspace, lease.operation).await?;
        let operation = found.ok_or(Stop::LeaseLost)?;
        drop(unit);
        let job = Arc::new(Job {
            app: Arc::clone(app),
            lease: lease.clone(),
            client,
            signals: Arc::clone(&job.signals),
        });
        let asker = job.asker().await?;
        match kind {
            ImportKind::Tickets => tickets::run(&job, &asker, &operation.checkpoint).await,
            ImportKind::Contacts => contacts::run(&job, &asker, &operation.checkpoint).await,
        }
    }
}

impl JobError for AppError {
    fn stop(&self) -> Option<Stop> {
        match self {
            Self::Stop(stop) => Some(*stop),
            _ => None,
        }
    }

    fn stall(&self) -> Option<Stall> {
        match self {
            Self::Store(StoreError::DiskFull) => Some(Stall::DiskFull),
            Self::Store(error) if error.class() == ErrorClass::Transient => Some(Stall::StoreAway),
            // Lost to another replica at this moment.
            Self::Store(StoreError::StaleVersion) => Some(Stall::StoreAway),
            _ => None,
        }
    }

    fn failure(&self) -> Failure {
        let code = match self {
            Self::Source(error) => error.code(),
            Self::Walk(error) => error.code(),
            Self::Skipped { code } => code,
            Self::NothingReadable => "nothing_readable",
            Self::TokenLost => "token_lost",
            Self::NotFound => "client_gone",
            Self::Conflict { code, .. } => code,
            Self::Store(StoreError::Unavailable(_)) => {
                let detail = "a store could not be reached; retry later";
                return Failure::new("unavailable", detail);
            }
            _ => {
                let detail = "an internal error; the log has its cause";
                return Failure::new("internal", detail);
            }
        };
        Failure::new(code, self.to_string())
    }
}

//! Running imports, in the frame that every operation runs in.

mod asker;
mod contacts;
mod end;
mod messages;
mod page;
mod state;
mod tickets;
mod turns;

use std::sync::Arc;

use async_trait::async_trait;
use domain::operation::OperationKind;
use kernel::Stop;
use operations::{Ending, Handler, Signals};
use ports::{
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
        let gone = || AppError::failed("client_gone", "the client is no longer there");
        let client = found.ok_or_else(gone)?;
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

/// Not one of the rows that came can be read.
fn nothing_readable() -> AppError {
    AppError::failed("nothing_readable", "none of the rows that came can be read")
}

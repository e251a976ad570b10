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
use operations::{End, Ending, Jobs, Run, Signals};
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
        self.frame.work_on(claimed, &self.jobs()).await;
    }

    /// What this service's workers run.
    pub(crate) fn jobs(self: &Arc<Self>) -> Jobs {
        let imports = || Imports(Arc::clone(self));
        Jobs::new(Arc::new(imports())).with(imports())
    }
}

/// Runs imports.
struct Imports(Arc<App>);

#[async_trait]
impl operations::Job for Imports {
    type Params = Params;
    /// Which it is depends on the kind of the import.
    type Checkpoint = serde_json::Value;
    const KINDS: &'static [OperationKind] = &[OperationKind::Import];

    async fn run(&self, run: &mut Run, params: Params) -> AppResult<()> {
        // Each page is one transaction: the work can be dropped anywhere.
        tokio::select! {
            biased;
            stop = run.signals.stopped() => Err(stop.into()),
            outcome = self.run_from_checkpoint(run, params) => outcome,
        }
    }
}

#[async_trait]
impl End for Imports {
    async fn end(&self, run: &Run, ending: Ending) -> AppResult<()> {
        let workspace = &run.operation.workspace;
        self.0.end_leased(&run.lease, workspace, &ending).await
    }
}

impl Imports {
    async fn run_from_checkpoint(&self, run: &Run, params: Params) -> AppResult<()> {
        let (app, claimed, lease) = (&self.0, &run.operation, &run.lease);
        let kind = params.kind()?;
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
            signals: Arc::clone(&run.signals),
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

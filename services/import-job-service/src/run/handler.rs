//! Imports as the operations that they are: claimed, run and ended in the framework of long work.

use std::sync::Arc;

use async_trait::async_trait;
use domain::operation::OperationKind;
use kernel::AppError;
use operations::{End, Ending, Frame, Job, Jobs, Run};
use ports::{StoreError, store::Claimed};

use super::{Params, work::Importer};

/// Works on runs that are due.
#[derive(Clone)]
pub struct ImportWorker {
    pub frame: Arc<Frame>,
    importer: Arc<Importer>,
}

impl ImportWorker {
    /// A worker that imports like this.
    pub fn new(frame: Arc<Frame>, importer: Importer) -> Self {
        Self {
            frame,
            importer: Arc::new(importer),
        }
    }

    /// What workers run.
    pub fn jobs(&self) -> Jobs {
        let import = || Import(Arc::clone(&self.importer));
        Jobs::new(Arc::new(import())).with(import())
    }

    /// Takes the next run that is due.
    pub async fn claim(&self) -> Result<Option<Claimed>, StoreError> {
        self.frame.claim(&[OperationKind::Import]).await
    }

    /// Works on a run to its end, or until its lease is lost.
    pub async fn work_on(&self, claimed: Claimed) {
        self.frame.work_on(claimed, &self.jobs()).await;
    }
}

/// Runs imports, and ends those that do not end themselves.
struct Import(Arc<Importer>);

#[async_trait]
impl Job for Import {
    type Params = Params;
    /// Its form depends on what is imported.
    type Checkpoint = serde_json::Value;
    const KINDS: &'static [OperationKind] = &[OperationKind::Import];

    async fn run(&self, run: &mut Run, params: Params) -> Result<(), AppError> {
        // Each page is one transaction: the work can be dropped anywhere.
        tokio::select! {
            biased;
            stop = run.signals.stopped() => Err(stop.into()),
            outcome = self.0.run(&run.operation, &params, &run.lease, &run.signals) => outcome,
        }
    }
}

#[async_trait]
impl End for Import {
    async fn end(&self, run: &Run, ending: Ending) -> Result<(), AppError> {
        let workspace = &run.operation.workspace;
        let end = &self.0.end;
        end.execute(&run.lease, workspace, &ending, None).await
    }
}

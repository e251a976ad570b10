//! What an operation does, by its kind: a capability says it with a [`Job`], a service registers them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::operation::{Operation, OperationKind, Progress, Report};
use kernel::{AppError, payload};
use ports::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Ending, Run};

/// Long work of one capability.
#[async_trait]
pub trait Job: Send + Sync {
    /// What it works from, stored with the operation when it is accepted.
    type Params: Serialize + DeserializeOwned + Send;
    /// From where it goes on after a crash, a retry or a move to another worker; the default at its beginning.
    type Checkpoint: Serialize + DeserializeOwned + Default + Send + Sync;
    /// The operations that it runs.
    const KINDS: &'static [OperationKind];

    /// Runs an operation from its checkpoint to its end, which it stores itself.
    async fn run(&self, run: &mut Run, params: Self::Params) -> Result<(), AppError>;

    /// The report of a run that ends early, where it is later than the one stored with its checkpoint.
    async fn unfinished(&self, _run: &Run) -> Result<Option<Report>, AppError> {
        Ok(None)
    }

    /// The parameters of an operation.
    ///
    /// # Errors
    /// `Corrupt` where they are not those of this job.
    fn params(operation: &Operation) -> Result<Self::Params, StoreError> {
        payload::decode(&operation.params, "the parameters of an operation")
    }

    /// Where an operation stands.
    ///
    /// # Errors
    /// `Corrupt` where it is no checkpoint of this job.
    fn reached(operation: &Operation) -> Result<Self::Checkpoint, StoreError> {
        let stored: Option<Self::Checkpoint> =
            payload::decode(&operation.checkpoint, "the checkpoint of an operation")?;
        Ok(stored.unwrap_or_default())
    }

    /// Stores how far the work is and from where to go on.
    ///
    /// # Errors
    /// `Stop` when the work should not go on; store errors.
    async fn save(
        run: &mut Run,
        progress: Progress,
        report: Option<Report>,
        reached: &Self::Checkpoint,
    ) -> Result<(), AppError> {
        let checkpoint = payload::encode(reached)?;
        run.checkpoint(progress, report, checkpoint).await
    }
}

/// Ends operations of a service, whatever their kind.
#[async_trait]
pub trait End: Send + Sync {
    /// Ends an operation whose run failed or was cancelled, and gives back what it held.
    async fn end(&self, run: &Run, ending: Ending) -> Result<(), AppError>;
}

/// A job whose types are told from the operation.
#[async_trait]
trait AnyJob: Send + Sync {
    fn kinds(&self) -> &'static [OperationKind];
    async fn run(&self, run: &mut Run) -> Result<(), AppError>;
    async fn unfinished(&self, run: &Run) -> Result<Option<Report>, AppError>;
}

#[async_trait]
impl<J: Job> AnyJob for J {
    fn kinds(&self) -> &'static [OperationKind] {
        J::KINDS
    }

    async fn run(&self, run: &mut Run) -> Result<(), AppError> {
        let params = J::params(&run.operation)?;
        Job::run(self, run, params).await
    }

    async fn unfinished(&self, run: &Run) -> Result<Option<Report>, AppError> {
        Job::unfinished(self, run).await
    }
}

/// The jobs of a service.
#[derive(Clone)]
pub struct Jobs {
    jobs: Vec<Arc<dyn AnyJob>>,
    ends: Arc<dyn End>,
}

impl Jobs {
    /// None yet.
    pub fn new(ends: Arc<dyn End>) -> Self {
        Self {
            jobs: Vec::new(),
            ends,
        }
    }

    /// Registers one.
    #[must_use]
    pub fn with<J: Job + 'static>(mut self, job: J) -> Self {
        self.jobs.push(Arc::new(job));
        self
    }

    fn of(&self, kind: OperationKind) -> Result<&dyn AnyJob, AppError> {
        let found = self.jobs.iter().find(|job| job.kinds().contains(&kind));
        let job = found.ok_or(StoreError::Corrupt("the kind of an operation"))?;
        Ok(job.as_ref())
    }

    pub(crate) async fn run(&self, run: &mut Run) -> Result<(), AppError> {
        self.of(run.operation.kind)?.run(run).await
    }

    /// Ends a run that did not end its operation itself.
    pub(crate) async fn end(&self, run: &Run, ending: Ending) -> Result<(), AppError> {
        let report = self.of(run.operation.kind)?.unfinished(run).await?;
        self.ends.end(run, Ending { report, ..ending }).await
    }
}

/// The stored form of parameters.
///
/// # Errors
/// `Internal` where they have none.
pub fn params<J: Job>(params: &J::Params) -> Result<Value, StoreError> {
    payload::encode(params)
}

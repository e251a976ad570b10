//! Reads a batch.

use std::sync::Arc;

use domain::operation::OperationState;
use kernel::AppError;
use ports::importing::{Batch, BatchId, BatchRun, ImportQueries};

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// A run of it has not ended.
    Running,
    /// All have, or there was none.
    Completed,
}

impl BatchState {
    /// Of a batch with these runs.
    fn of(runs: &[BatchRun]) -> Self {
        let ended = |run: &BatchRun| OperationState::is_terminal(run.state);
        if runs.iter().all(ended) {
            Self::Completed
        } else {
            Self::Running
        }
    }
}

/// Reads batches.
#[derive(Clone)]
pub struct ReadBatch {
    pub queries: Arc<dyn ImportQueries>,
}

impl ReadBatch {
    /// A batch, its runs, and where it stands.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "batch.one", skip_all)]
    pub async fn execute(
        &self,
        id: BatchId,
    ) -> Result<(Batch, Vec<BatchRun>, BatchState), AppError> {
        let found = self.queries.batch(id).await?;
        let (batch, runs) = found.ok_or(AppError::NotFound)?;
        let state = BatchState::of(&runs);
        Ok((batch, runs, state))
    }
}

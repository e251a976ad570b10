//! Reads runs.

use std::sync::Arc;

use domain::shared::OperationId;
use kernel::{Actor, AppError, cut};
use operations::Frame;
use ports::importing::{ImportQueries, Run, RunFilter};

/// Reads runs as this process knows them, which may work on them.
#[derive(Clone)]
pub struct ReadRuns {
    pub queries: Arc<dyn ImportQueries>,
    pub frame: Arc<Frame>,
}

impl ReadRuns {
    /// One run.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "run.one", skip_all)]
    pub async fn get(&self, actor: &Actor, id: OperationId) -> Result<Run, AppError> {
        let found = self.queries.run(&actor.workspace, id).await?;
        Ok(self.seen(found.ok_or(AppError::NotFound)?))
    }

    /// Runs, newest first, and whether there are more.
    #[tracing::instrument(name = "run.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        mut filter: RunFilter,
    ) -> Result<(Vec<Run>, bool), AppError> {
        let limit = filter.limit;
        filter.limit += 1;
        let rows = self.queries.runs(&actor.workspace, &filter).await?;
        let seen = rows.into_iter().map(|run| self.seen(run));
        Ok(cut(seen.collect(), limit))
    }

    fn seen(&self, run: Run) -> Run {
        let operation = self.frame.stalls.annotate(run.operation);
        Run { operation, ..run }
    }
}

//! Finding operations.

use std::sync::Arc;

use domain::{
    operation::{Operation, Report},
    shared::OperationId,
};
use operations::Frame;
use ports::store::OperationFilter;

use crate::{Actor, AppError, AppResult};

/// Finds operations that somebody asked for.
#[derive(Clone)]
pub struct FindOperation {
    pub(crate) frame: Arc<Frame>,
}

impl FindOperation {
    /// One operation.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "operation.get", skip_all)]
    pub async fn get(&self, actor: &Actor, id: OperationId) -> AppResult<Operation> {
        let found = self.frame.operation(&actor.workspace, id).await?;
        found.ok_or(AppError::NotFound)
    }

    /// Operations, newest first, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "operation.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        mut filter: OperationFilter,
    ) -> AppResult<(Vec<Operation>, bool)> {
        let limit = usize::try_from(filter.limit).unwrap_or(0);
        filter.limit += 1;
        let mut rows = self.frame.operations(&actor.workspace, &filter).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, more))
    }
}

/// Whether rows are kept that could not be taken.
pub fn has_rejected(operation: &Operation) -> bool {
    match &operation.report {
        Some(Report::Upload(report)) => report.rejected > 0 && operation.state.is_terminal(),
        Some(Report::Removal(report)) => report.unreadable.is_some_and(|rows| rows > 0),
        _ => false,
    }
}

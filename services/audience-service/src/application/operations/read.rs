//! Reading operations, and waiting for one to end.

use std::time::Duration;

use domain::{operation::Operation, shared::OperationId};
use ports::store::OperationFilter;

use crate::application::{Actor, App, AppError, AppResult, Topic};

/// How long a waiter sleeps at most before it looks again.
const POLL: Duration = Duration::from_millis(500);

/// An operation with what can be done with it now.
#[derive(Debug, Clone)]
pub struct OperationWithLinks {
    /// The operation.
    pub operation: Operation,
    /// Whether it can be cancelled, retried, undone.
    pub can: Abilities,
}

/// What can be done with an operation now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// It has not ended.
    pub cancel: bool,
    /// It failed or was cancelled.
    pub retry: bool,
    /// It has an undo that has not run out.
    pub undo: bool,
    /// Rejected rows are kept.
    pub rejected: bool,
}

impl App {
    /// One operation.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn operation(&self, actor: &Actor, id: OperationId) -> AppResult<Operation> {
        let found = self.deps.queries.operation(&actor.workspace, id).await?;
        let found = found.filter(|operation| operation.kind.is_asked_for());
        let found = found.ok_or(AppError::NotFound)?;
        Ok(self.frame.stalls.seen(found))
    }

    /// Operations, newest first, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    pub async fn operations(
        &self,
        actor: &Actor,
        mut filter: OperationFilter,
    ) -> AppResult<(Vec<Operation>, bool)> {
        let limit = usize::try_from(filter.limit).unwrap_or(0);
        filter.limit += 1;
        let mut rows = self
            .deps
            .queries
            .operations(&actor.workspace, &filter)
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let seen = rows.into_iter().map(|row| self.frame.stalls.seen(row));
        Ok((seen.collect(), more))
    }

    /// What can be done with an operation now.
    pub fn abilities(&self, operation: Operation) -> OperationWithLinks {
        use domain::operation::{OperationState, Report};
        let now = self.deps.clock.now();
        let state = operation.state;
        let rejected = match &operation.report {
            Some(Report::Upload(report)) => report.rejected > 0 && state.is_terminal(),
            Some(Report::Removal(report)) => report.unreadable.is_some_and(|rows| rows > 0),
            _ => false,
        };
        let undoable = operation.undo_until.is_some_and(|until| now < until);
        let can = Abilities {
            cancel: !state.is_terminal(),
            retry: matches!(state, OperationState::Failed | OperationState::Cancelled),
            undo: undoable && operation.undone_at.is_none(),
            rejected,
        };
        OperationWithLinks { operation, can }
    }

    /// Waits until the operation ends, at most `patience`; answers it as it is then.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn wait_for(
        &self,
        actor: &Actor,
        id: OperationId,
        patience: Duration,
    ) -> AppResult<Operation> {
        let mut topics = self.wake.subscribe();
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let operation = self.operation(actor, id).await?;
            if operation.state.is_terminal() || tokio::time::Instant::now() >= deadline {
                return Ok(operation);
            }
            let poll = (tokio::time::Instant::now() + POLL).min(deadline);
            let changed = Topic::Operation(id.raw());
            let _ = tokio::time::timeout_at(poll, changed.heard(&mut topics)).await;
        }
    }
}

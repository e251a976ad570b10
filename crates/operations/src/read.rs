//! Reading operations, and waiting for one to end.

use std::time::Duration;

use domain::{
    operation::Operation,
    shared::{Instant, OperationId, WorkspaceId},
};
use kernel::{Topic, Wake};
use ports::{StoreError, store::OperationFilter};
use tokio::time;

use crate::Frame;

/// How long a waiter sleeps at most before it looks again: another process may have the operation.
const POLL: Duration = Duration::from_millis(500);

impl Frame {
    /// One operation that somebody asked for, as it is now.
    ///
    /// # Errors
    /// Store errors.
    pub async fn operation(
        &self,
        workspace: &WorkspaceId,
        id: OperationId,
    ) -> Result<Option<Operation>, StoreError> {
        let found = self.queries.operation(workspace, id).await?;
        let found = found.filter(|operation| operation.kind.is_asked_for());
        Ok(found.map(|operation| self.stalls.annotate(operation)))
    }

    /// Operations, newest first.
    ///
    /// # Errors
    /// Store errors.
    pub async fn operations(
        &self,
        workspace: &WorkspaceId,
        filter: &OperationFilter,
    ) -> Result<Vec<Operation>, StoreError> {
        let rows = self.queries.operations(workspace, filter).await?;
        let seen = rows.into_iter().map(|row| self.stalls.annotate(row));
        Ok(seen.collect())
    }

    /// Waits until the operation ends, at most `patience`; answers it as it is then.
    ///
    /// # Errors
    /// Store errors.
    pub async fn wait_for(
        &self,
        workspace: &WorkspaceId,
        id: OperationId,
        patience: Duration,
    ) -> Result<Option<Operation>, StoreError> {
        let mut topics = self.wake.subscribe();
        let deadline = time::Instant::now() + patience;
        loop {
            let operation = self.operation(workspace, id).await?;
            let live = |operation: &Operation| !operation.state.is_terminal();
            if !operation.as_ref().is_some_and(live) || time::Instant::now() >= deadline {
                return Ok(operation);
            }
            let poll = (time::Instant::now() + POLL).min(deadline);
            let changed = Topic::Operation(id.raw());
            // Heard or not, the store says what is so.
            _ = time::timeout_at(poll, changed.heard(&mut topics)).await;
        }
    }

    /// What is told when an operation changes.
    pub const fn wake(&self) -> &Wake {
        &self.wake
    }

    /// The time by which operations are looked at.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }
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
}

impl Abilities {
    /// Those of an operation.
    pub fn of(operation: &Operation, now: Instant) -> Self {
        let undoable = operation.undo_until.is_some_and(|until| now < until);
        Self {
            cancel: !operation.state.is_terminal(),
            retry: operation.state.is_retryable(),
            undo: undoable && operation.undone_at.is_none(),
        }
    }
}

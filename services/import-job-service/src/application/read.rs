//! Reading runs, batches, and what was imported.

use domain::{importing::ExternalId, operation::OperationState, shared::OperationId};
use ports::importing::{
    Batch, BatchId, BatchRun, ClientId, MessageFilter, Run, RunFilter, StoredMessage, TicketFilter,
    TicketRow,
};

use super::{Actor, App, AppError, AppResult};

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// A run of it has not ended.
    Running,
    /// All have, or there was none.
    Completed,
}

impl App {
    /// One run.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn run(&self, actor: &Actor, id: OperationId) -> AppResult<Run> {
        let found = self.deps.queries.run(&actor.workspace, id).await?;
        Ok(self.seen(found.ok_or(AppError::NotFound)?))
    }

    /// Runs, newest first, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    pub async fn runs(&self, actor: &Actor, mut filter: RunFilter) -> AppResult<(Vec<Run>, bool)> {
        let limit = filter.limit;
        filter.limit += 1;
        let rows = self.deps.queries.runs(&actor.workspace, &filter).await?;
        let seen = rows.into_iter().map(|run| self.seen(run));
        Ok(cut(seen.collect(), limit))
    }

    /// A run as this process knows it, which may work on it.
    fn seen(&self, run: Run) -> Run {
        let operation = self.frame.stalls.seen(run.operation);
        Run { operation, ..run }
    }

    /// A batch, its runs, and where it stands.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    pub async fn batch(&self, id: BatchId) -> AppResult<(Batch, Vec<BatchRun>, BatchState)> {
        let found = self.deps.queries.batch(id).await?;
        let (batch, runs) = found.ok_or(AppError::NotFound)?;
        let ended = runs
            .iter()
            .all(|run| OperationState::is_terminal(run.state));
        let state = if ended {
            BatchState::Completed
        } else {
            BatchState::Running
        };
        Ok((batch, runs, state))
    }

    /// Imported tickets of a client, and whether there are more.
    ///
    /// # Errors
    /// `NotFound` where there is no such client; store errors.
    pub async fn tickets(
        &self,
        actor: &Actor,
        client: ClientId,
        mut filter: TicketFilter,
    ) -> AppResult<(Vec<TicketRow>, bool)> {
        self.client(actor, client).await?;
        let limit = filter.limit;
        filter.limit += 1;
        let rows = self.deps.queries.tickets(client, &filter).await?;
        Ok(cut(rows, limit))
    }

    /// Imported messages of a ticket, and whether there are more.
    ///
    /// # Errors
    /// `NotFound` where there is no such client or ticket; store errors.
    pub async fn messages(
        &self,
        actor: &Actor,
        client: ClientId,
        ticket: &ExternalId,
        mut filter: MessageFilter,
    ) -> AppResult<(Vec<StoredMessage>, bool)> {
        self.client(actor, client).await?;
        let limit = filter.limit;
        filter.limit += 1;
        let found = self.deps.queries.messages(client, ticket, &filter).await?;
        Ok(cut(found.ok_or(AppError::NotFound)?, limit))
    }
}

/// A page, and whether a row more than that was found.
pub(super) fn cut<T>(mut rows: Vec<T>, limit: i64) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > limit;
    rows.truncate(limit);
    (rows, more)
}

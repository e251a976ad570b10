//! Reads communications.

use std::sync::Arc;

use domain::{
    scheduling::{Communication, Occurrence, Recipient, Totals},
    shared::CommunicationId,
};
use kernel::{Actor, AppError, cut};
use ports::scheduling::{CommunicationFilter, RecipientFilter, ScheduleQueries};

/// Reads communications.
#[derive(Clone)]
pub struct ReadCommunications {
    pub queries: Arc<dyn ScheduleQueries>,
}

impl ReadCommunications {
    /// One, with where the recipients of its latest occurrence stand.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "communication.one", skip_all)]
    pub async fn get(
        &self,
        actor: &Actor,
        id: CommunicationId,
    ) -> Result<(Communication, Totals), AppError> {
        let communication = self.one(actor, id).await?;
        let (workspace, occurrence) = (&actor.workspace, communication.occurrence);
        let totals = self.queries.totals(workspace, id, occurrence).await?;
        Ok((communication, totals))
    }

    /// One of a workspace.
    async fn one(&self, actor: &Actor, id: CommunicationId) -> Result<Communication, AppError> {
        let found = self.queries.communication(&actor.workspace, id).await?;
        found.ok_or(AppError::NotFound)
    }

    /// Communications, newest first, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "communication.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        mut filter: CommunicationFilter,
    ) -> Result<(Vec<Communication>, bool), AppError> {
        let limit = filter.limit;
        filter.limit += 1;
        let rows = self
            .queries
            .communications(&actor.workspace, &filter)
            .await?;
        Ok(cut(rows, limit))
    }

    /// Occurrences of one, latest first, and whether there are more.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "communication.occurrences", skip_all)]
    pub async fn occurrences(
        &self,
        actor: &Actor,
        id: CommunicationId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<(Vec<Occurrence>, bool), AppError> {
        self.one(actor, id).await?;
        let (queries, workspace) = (&self.queries, &actor.workspace);
        let rows = queries
            .occurrences(workspace, id, before, limit + 1)
            .await?;
        Ok(cut(rows, limit))
    }

    /// Recipients of one, by channel and key, and whether there are more. Of its latest occurrence where the filter
    /// says 0.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "communication.recipients", skip_all)]
    pub async fn recipients(
        &self,
        actor: &Actor,
        id: CommunicationId,
        mut filter: RecipientFilter,
    ) -> Result<(Vec<Recipient>, bool), AppError> {
        let communication = self.one(actor, id).await?;
        if filter.occurrence == 0 {
            filter.occurrence = communication.occurrence;
        }
        let limit = filter.limit;
        filter.limit += 1;
        let queries = &self.queries;
        let rows = queries.recipients_of(&actor.workspace, id, &filter).await?;
        Ok(cut(rows, limit))
    }
}

//! Rows that were imported.

use std::sync::Arc;

use domain::{importing::ExternalId, shared::ClientId};
use kernel::{Actor, AppError, cut};
use ports::importing::{ImportQueries, MessageFilter, StoredMessage, TicketFilter, TicketRow};

use crate::client::ReadClients;

/// Reads imported rows.
#[derive(Clone)]
pub struct ReadRows {
    pub queries: Arc<dyn ImportQueries>,
    pub clients: ReadClients,
}

impl ReadRows {
    /// Imported tickets of a client, and whether there are more.
    ///
    /// # Errors
    /// `NotFound` where there is no such client; store errors.
    #[tracing::instrument(name = "row.tickets", skip_all)]
    pub async fn tickets(
        &self,
        actor: &Actor,
        client: ClientId,
        mut filter: TicketFilter,
    ) -> Result<(Vec<TicketRow>, bool), AppError> {
        self.clients.get(actor, client).await?;
        let limit = filter.limit;
        filter.limit += 1;
        let rows = self.queries.tickets(client, &filter).await?;
        Ok(cut(rows, limit))
    }

    /// Imported messages of a ticket, and whether there are more.
    ///
    /// # Errors
    /// `NotFound` where there is no such client or ticket; store errors.
    #[tracing::instrument(name = "row.messages", skip_all)]
    pub async fn messages(
        &self,
        actor: &Actor,
        client: ClientId,
        ticket: &ExternalId,
        mut filter: MessageFilter,
    ) -> Result<(Vec<StoredMessage>, bool), AppError> {
        self.clients.get(actor, client).await?;
        let limit = filter.limit;
        filter.limit += 1;
        let found = self.queries.messages(client, ticket, &filter).await?;
        Ok(cut(found.ok_or(AppError::NotFound)?, limit))
    }
}

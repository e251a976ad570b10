//! Reads clients.

use std::sync::Arc;

use domain::{importing::ClientSlug, shared::ClientId};
use kernel::{Actor, AppError, cut};
use ports::importing::{ImportClient, ImportQueries};

/// Reads clients.
#[derive(Clone)]
pub struct ReadClients {
    pub queries: Arc<dyn ImportQueries>,
}

impl ReadClients {
    /// One client.
    ///
    /// # Errors
    /// `NotFound`; store errors.
    #[tracing::instrument(name = "client.one", skip_all)]
    pub async fn get(&self, actor: &Actor, id: ClientId) -> Result<ImportClient, AppError> {
        let found = self.queries.client(&actor.workspace, id).await?;
        found.ok_or(AppError::NotFound)
    }

    /// Clients in the order they were created, and whether there are more.
    #[tracing::instrument(name = "client.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        slug: Option<&ClientSlug>,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<(Vec<ImportClient>, bool), AppError> {
        let workspace = &actor.workspace;
        let rows = self.queries.clients(workspace, slug, after, limit + 1);
        Ok(cut(rows.await?, limit))
    }
}

//! Creates a client.

use std::sync::Arc;

use domain::shared::ClientId;
use kernel::{Actor, AppError, RequestId, receipt};
use ports::importing::{ImportClient, ImportStore};

use super::{ClientBuilder, NewClient, write_error};

/// Creates clients.
#[derive(Clone)]
pub struct CreateClient {
    pub store: Arc<dyn ImportStore>,
    pub builder: ClientBuilder,
}

impl CreateClient {
    /// Creates a client; a repeated request answers the one that it created.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` with `slug_taken`; store errors.
    #[tracing::instrument(name = "client.create", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        new: NewClient,
    ) -> Result<ImportClient, AppError> {
        let mut unit = self.store.begin_import().await?;
        if let Some(id) = receipt::earlier(unit.receipts(), request_id).await? {
            let found = unit
                .clients()
                .get(&actor.workspace, ClientId::from_raw(id))
                .await?;
            if let Some(client) = found {
                return Ok(client);
            }
        }
        let client = self.builder.build(actor, &new)?;
        unit.clients().add(&client).await.map_err(write_error)?;
        receipt::keep(unit.receipts(), request_id, &client.id.raw()).await?;
        unit.commit().await?;
        Ok(client)
    }
}

//! Creates a client unless there is one of its slug.

use std::sync::Arc;

use domain::importing::ClientSlug;
use kernel::{Actor, AppError, RequestId, receipt};
use ports::{
    StoreError,
    importing::{ImportClient, ImportStore, ImportUnit},
};

use super::{ClientBuilder, NewClient, slug_taken};

/// A client that was created or was there before.
#[derive(Debug, Clone)]
pub struct Ensured {
    /// The client.
    pub client: ImportClient,
    /// Whether it was just created.
    pub created: bool,
}

/// Creates clients that are not there yet.
#[derive(Clone)]
pub struct EnsureClient {
    pub store: Arc<dyn ImportStore>,
    pub builder: ClientBuilder,
}

impl EnsureClient {
    /// Creates a client unless there is one of that slug, which then stays as it is.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` with `slug_taken` where another workspace has it; store errors.
    #[tracing::instrument(name = "client.ensure", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        new: NewClient,
    ) -> Result<Ensured, AppError> {
        let client = self.builder.build(actor, &new)?;
        let there = |client| Ensured {
            client,
            created: false,
        };
        let mut unit = self.store.begin_import().await?;
        if let Some(client) = find(unit.as_mut(), actor, &client.slug).await? {
            return Ok(there(client));
        }
        let added = unit.clients().add(&client).await;
        if matches!(added, Err(StoreError::Conflict { .. })) {
            // Another request created it in between.
            drop(unit);
            let mut unit = self.store.begin_import().await?;
            let found = find(unit.as_mut(), actor, &client.slug).await?;
            return Ok(there(found.ok_or_else(slug_taken)?));
        }
        added?;
        receipt::keep(unit.receipts(), request_id, &client.id.raw()).await?;
        unit.commit().await?;
        Ok(Ensured {
            client,
            created: true,
        })
    }
}

/// The client of a slug, if it is the caller's.
async fn find(
    unit: &mut dyn ImportUnit,
    actor: &Actor,
    slug: &ClientSlug,
) -> Result<Option<ImportClient>, AppError> {
    match unit.clients().by_slug(slug).await? {
        Some(client) if client.workspace == actor.workspace => Ok(Some(client)),
        Some(_) => Err(slug_taken()),
        None => Ok(None),
    }
}

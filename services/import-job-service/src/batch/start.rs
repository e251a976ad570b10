//! Starts the runs of one client or of all that are active.

use std::sync::Arc;

use domain::{
    importing::ClientSlug,
    shared::{OperationId, UserId},
};
use kernel::{AppError, Wake};
use ports::{
    StoreError,
    importing::{Batch, BatchId, ImportClient, ImportKind, ImportStore, ImportUnit},
};

use crate::run::RunStarter;

/// Clients read at a time.
const PAGE: i64 = 500;
/// Who starts what the holder of the administrator's token asks for.
const ADMINISTRATOR: &str = "admin";

/// Starts batches.
#[derive(Clone)]
pub struct StartBatch {
    pub store: Arc<dyn ImportStore>,
    pub starter: RunStarter,
    pub wake: Wake,
}

impl StartBatch {
    /// Starts runs of the client that the slug names, or of all active clients. One that is not there or not
    /// active is none.
    #[tracing::instrument(name = "batch.start", skip_all)]
    pub async fn execute(&self, kind: ImportKind, slug: Option<&str>) -> Result<BatchId, AppError> {
        let user = UserId::parse(ADMINISTRATOR).map_err(|e| StoreError::Internal(Box::new(e)))?;
        let mut unit = self.store.begin_import().await?;
        let mut runs = Vec::new();
        let mut after = None;
        loop {
            let clients = match slug {
                Some(slug) => named(unit.as_mut(), slug).await?,
                None => unit.clients().active(after, PAGE).await?,
            };
            let last = clients.last().map(|client| client.id);
            for client in &clients {
                let begin = self.starter.begin(unit.as_mut(), client, kind, &user);
                runs.push(begin.await?);
            }
            if slug.is_some() || last.is_none() {
                break;
            }
            after = last;
        }
        let batch = Batch {
            id: OperationId::from_raw(self.starter.ids.next()),
            slug: slug.map(|slug| slug.chars().take(64).collect()),
            kind,
            created_at: self.starter.clock.now(),
        };
        unit.batches().add(&batch, &runs).await?;
        unit.commit().await?;
        self.wake.work();
        Ok(batch.id)
    }
}

/// The active client that a slug names.
async fn named(unit: &mut dyn ImportUnit, slug: &str) -> Result<Vec<ImportClient>, StoreError> {
    let client = match ClientSlug::parse(slug) {
        Ok(slug) => unit.clients().by_slug(&slug).await?,
        Err(_) => None,
    };
    Ok(client.filter(|client| client.active).into_iter().collect())
}

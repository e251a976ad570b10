//! Reading and changing where customers are.

use std::sync::Arc;

use domain::segment::{BigQuerySource, GivenCredentials, SegmentSource, SourceCredentials};
use ports::{
    Clock,
    store::{AudienceStore, Durability, StoredCredentials, StoredSource},
    warehouse::WarehouseError,
};

use super::OpenSource;
use crate::{Actor, AppError, AppResult};

/// Reads and changes where the customers of a workspace's segments are.
#[derive(Clone)]
pub struct SetSegmentSource {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) open: OpenSource,
}

impl SetSegmentSource {
    /// The source of the caller's workspace, without its secret.
    ///
    /// # Errors
    /// Store errors.
    pub async fn read(&self, actor: &Actor) -> AppResult<SegmentSource> {
        let stored = self.open.queries.segment_source(&actor.workspace).await?;
        Ok(stored.map_or(SegmentSource::Local, shown))
    }

    /// Sets the source. Audiences are resolved there from their next refresh on.
    ///
    /// # Errors
    /// `Invalid` where credentials are to stay of which there are none, or those that are given cannot be used.
    #[tracing::instrument(name = "segment_source.set", skip_all)]
    pub async fn execute(&self, actor: &Actor, source: SegmentSource) -> AppResult<SegmentSource> {
        let workspace = &actor.workspace;
        let SegmentSource::BigQuery(source, given) = source else {
            let mut uow = self.store.begin(Durability::Full).await?;
            uow.segment_sources().delete(workspace).await?;
            uow.commit().await?;
            return Ok(SegmentSource::Local);
        };
        let credentials = match given {
            GivenCredentials::New(credentials) => {
                self.ensure_usable(&source, &credentials)?;
                self.open.seal(workspace, &credentials)
            }
            GivenCredentials::Unchanged => self.kept(actor).await?,
        };
        let stored = StoredSource {
            source: *source,
            credentials,
            updated_at: self.clock.now(),
        };
        let mut uow = self.store.begin(Durability::Full).await?;
        uow.segment_sources().put(workspace, &stored).await?;
        uow.commit().await?;
        Ok(shown(stored))
    }

    fn ensure_usable(
        &self,
        source: &BigQuerySource,
        credentials: &SourceCredentials,
    ) -> AppResult<()> {
        let Err(error) = self.open.warehouses.open(source, credentials) else {
            return Ok(());
        };
        let (pointer, code) = match error {
            WarehouseError::Refused {
                code: "invalid_setting",
                ..
            } => ("/project", "invalid_value"),
            WarehouseError::Refused { code, .. } => ("/credentials", code),
            _ => ("/credentials", "credentials_invalid"),
        };
        Err(AppError::invalid(pointer, code, error.to_string()))
    }

    async fn kept(&self, actor: &Actor) -> AppResult<StoredCredentials> {
        let stored = self.open.queries.segment_source(&actor.workspace).await?;
        let kept = stored.map(|stored| stored.credentials);
        kept.ok_or_else(|| {
            let detail = "there are no credentials that could stay";
            AppError::invalid("/credentials", "required", detail)
        })
    }
}

fn shown(stored: StoredSource) -> SegmentSource {
    let credentials = match stored.credentials {
        StoredCredentials::Metadata => GivenCredentials::New(SourceCredentials::Metadata),
        StoredCredentials::Sealed(_) => GivenCredentials::Unchanged,
    };
    SegmentSource::BigQuery(Box::new(stored.source), credentials)
}

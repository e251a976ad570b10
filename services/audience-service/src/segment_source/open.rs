//! Reaching the source of a workspace.

use std::sync::Arc;

use domain::{
    segment::{BigQuerySource, ServiceAccountKey, SourceCredentials},
    shared::WorkspaceId,
};
use ports::{
    SecretVault, StoreError,
    store::{AudienceQueries, StoredCredentials, StoredSource},
    warehouse::{Warehouse, WarehouseError, Warehouses},
};

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

/// Opens the sources of workspaces.
#[derive(Clone)]
pub(crate) struct OpenSource {
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) vault: Arc<dyn SecretVault>,
    pub(crate) warehouses: Arc<dyn Warehouses>,
}

/// A source outside, opened.
pub(super) struct Opened {
    pub source: BigQuerySource,
    pub warehouse: Arc<dyn Warehouse>,
}

impl OpenSource {
    /// The tables of a workspace; none where its customers are in the own store.
    pub(super) async fn of(&self, workspace: &WorkspaceId) -> Result<Option<Opened>, OpenError> {
        let Some(stored) = self.queries.segment_source(workspace).await? else {
            return Ok(None);
        };
        let credentials = self.credentials(workspace, &stored)?;
        let warehouse = self.warehouses.open(&stored.source, &credentials)?;
        Ok(Some(Opened {
            source: stored.source,
            warehouse,
        }))
    }

    fn credentials(
        &self,
        workspace: &WorkspaceId,
        stored: &StoredSource,
    ) -> Result<SourceCredentials, OpenError> {
        let sealed = match &stored.credentials {
            StoredCredentials::Metadata => return Ok(SourceCredentials::Metadata),
            StoredCredentials::Sealed(sealed) => sealed,
        };
        let key = self.vault.open(&purpose(workspace), sealed);
        let key = key.ok_or_else(|| {
            let detail = "the credentials cannot be decrypted: was secrets.key changed?";
            tracing::error!("{detail}");
            WarehouseError::Refused {
                code: "credentials_lost",
                detail: detail.to_owned(),
            }
        })?;
        Ok(SourceCredentials::ServiceAccount(
            ServiceAccountKey::from_stored(key),
        ))
    }

    /// Credentials as they are kept.
    pub(super) fn seal(
        &self,
        workspace: &WorkspaceId,
        credentials: &SourceCredentials,
    ) -> StoredCredentials {
        match credentials {
            SourceCredentials::Metadata => StoredCredentials::Metadata,
            SourceCredentials::ServiceAccount(key) => {
                let sealed = self.vault.seal(&purpose(workspace), key.reveal());
                StoredCredentials::Sealed(sealed)
            }
        }
    }
}

/// What credentials are sealed for.
fn purpose(workspace: &WorkspaceId) -> String {
    format!("segment-source:{}", workspace.as_str())
}

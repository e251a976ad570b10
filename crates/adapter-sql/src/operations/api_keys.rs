//! API keys, by hash only.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::shared::{Instant, WorkspaceId};
use ports::{
    StoreError,
    auth::{ApiKeyOwner, ApiKeyStore},
};

use super::{Db, dialect, direct};
use crate::{
    core::{error::store, types::At},
    schema::operations::api_keys,
};

#[async_trait]
impl ApiKeyStore for Db {
    async fn owner_of(&self, key_sha256: &[u8; 32]) -> Result<Option<ApiKeyOwner>, StoreError> {
        let owner: Option<(String, String)> = api_keys::table
            .find(key_sha256.as_slice())
            .select((api_keys::workspace, api_keys::key_id))
            .first(&mut *self.reader().await?)
            .await
            .optional()
            .map_err(store)?;
        owner
            .map(|(workspace, key_id)| {
                let workspace = WorkspaceId::parse(&workspace)
                    .map_err(|_| StoreError::Corrupt("workspace of an API key"))?;
                Ok(ApiKeyOwner { workspace, key_id })
            })
            .transpose()
    }

    async fn ensure(
        &self,
        key_sha256: &[u8; 32],
        owner: &ApiKeyOwner,
        now: Instant,
    ) -> Result<(), StoreError> {
        let mut held = direct::writer(self).await?;
        diesel::insert_into(api_keys::table)
            .values((
                api_keys::key_sha256.eq(key_sha256.as_slice()),
                api_keys::workspace.eq(owner.workspace.as_str()),
                api_keys::key_id.eq(&owner.key_id),
                api_keys::created_at.eq(At(now)),
            ))
            .on_conflict_do_nothing()
            .execute(dialect::conn(&mut held))
            .await
            .map_err(store)
            .map(drop)
    }
}

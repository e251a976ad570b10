//! Where the customers of segments are, and what asking them has cost.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    segment::{BillingMonth, GivenCredentials, SegmentSource, SourceCredentials},
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    store::{SegmentSourceQueries, SegmentSourceRepository, StoredCredentials, StoredSource},
};

use super::{Conn, Db};
use crate::{
    core::{
        error::store,
        types::{At, Json},
    },
    schema::customer::{segment_source_bytes, segment_sources},
};

/// Sources of one transaction.
pub(super) struct Sources<'c>(pub(super) &'c mut Conn);

/// The source as JSON, and the encrypted key.
fn written(stored: &StoredSource) -> (Json, Option<&[u8]>) {
    let (credentials, sealed) = match &stored.credentials {
        StoredCredentials::Metadata => (GivenCredentials::New(SourceCredentials::Metadata), None),
        StoredCredentials::Sealed(sealed) => (GivenCredentials::Unchanged, Some(sealed.as_slice())),
    };
    let source = SegmentSource::BigQuery(Box::new(stored.source.clone()), credentials);
    (Json(source.to_json()), sealed)
}

fn read(json: &Json, sealed: Option<Vec<u8>>, at: At) -> Option<StoredSource> {
    let SegmentSource::BigQuery(source, credentials) = SegmentSource::parse(&json.0).ok()? else {
        return None;
    };
    let credentials = match (credentials, sealed) {
        (GivenCredentials::Unchanged, Some(sealed)) => StoredCredentials::Sealed(sealed),
        (GivenCredentials::New(SourceCredentials::Metadata), None) => StoredCredentials::Metadata,
        _ => return None,
    };
    Some(StoredSource {
        source: *source,
        credentials,
        updated_at: at.0,
    })
}

#[async_trait]
impl SegmentSourceRepository for Sources<'_> {
    async fn put(
        &mut self,
        workspace: &WorkspaceId,
        source: &StoredSource,
    ) -> Result<(), StoreError> {
        let (json, sealed) = written(source);
        let values = (
            segment_sources::source.eq(json),
            segment_sources::sealed.eq(sealed),
            segment_sources::updated_at.eq(At(source.updated_at)),
        );
        diesel::insert_into(segment_sources::table)
            .values((
                segment_sources::workspace.eq(workspace.as_str()),
                values.clone(),
            ))
            .on_conflict(segment_sources::workspace)
            .do_update()
            .set(values)
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn delete(&mut self, workspace: &WorkspaceId) -> Result<(), StoreError> {
        diesel::delete(segment_sources::table.find(workspace.as_str()))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn add_bytes(
        &mut self,
        workspace: &WorkspaceId,
        month: BillingMonth,
        bytes: i64,
    ) -> Result<i64, StoreError> {
        diesel::insert_into(segment_source_bytes::table)
            .values((
                segment_source_bytes::workspace.eq(workspace.as_str()),
                segment_source_bytes::month.eq(month.number()),
                segment_source_bytes::bytes.eq(bytes),
            ))
            .on_conflict((segment_source_bytes::workspace, segment_source_bytes::month))
            .do_update()
            .set(segment_source_bytes::bytes.eq(segment_source_bytes::bytes + bytes))
            .returning(segment_source_bytes::bytes)
            .get_result(self.0)
            .await
            .map_err(store)
    }
}

#[async_trait]
impl SegmentSourceQueries for Db {
    async fn segment_source(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Option<StoredSource>, StoreError> {
        let row: Option<(Json, Option<Vec<u8>>, At)> = segment_sources::table
            .find(workspace.as_str())
            .select((
                segment_sources::source,
                segment_sources::sealed,
                segment_sources::updated_at,
            ))
            .first(&mut *self.reader().await?)
            .await
            .optional()
            .map_err(store)?;
        let corrupt = || StoreError::Corrupt("the source of segments");
        row.map(|(json, sealed, at)| read(&json, sealed, at).ok_or_else(corrupt))
            .transpose()
    }

    async fn billed_bytes(
        &self,
        workspace: &WorkspaceId,
        month: BillingMonth,
    ) -> Result<i64, StoreError> {
        let bytes: Option<i64> = segment_source_bytes::table
            .find((workspace.as_str(), month.number()))
            .select(segment_source_bytes::bytes)
            .first(&mut *self.reader().await?)
            .await
            .optional()
            .map_err(store)?;
        Ok(bytes.unwrap_or_default())
    }
}

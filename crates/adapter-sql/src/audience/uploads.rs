//! Uploaded files.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::shared::{Instant, UploadId, WorkspaceId};
use ports::{
    StoreError,
    store::{Upload, UploadRepository},
};

use super::Conn;
use crate::{
    core::{
        error::store,
        types::{At, Json},
    },
    schema::audience::uploads,
};

/// Uploads of one transaction.
pub(super) struct Uploads<'c>(pub(super) &'c mut Conn);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = uploads)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
#[diesel(treat_none_as_default_value = false)]
struct UploadRow {
    id: i64,
    workspace: String,
    blob: String,
    file_name: Option<String>,
    bytes: i64,
    sha256: String,
    detected: Json,
    created_at: At,
}

impl From<&Upload> for UploadRow {
    fn from(upload: &Upload) -> Self {
        Self {
            id: upload.id.raw(),
            workspace: upload.workspace.as_str().to_owned(),
            blob: upload.blob.clone(),
            file_name: upload.file_name.clone(),
            bytes: upload.bytes,
            sha256: upload.sha256.clone(),
            detected: Json(upload.detected.clone()),
            created_at: At(upload.created_at),
        }
    }
}

impl TryFrom<UploadRow> for Upload {
    type Error = StoreError;

    fn try_from(row: UploadRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: UploadId::from_raw(row.id),
            workspace: WorkspaceId::parse(&row.workspace)
                .map_err(|_| StoreError::Corrupt("workspace of an upload"))?,
            blob: row.blob,
            file_name: row.file_name,
            bytes: row.bytes,
            sha256: row.sha256,
            detected: row.detected.0,
            created_at: row.created_at.0,
        })
    }
}

#[async_trait]
impl UploadRepository for Uploads<'_> {
    async fn add(&mut self, upload: &Upload) -> Result<(), StoreError> {
        diesel::insert_into(uploads::table)
            .values(UploadRow::from(upload))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: UploadId,
    ) -> Result<Option<Upload>, StoreError> {
        get(self.0, workspace, id).await
    }

    async fn older_than(&mut self, before: Instant, limit: i64) -> Result<Vec<Upload>, StoreError> {
        let rows: Vec<UploadRow> = uploads::table
            .filter(uploads::created_at.lt(At(before)))
            .order((uploads::created_at, uploads::id))
            .limit(limit)
            .select(UploadRow::as_select())
            .load(self.0)
            .await
            .map_err(store)?;
        rows.into_iter().map(Upload::try_from).collect()
    }

    async fn forget(&mut self, id: UploadId) -> Result<(), StoreError> {
        diesel::delete(uploads::table.find(id.raw()))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }
}

/// One upload of a workspace.
pub(super) async fn get(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    id: UploadId,
) -> Result<Option<Upload>, StoreError> {
    uploads::table
        .find(id.raw())
        .filter(uploads::workspace.eq(workspace.as_str()))
        .select(UploadRow::as_select())
        .first(conn)
        .await
        .optional()
        .map_err(store)?
        .map(Upload::try_from)
        .transpose()
}

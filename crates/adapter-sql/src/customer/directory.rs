//! What other services may ask about workspaces.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    shared::{AudienceId, WorkspaceId},
    workspace::TimeZone,
};
use ports::{StoreError, scheduling::Directory, store::AudienceQueries};

use super::{
    Db,
    json_rows::{BatchRow, Column, Value, batch_row, json, rows as table},
};
use crate::core::error::store;

batch_row! {
    struct Number {
        id: i64,
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[async_trait]
impl Directory for Db {
    async fn unknown_customers(
        &self,
        workspace: &WorkspaceId,
        ids: &[i64],
    ) -> Result<Vec<i64>, StoreError> {
        let numbers: Vec<Number> = ids.iter().map(|id| Number { id: *id }).collect();
        let found: Vec<Found> = sql_query(format!(
            "SELECT id FROM customers WHERE workspace = $1 AND id IN (SELECT batch.id FROM {})",
            table::<Number>("$2")
        ))
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(json(&numbers)?)
        .load(&mut *self.reader().await?)
        .await
        .map_err(store)?;
        let known: BTreeSet<i64> = found.into_iter().map(|row| row.id).collect();
        let unknown = ids.iter().copied().filter(|id| !known.contains(id));
        Ok(unknown.collect())
    }

    async fn has_audience(
        &self,
        workspace: &WorkspaceId,
        id: AudienceId,
    ) -> Result<bool, StoreError> {
        let found = self.audience(workspace, id).await?;
        Ok(found.is_some_and(|audience| audience.is_visible() && audience.deleted_at.is_none()))
    }

    async fn time_zone(&self, workspace: &WorkspaceId) -> Result<TimeZone, StoreError> {
        let settings = self.workspace_settings(workspace).await?;
        Ok(settings.notation.zone)
    }
}

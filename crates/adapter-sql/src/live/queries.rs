//! Reading of what live audiences need.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    audience::Audience,
    shared::{AudienceId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    store::{LiveQueries, QueuedChange},
};

use super::{ALL, Db, audience};
use crate::{
    core::{error::store, types::At},
    schema::customer::{customers, live_queue, live_workspaces},
};

#[async_trait]
impl LiveQueries for Db {
    async fn live_workspaces(&self, limit: i64) -> Result<Vec<WorkspaceId>, StoreError> {
        let ids: Vec<String> = live_workspaces::table
            .order(live_workspaces::workspace)
            .limit(limit)
            .select(live_workspaces::workspace)
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        let read = |id: String| {
            let corrupt = |_| StoreError::Corrupt("workspace of live audiences");
            WorkspaceId::parse(&id).map_err(corrupt)
        };
        ids.into_iter().map(read).collect()
    }

    async fn live_audiences(&self, workspace: &WorkspaceId) -> Result<Vec<Audience>, StoreError> {
        audience::live(&mut *self.reader().await?, workspace).await
    }

    async fn looked_until(&self, workspace: &WorkspaceId) -> Result<Option<Instant>, StoreError> {
        let until: Option<At> = live_workspaces::table
            .find(workspace.as_str())
            .select(live_workspaces::looked_until)
            .first(&mut *self.reader().await?)
            .await
            .optional()
            .map_err(store)?;
        Ok(until.map(|at| at.0))
    }

    async fn queued(
        &self,
        workspace: &WorkspaceId,
        audience: Option<AudienceId>,
        limit: i64,
    ) -> Result<Vec<QueuedChange>, StoreError> {
        let rows: Vec<(i64, String, String)> = live_queue::table
            .filter(live_queue::workspace.eq(workspace.as_str()))
            .filter(live_queue::audience.eq(audience.map_or(ALL, AudienceId::raw)))
            .order(live_queue::id)
            .limit(limit)
            .select((live_queue::id, live_queue::change, live_queue::member_key))
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        let read = |(id, change, key): (i64, String, String)| {
            let change = change
                .parse()
                .map_err(|()| StoreError::Corrupt("a change of a customer"))?;
            Ok(QueuedChange { id, change, key })
        };
        rows.into_iter().map(read).collect()
    }

    async fn deferred(&self, workspace: &WorkspaceId) -> Result<Vec<AudienceId>, StoreError> {
        let ids: Vec<i64> = live_queue::table
            .filter(live_queue::workspace.eq(workspace.as_str()))
            .filter(live_queue::audience.gt(ALL))
            .select(live_queue::audience)
            .distinct()
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        Ok(ids.into_iter().map(AudienceId::from_raw).collect())
    }

    async fn waiting(
        &self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        keys: &[&str],
    ) -> Result<BTreeSet<String>, StoreError> {
        let keys: Vec<String> = live_queue::table
            .filter(live_queue::workspace.eq(workspace.as_str()))
            .filter(live_queue::audience.eq_any([ALL, audience.raw()]))
            .filter(live_queue::member_key.eq_any(keys))
            .select(live_queue::member_key)
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)?;
        Ok(keys.into_iter().collect())
    }

    async fn numbers_of_keys(
        &self,
        workspace: &WorkspaceId,
        keys: &[&str],
    ) -> Result<Vec<(String, i64)>, StoreError> {
        customers::table
            .filter(customers::workspace.eq(workspace.as_str()))
            .filter(customers::member_key.eq_any(keys))
            .select((customers::member_key, customers::id))
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)
    }
}

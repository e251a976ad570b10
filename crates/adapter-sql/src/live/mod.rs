//! Who has to be looked at in live audiences.

mod edges;
mod queries;

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    segment::{Change, Edge},
    shared::{AudienceId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    store::{LiveRepository, LiveUnit, PlannedAudience},
};

use super::{
    Conn, Db, audience,
    changes::{self, ALL},
    customer, dialect,
    json_rows::{Id, execute, rows as table},
    transaction::Transaction,
};
use crate::{
    core::{error::store, types::At},
    schema::customer::{live_queue, live_workspaces, watched_dates},
};

impl LiveUnit for Transaction {
    fn live(&mut self) -> Box<dyn LiveRepository + '_> {
        Box::new(Live(self.conn()))
    }
}

/// What live audiences need, in one transaction.
struct Live<'c>(&'c mut Conn);

#[async_trait]
impl LiveRepository for Live<'_> {
    async fn claim(
        &mut self,
        workspace: &WorkspaceId,
        owner: &str,
        lease_seconds: u32,
    ) -> Result<bool, StoreError> {
        // Whoever makes an audience live has this lock before the row: in another order both wait for each other.
        dialect::alone(self.0, &changes::plan_of(workspace))
            .await
            .map_err(store)?;
        self.renew(workspace, owner, lease_seconds).await
    }

    async fn renew(
        &mut self,
        workspace: &WorkspaceId,
        owner: &str,
        lease_seconds: u32,
    ) -> Result<bool, StoreError> {
        let free = format!("lease_until <= {}", dialect::NOW);
        let claimed = diesel::update(live_workspaces::table.find(workspace.as_str()))
            .filter(live_workspaces::owner.eq(owner).or(sql::<Bool>(&free)))
            .set((
                live_workspaces::owner.eq(owner),
                live_workspaces::lease_until.eq(dialect::lease_until(lease_seconds)),
            ))
            .execute(self.0)
            .await
            .map_err(store)?;
        Ok(claimed > 0)
    }

    async fn release_leases(&mut self) -> Result<(), StoreError> {
        diesel::update(live_workspaces::table)
            .set(live_workspaces::lease_until.eq(dialect::lease_until(0)))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn watch_dates(
        &mut self,
        workspace: &WorkspaceId,
        fields: &BTreeSet<&str>,
    ) -> Result<(), StoreError> {
        let known: Vec<String> = watched_dates::table
            .filter(watched_dates::workspace.eq(workspace.as_str()))
            .order(watched_dates::field)
            .select(watched_dates::field)
            .load(self.0)
            .await
            .map_err(store)?;
        if known.iter().map(String::as_str).eq(fields.iter().copied()) {
            return Ok(());
        }
        // No customer is written meanwhile.
        customer::turn(self.0, workspace, 0).await?;
        for table in ["watched_dates", "customer_dates"] {
            sql_query(format!("DELETE FROM {table} WHERE workspace = $1"))
                .bind::<Text, _>(workspace.as_str())
                .execute(self.0)
                .await
                .map_err(store)?;
        }
        let ids: Vec<Id<'_>> = fields.iter().map(|field| Id { id: field }).collect();
        let text = format!(
            "INSERT INTO watched_dates (workspace, field) SELECT $1, batch.id FROM {}",
            table::<Id<'_>>("$2")
        );
        execute(self.0, workspace, &text, &ids).await?;
        sql_query(changes::DATES)
            .bind::<Text, _>(workspace.as_str())
            .execute(self.0)
            .await
            .map_err(store)?;
        diesel::update(live_workspaces::table.find(workspace.as_str()))
            .set(live_workspaces::watches_dates.eq(i32::from(!fields.is_empty())))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn advance(
        &mut self,
        workspace: &WorkspaceId,
        now: Instant,
        plan: &[PlannedAudience],
        edges: &BTreeSet<Edge>,
    ) -> Result<Option<Instant>, StoreError> {
        dialect::alone(self.0, &changes::plan_of(workspace))
            .await
            .map_err(store)?;
        let live = audience::live(self.0, workspace).await?;
        let live = live.iter().map(|audience| PlannedAudience {
            id: audience.id,
            version: audience.version,
        });
        let until: Option<At> = live_workspaces::table
            .find(workspace.as_str())
            .select(live_workspaces::looked_until)
            .first(self.0)
            .await
            .optional()
            .map_err(store)?;
        let Some(At(until)) = until.filter(|_| live.eq(plan.iter().copied())) else {
            return Ok(None);
        };
        if now <= until {
            return Ok(Some(until));
        }
        edges::passed(self.0, workspace, (until, now), edges).await?;
        diesel::update(live_workspaces::table.find(workspace.as_str()))
            .set(live_workspaces::looked_until.eq(At(now)))
            .execute(self.0)
            .await
            .map_err(store)?;
        Ok(Some(now))
    }

    async fn defer(
        &mut self,
        workspace: &WorkspaceId,
        audience: AudienceId,
        keys: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let change = Change::Values.to_string();
        let keys = keys.iter().map(String::as_str);
        changes::queue(self.0, workspace, audience.raw(), &change, keys).await
    }

    async fn looked_at(&mut self, workspace: &WorkspaceId, ids: &[i64]) -> Result<(), StoreError> {
        diesel::delete(live_queue::table)
            .filter(live_queue::workspace.eq(workspace.as_str()))
            .filter(live_queue::id.eq_any(ids))
            .execute(self.0)
            .await
            .map_err(store)
            .map(drop)
    }

    async fn end(&mut self, workspace: &WorkspaceId) -> Result<bool, StoreError> {
        for queue in [changes::plan_of(workspace), changes::queue_of(workspace)] {
            dialect::alone(self.0, &queue).await.map_err(store)?;
        }
        if !audience::live(self.0, workspace).await?.is_empty() {
            return Ok(false);
        }
        for table in [
            "live_workspaces",
            "live_queue",
            "watched_dates",
            "customer_dates",
        ] {
            sql_query(format!("DELETE FROM {table} WHERE workspace = $1"))
                .bind::<Text, _>(workspace.as_str())
                .execute(self.0)
                .await
                .map_err(store)?;
        }
        Ok(true)
    }
}

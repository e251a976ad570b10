//! Who has to be looked at in live audiences.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    audience::Audience,
    customer::Customer,
    segment::{Change, Edge, date_key},
    shared::{AudienceId, Instant, WorkspaceId},
};
use ports::{
    StoreError,
    store::{LiveQueries, LiveRepository, PlannedAudience, QueuedChange},
};

use super::{
    Conn, Db, audience, dialect,
    json_rows::{BatchRow, Column, Id, Millis, Value, batch_row, rows as table},
    turn,
    write::{execute, insert},
};
use crate::{
    core::{error::store, types::At},
    schema::customer::{customers, live_queue, live_workspaces, watched_dates},
};

/// The audience of a key that concerns all of them.
const ALL: i64 = 0;

batch_row! {
    struct Queued<'a> {
        audience: i64,
        change: &'a str,
        member_key: &'a str,
    }
}

batch_row! {
    /// A number of a customer, and an event of it.
    struct Did<'a> {
        customer: i64,
        name: &'a str,
    }
}

batch_row! {
    struct Passed<'a> {
        name: &'a str,
        first: Millis,
        last: Millis,
    }
}

batch_row! {
    struct PassedDate<'a> {
        name: &'a str,
        first: String,
        last: String,
    }
}

/// How a workspace follows changes, if it does. Whoever asks commits before or after it begins to.
async fn follows(conn: &mut Conn, workspace: &WorkspaceId) -> Result<Option<bool>, StoreError> {
    dialect::beside(conn, &queue_of(workspace))
        .await
        .map_err(store)?;
    let watches: Option<i32> = live_workspaces::table
        .find(workspace.as_str())
        .select(live_workspaces::watches_dates)
        .first(conn)
        .await
        .optional()
        .map_err(store)?;
    Ok(watches.map(|watches| watches != 0))
}

/// What is locked while a workspace begins or ends to follow changes. An id has no characters that SQL knows.
fn queue_of(workspace: &WorkspaceId) -> String {
    format!("live.{}", workspace.as_str())
}

/// What is locked while the live audiences of a workspace change, or its instant moves on.
fn plan_of(workspace: &WorkspaceId) -> String {
    format!("plan.{}", workspace.as_str())
}

/// Lets a workspace follow changes from now on.
pub(in super::super) async fn begin(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    now: Instant,
) -> Result<(), StoreError> {
    for queue in [plan_of(workspace), queue_of(workspace)] {
        dialect::alone(conn, &queue).await.map_err(store)?;
    }
    diesel::insert_into(live_workspaces::table)
        .values((
            live_workspaces::workspace.eq(workspace.as_str()),
            live_workspaces::looked_until.eq(At(now)),
            live_workspaces::watches_dates.eq(0),
            live_workspaces::owner.eq(""),
            live_workspaces::lease_until.eq(At(Instant::UNIX_EPOCH)),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

/// Queues keys of people, where their workspace follows changes.
pub(in super::super) async fn changed(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    change: &Change,
    keys: impl IntoIterator<Item = &str>,
) -> Result<(), StoreError> {
    let keys: BTreeSet<&str> = keys.into_iter().collect();
    if keys.is_empty() || follows(conn, workspace).await?.is_none() {
        return Ok(());
    }
    let change = change.to_string();
    queue(conn, workspace, ALL, &change, keys.into_iter()).await
}

async fn queue<'a>(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    audience: i64,
    change: &str,
    keys: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let rows: Vec<Queued<'_>> = keys
        .map(|member_key| Queued {
            audience,
            change,
            member_key,
        })
        .collect();
    insert(conn, workspace, "live_queue", &rows, "").await
}

/// Before customers are replaced: queues the keys that they have until now.
pub(super) async fn before_save(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    saved: &[Customer],
) -> Result<(), StoreError> {
    if follows(conn, workspace).await?.is_none() {
        return Ok(());
    }
    let ids: Vec<i64> = saved.iter().map(|customer| customer.id.raw()).collect();
    let keys: Vec<String> = customers::table
        .filter(customers::workspace.eq(workspace.as_str()))
        .filter(customers::id.eq_any(ids))
        .select(customers::member_key)
        .load(conn)
        .await
        .map_err(store)?;
    let change = Change::Values.to_string();
    queue(
        conn,
        workspace,
        ALL,
        &change,
        keys.iter().map(String::as_str),
    )
    .await
}

/// After customers were written: queues their keys, and keeps the dates that are watched.
pub(super) async fn after_write(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    written: &[Customer],
) -> Result<(), StoreError> {
    let Some(watches) = follows(conn, workspace).await? else {
        return Ok(());
    };
    let keys: BTreeSet<String> = written.iter().map(Customer::key).collect();
    let change = Change::Values.to_string();
    let keys = keys.iter().map(String::as_str);
    queue(conn, workspace, ALL, &change, keys).await?;
    if !watches {
        return Ok(());
    }
    let ids: Vec<i64> = written.iter().map(|customer| customer.id.raw()).collect();
    let ids = serde_json::to_string(&ids).map_err(|e| StoreError::Internal(Box::new(e)))?;
    let among = format!(
        "IN (SELECT CAST(value AS BIGINT) FROM {})",
        dialect::elements("$2")
    );
    let delete = format!("DELETE FROM customer_dates WHERE workspace = $1 AND customer {among}");
    let keep = format!("{DATES} AND c.id {among}");
    for text in [delete, keep] {
        sql_query(text)
            .bind::<Text, _>(workspace.as_str())
            .bind::<Text, _>(&ids)
            .execute(conn)
            .await
            .map_err(store)?;
    }
    Ok(())
}

/// Keeps the watched dates of customers.
const DATES: &str = "INSERT INTO customer_dates (workspace, field, at, customer)
     SELECT c.workspace, w.field, c.facts ->> w.field, c.id
     FROM customers c JOIN watched_dates w ON w.workspace = c.workspace
     WHERE c.workspace = $1 AND c.facts ->> w.field IS NOT NULL";

/// After events were added: queues the keys of whose they are.
pub(super) async fn happened(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    did: &BTreeSet<(i64, &str)>,
) -> Result<(), StoreError> {
    if did.is_empty() || follows(conn, workspace).await?.is_none() {
        return Ok(());
    }
    let rows: Vec<Did<'_>> = did
        .iter()
        .map(|(customer, name)| Did {
            customer: *customer,
            name,
        })
        .collect();
    let text = format!(
        "INSERT INTO live_queue (workspace, audience, change, member_key)
         SELECT DISTINCT $1, {ALL}, 'event:' || batch.name, c.member_key FROM {}
         JOIN customers c ON c.workspace = $1 AND c.id = batch.customer",
        table::<Did<'_>>("$2")
    );
    execute(conn, workspace, &text, &rows).await
}

/// What live audiences need, in one transaction.
pub(super) struct Live<'c>(pub(super) &'c mut Conn);

#[async_trait]
impl LiveRepository for Live<'_> {
    async fn claim(
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
        turn(self.0, workspace, 0).await?;
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
        sql_query(DATES)
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
        dialect::alone(self.0, &plan_of(workspace))
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
        passed(self.0, workspace, (until, now), edges).await?;
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
        queue(self.0, workspace, audience.raw(), &change, keys).await
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
        for queue in [plan_of(workspace), queue_of(workspace)] {
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

/// Queues those of whom an instant lies so many days ago by now.
async fn passed(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    (until, now): (Instant, Instant),
    edges: &BTreeSet<Edge>,
) -> Result<(), StoreError> {
    let (mut events, mut reports, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for edge in edges {
        let (Edge::Event(_, days) | Edge::Outcome(days) | Edge::Value(_, days)) = edge;
        let ago = TimeDelta::days(*days);
        let (first, last) = (until - ago, now - ago);
        match edge {
            Edge::Event(name, _) => events.push(Passed {
                name: name.as_str(),
                first: first.into(),
                last: last.into(),
            }),
            Edge::Outcome(_) => reports.push(Passed {
                name: "",
                first: first.into(),
                last: last.into(),
            }),
            Edge::Value(field, _) => values.push(PassedDate {
                name: field,
                first: date_key(first),
                last: date_key(last),
            }),
        }
    }
    let into = "INSERT INTO live_queue (workspace, audience, change, member_key)";
    let passed = table::<Passed<'_>>("$2");
    if !events.is_empty() {
        let text = format!(
            "{into} SELECT DISTINCT $1, {ALL}, 'event:' || batch.name, c.member_key FROM {passed}
             JOIN customer_events e ON e.workspace = $1 AND e.name = batch.name
                AND e.occurred_at >= batch.first AND e.occurred_at <= batch.last
             JOIN customers c ON c.workspace = $1 AND c.id = e.customer"
        );
        execute(conn, workspace, &text, &events).await?;
    }
    if !reports.is_empty() {
        let text = format!(
            "{into} SELECT DISTINCT $1, {ALL}, '{}', o.document FROM {passed}
             JOIN outcomes o ON o.workspace = $1
                AND o.occurred_at >= batch.first AND o.occurred_at <= batch.last",
            Change::Outcome
        );
        execute(conn, workspace, &text, &reports).await?;
    }
    if !values.is_empty() {
        let text = format!(
            "{into} SELECT DISTINCT $1, {ALL}, '{}', c.member_key FROM {}
             JOIN customer_dates d ON d.workspace = $1 AND d.field = batch.name
                AND d.at >= batch.first AND d.at <= batch.last
             JOIN customers c ON c.workspace = $1 AND c.id = d.customer",
            Change::Values,
            table::<PassedDate<'_>>("$2")
        );
        execute(conn, workspace, &text, &values).await?;
    }
    Ok(())
}

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
    ) -> Result<Vec<i64>, StoreError> {
        customers::table
            .filter(customers::workspace.eq(workspace.as_str()))
            .filter(customers::member_key.eq_any(keys))
            .select(customers::id)
            .load(&mut *self.reader().await?)
            .await
            .map_err(store)
    }
}

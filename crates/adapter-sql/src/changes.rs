//! Queueing what changes of customers, where their workspace has live audiences.

use std::collections::BTreeSet;

use diesel::{prelude::*, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use domain::{
    customer::Customer,
    segment::Change,
    shared::{Instant, WorkspaceId},
};
use ports::StoreError;

use super::{
    Conn, dialect,
    json_rows::{BatchRow, Column, Value, batch_row, execute, insert, rows as table},
};
use crate::{
    core::{error::store, types::At},
    schema::customer::{customers, live_workspaces},
};

/// The audience of a key that concerns all of them.
pub(super) const ALL: i64 = 0;

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
pub(super) fn queue_of(workspace: &WorkspaceId) -> String {
    format!("live.{}", workspace.as_str())
}

/// What is locked while the live audiences of a workspace change, or its instant moves on.
pub(super) fn plan_of(workspace: &WorkspaceId) -> String {
    format!("plan.{}", workspace.as_str())
}

/// Lets a workspace follow changes from now on.
pub(super) async fn begin(
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
pub(super) async fn changed(
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

/// Queues keys for an audience, or for all of them.
pub(super) async fn queue<'a>(
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
pub(super) const DATES: &str = "INSERT INTO customer_dates (workspace, field, at, customer)
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

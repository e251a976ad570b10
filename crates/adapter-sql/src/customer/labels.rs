//! Who carries which label, and how many do.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{customer::Customer, shared::WorkspaceId};
use ports::StoreError;

use super::{Conn, dialect, json, write::execute};
use crate::{core::error::store, schema::customer::customer_tags};

/// Makes the labels of customers what they are now, and counts the difference.
pub(super) async fn replace(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    customers: &[Customer],
) -> Result<(), StoreError> {
    let mut gone = carried(conn, workspace, customers).await?;
    let mut new = Vec::new();
    let mut counts: BTreeMap<String, (String, i64)> = BTreeMap::new();
    for customer in customers {
        for (key, label) in customer.labels() {
            let pair = (customer.id.raw(), key);
            if !gone.remove(&pair) {
                let entry = counts.entry(pair.1.clone());
                entry.or_insert_with(|| (label.to_owned(), 0)).1 += 1;
                new.push(pair);
            }
        }
    }
    for (_, key) in &gone {
        counts.entry(key.clone()).or_default().1 -= 1;
    }
    counts.retain(|_, (_, change)| *change != 0);
    write_pairs(conn, workspace, &gone.into_iter().collect::<Vec<_>>(), &new).await?;
    write_counts(conn, workspace, counts).await
}

/// The labels that customers carry in the store.
async fn carried(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    customers: &[Customer],
) -> Result<HashSet<(i64, String)>, StoreError> {
    let ids: Vec<i64> = customers.iter().map(|c| c.id.raw()).collect();
    let pairs: Vec<(i64, String)> = customer_tags::table
        .filter(customer_tags::workspace.eq(workspace.as_str()))
        .filter(customer_tags::customer.eq_any(ids))
        .select((customer_tags::customer, customer_tags::tag))
        .load(conn)
        .await
        .map_err(store)?;
    Ok(pairs.into_iter().collect())
}

async fn write_pairs(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    gone: &[(i64, String)],
    new: &[(i64, String)],
) -> Result<(), StoreError> {
    let elements = dialect::elements("$2");
    let pair = "CAST(value ->> 0 AS BIGINT), value ->> 1";
    if !gone.is_empty() {
        let text = format!(
            "DELETE FROM customer_tags
             WHERE workspace = $1 AND (customer, tag) IN (SELECT {pair} FROM {elements})"
        );
        execute(conn, workspace, text, json(&gone)?).await?;
    }
    if !new.is_empty() {
        let text = format!(
            "INSERT INTO customer_tags (workspace, customer, tag) SELECT $1, {pair} FROM {elements}"
        );
        execute(conn, workspace, text, json(&new)?).await?;
    }
    Ok(())
}

async fn write_counts(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    counts: BTreeMap<String, (String, i64)>,
) -> Result<(), StoreError> {
    if counts.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = counts
        .into_iter()
        .map(|(key, (label, change))| (key, label, change))
        .collect();
    let text = format!(
        "INSERT INTO customer_tag_counts (workspace, tag, label, customers)
         SELECT $1, value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT)
         FROM {elements} WHERE true
         ON CONFLICT (workspace, tag)
         DO UPDATE SET customers = customer_tag_counts.customers + excluded.customers",
        elements = dialect::elements("$2"),
    );
    execute(conn, workspace, text, json(&rows)?).await
}

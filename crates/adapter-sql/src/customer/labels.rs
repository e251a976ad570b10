//! Who carries which label, and how many do.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{customer::Customer, shared::WorkspaceId};
use ports::StoreError;

use super::{
    Conn,
    json_rows::{BatchRow, Column, Value, batch_row, columns, execute, insert, rows as table},
};
use crate::{core::error::store, schema::customer::customer_tags};

batch_row! {
    struct LabelRow<'a> {
        customer: i64,
        tag: &'a str,
    }
}

impl<'a> From<&'a (i64, String)> for LabelRow<'a> {
    fn from((customer, tag): &'a (i64, String)) -> Self {
        let customer = *customer;
        Self { customer, tag }
    }
}

batch_row! {
    struct CountRow<'a> {
        tag: &'a str,
        label: &'a str,
        customers: i64,
    }
}

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
    let gone: Vec<LabelRow<'_>> = gone.iter().map(LabelRow::from).collect();
    if !gone.is_empty() {
        let (columns, table) = (columns::<LabelRow<'_>>(), table::<LabelRow<'_>>("$2"));
        let text = format!(
            "DELETE FROM customer_tags
             WHERE workspace = $1 AND ({columns}) IN (SELECT {columns} FROM {table})"
        );
        execute(conn, workspace, &text, &gone).await?;
    }
    let new: Vec<LabelRow<'_>> = new.iter().map(LabelRow::from).collect();
    insert(conn, workspace, "customer_tags", &new, "").await?;
    let counts = counts.iter().map(|(tag, (label, change))| CountRow {
        tag,
        label,
        customers: *change,
    });
    let conflict = "ON CONFLICT (workspace, tag)
         DO UPDATE SET customers = customer_tag_counts.customers + excluded.customers";
    let counts: Vec<CountRow<'_>> = counts.collect();
    insert(conn, workspace, "customer_tag_counts", &counts, conflict).await
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

//! Writing customers, in batches.

use std::collections::BTreeMap;

use diesel::{prelude::*, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use domain::{
    customer::{Address, Customer},
    shared::WorkspaceId,
};
use ports::StoreError;

use super::{Conn, client_of, dialect, direct, json};
use crate::{core::error::store, schema::customer::customer_totals};

/// Rows written by one statement.
const BATCH: usize = 1_000;

/// New ones only.
pub(super) const ADD: &str = "";
/// Those that are there, but for who they are and when they came.
pub(super) const REPLACE: &str = "
    ON CONFLICT (workspace, id) DO UPDATE SET document = excluded.document, name = excluded.name,
        phone = excluded.phone, phone_valid = excluded.phone_valid, phone_raw = excluded.phone_raw,
        email = excluded.email, email_valid = excluded.email_valid, email_raw = excluded.email_raw,
        attributes = excluded.attributes, tags = excluded.tags,
        imported_tags = excluded.imported_tags, synced = excluded.synced,
        version = excluded.version, updated_at = excluded.updated_at";

/// Runs a statement whose first parameter is the workspace and whose second the rows.
pub(super) async fn execute(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    text: String,
    rows: String,
) -> Result<(), StoreError> {
    sql_query(text)
        .bind::<Text, _>(workspace.as_str())
        .bind::<Text, _>(rows)
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

fn address(address: Option<&Address>) -> (Option<&str>, u8, Option<&str>) {
    address.map_or((None, 0, None), |a| {
        (Some(a.value.as_str()), u8::from(a.valid), a.raw.as_deref())
    })
}

/// Writes the rows of customers.
pub(super) async fn rows(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    customers: &[Customer],
    existing: &str,
) -> Result<(), StoreError> {
    let text = format!(
        "INSERT INTO customers (workspace, id, client, identity, document, name,
             phone, phone_valid, phone_raw, email, email_valid, email_raw,
             attributes, tags, imported_tags, synced, version, created_at, updated_at)
         SELECT $1, CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, value ->> 3, value ->> 4,
                value -> 5 ->> 0, CAST(value -> 5 ->> 1 AS INTEGER), value -> 5 ->> 2,
                value -> 6 ->> 0, CAST(value -> 6 ->> 1 AS INTEGER), value -> 6 ->> 2,
                value -> 7, value -> 8, value -> 9, CAST(value ->> 10 AS BIGINT),
                CAST(value ->> 11 AS BIGINT), {created_at}, {updated_at}
         FROM {elements} WHERE true {existing}",
        created_at = dialect::millis("value ->> 12"),
        updated_at = dialect::millis("value ->> 13"),
        elements = dialect::elements("$2"),
    );
    for batch in customers.chunks(BATCH) {
        let rows: Vec<_> = batch
            .iter()
            .map(|customer| {
                (
                    customer.id.raw(),
                    client_of(&customer.identity),
                    customer.identity.key(),
                    customer.document.as_ref().map(|d| d.as_str()),
                    &customer.name,
                    address(customer.phone.as_ref()),
                    address(customer.email.as_ref()),
                    &customer.attributes,
                    customer.tags.as_slice(),
                    &customer.imported_tags,
                    customer.synced,
                    customer.version,
                    customer.created_at.timestamp_millis(),
                    customer.updated_at.timestamp_millis(),
                )
            })
            .collect();
        execute(conn, workspace, text.clone(), json(&rows)?).await?;
    }
    Ok(())
}

/// Counts new customers, in all and by client.
pub(super) async fn count(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    added: &[Customer],
) -> Result<(), StoreError> {
    let more = customer_totals::customers + direct::limit(added.len());
    diesel::update(customer_totals::table.find(workspace.as_str()))
        .set(customer_totals::customers.eq(more))
        .execute(conn)
        .await
        .map_err(store)?;
    let mut by_client: BTreeMap<&str, i64> = BTreeMap::new();
    for client in added.iter().filter_map(|c| c.identity.client()) {
        *by_client.entry(client.as_str()).or_default() += 1;
    }
    if by_client.is_empty() {
        return Ok(());
    }
    let text = format!(
        "INSERT INTO customer_clients (workspace, client, slug, customers)
         SELECT $1, value ->> 0, '', CAST(value ->> 1 AS BIGINT)
         FROM {elements} WHERE true
         ON CONFLICT (workspace, client)
         DO UPDATE SET customers = customer_clients.customers + excluded.customers",
        elements = dialect::elements("$2"),
    );
    let rows: Vec<_> = by_client.into_iter().collect();
    execute(conn, workspace, text, json(&rows)?).await
}

/// Writes what customers said, where it is new.
pub(super) async fn consents(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    customers: &[Customer],
) -> Result<(), StoreError> {
    let said: Vec<_> = customers
        .iter()
        .flat_map(|customer| {
            customer
                .consents
                .iter()
                .map(|said| (customer.id.raw(), said))
        })
        .map(|(customer, (channel, consent))| {
            (
                customer,
                channel.as_str(),
                consent.status.as_str(),
                &consent.source,
                consent.at.timestamp_millis(),
            )
        })
        .collect();
    let text = format!(
        "INSERT INTO customer_consents (workspace, customer, channel, status, source, said_at)
         SELECT $1, CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, value ->> 3, {said_at}
         FROM {elements} WHERE true
         ON CONFLICT (workspace, customer, channel) DO UPDATE SET status = excluded.status,
             source = excluded.source, said_at = excluded.said_at
         WHERE customer_consents.said_at <> excluded.said_at
            OR customer_consents.status <> excluded.status",
        said_at = dialect::millis("value ->> 4"),
        elements = dialect::elements("$2"),
    );
    for batch in said.chunks(BATCH) {
        execute(conn, workspace, text.clone(), json(&batch)?).await?;
    }
    Ok(())
}

//! Writing customers, in batches.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    customer::{Address, Customer, ImportedTag},
    segment::{Notation, customer_index},
    shared::WorkspaceId,
};
use ports::StoreError;
use serde_json::{Map, Value as Json};

use super::{
    Conn, audience, client_of, direct,
    json_rows::{
        BatchRow, Column, Document, Millis, OwnedDocument, Value, batch_row, insert, replaced,
    },
};
use crate::{core::error::store, schema::customer::customer_totals};

/// What becomes of rows that are there.
#[derive(Clone, Copy)]
pub(super) enum Existing {
    /// There are none.
    None,
    /// They are replaced, but for who they are and when they came.
    Replaced,
}

batch_row! {
    struct Row<'a> {
        id: i64,
        client: &'a str,
        identity: String,
        document: Option<&'a str>,
        name: Option<&'a str>,
        phone: Option<&'a str>,
        phone_valid: u8,
        phone_raw: Option<&'a str>,
        email: Option<&'a str>,
        email_valid: u8,
        email_raw: Option<&'a str>,
        attributes: Document<'a, Map<String, Json>>,
        tags: Document<'a, [String]>,
        imported_tags: Document<'a, [ImportedTag]>,
        synced: Option<i64>,
        version: i64,
        member_key: String,
        facts: OwnedDocument<Map<String, Json>>,
        created_at: Millis,
        updated_at: Millis,
    }
}

impl<'a> Row<'a> {
    /// A customer, with the forms of its values as the workspace writes them.
    fn of(customer: &'a Customer, notation: &Notation) -> Self {
        let (phone, phone_valid, phone_raw) = address(customer.phone.as_ref());
        let (email, email_valid, email_raw) = address(customer.email.as_ref());
        Self {
            id: customer.id.raw(),
            client: client_of(&customer.identity),
            identity: customer.identity.key(),
            document: customer.document.as_ref().map(|document| document.as_str()),
            name: customer.name.as_deref(),
            phone,
            phone_valid,
            phone_raw,
            email,
            email_valid,
            email_raw,
            attributes: Document(&customer.attributes),
            tags: Document(customer.tags.as_slice()),
            imported_tags: Document(&customer.imported_tags),
            synced: customer.synced,
            version: customer.version,
            member_key: customer.key(),
            facts: OwnedDocument(customer_index(customer, notation)),
            created_at: customer.created_at.into(),
            updated_at: customer.updated_at.into(),
        }
    }
}

batch_row! {
    struct ClientRow<'a> {
        client: &'a str,
        slug: &'a str,
        customers: i64,
    }
}

batch_row! {
    struct ConsentRow<'a> {
        customer: i64,
        channel: &'a str,
        status: &'a str,
        source: &'a str,
        said_at: Millis,
    }
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
    existing: Existing,
) -> Result<(), StoreError> {
    let kept = ["id", "client", "identity", "created_at"];
    let conflict = match existing {
        Existing::None => String::new(),
        Existing::Replaced => {
            let replaced = replaced::<Row<'_>>(&kept);
            format!("ON CONFLICT (workspace, id) DO UPDATE SET {replaced}")
        }
    };
    let notation = audience::settings(conn, workspace).await?.notation;
    let row = |customer| Row::of(customer, &notation);
    let rows: Vec<Row<'_>> = customers.iter().map(row).collect();
    insert(conn, workspace, "customers", &rows, &conflict).await
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
    let rows: Vec<ClientRow<'_>> = by_client
        .into_iter()
        .map(|(client, customers)| ClientRow {
            client,
            slug: "",
            customers,
        })
        .collect();
    let conflict = "ON CONFLICT (workspace, client)
         DO UPDATE SET customers = customer_clients.customers + excluded.customers";
    insert(conn, workspace, "customer_clients", &rows, conflict).await
}

/// Writes what customers said, where it is new.
pub(super) async fn consents(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    customers: &[Customer],
) -> Result<(), StoreError> {
    let of_all = customers.iter().flat_map(|customer| {
        let said = customer.consents.iter();
        said.map(|said| (customer.id.raw(), said))
    });
    let said: Vec<ConsentRow<'_>> = of_all
        .map(|(customer, (channel, consent))| ConsentRow {
            customer,
            channel: channel.as_str(),
            status: consent.status.as_str(),
            source: &consent.source,
            said_at: consent.at.into(),
        })
        .collect();
    let replaced = replaced::<ConsentRow<'_>>(&["customer", "channel"]);
    let conflict = format!(
        "ON CONFLICT (workspace, customer, channel) DO UPDATE SET {replaced}
         WHERE customer_consents.said_at <> excluded.said_at
            OR customer_consents.status <> excluded.status"
    );
    insert(conn, workspace, "customer_consents", &said, &conflict).await
}

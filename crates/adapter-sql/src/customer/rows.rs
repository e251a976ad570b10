//! Customers as rows, and finding them.

use std::collections::HashMap;

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Bool, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    audience::Tags,
    contact::Document,
    customer::{Address, Consent, Consents, Customer, CustomerId, CustomerKey, Identity},
    shared::WorkspaceId,
};
use ports::{StoreError, store::CustomerContact};

use super::{
    Backend, Conn, client_of,
    json_rows::{BatchRow, Column, Value, batch_row, columns, json, rows as table},
};
use crate::{
    core::{
        error::store,
        types::{At, Json},
    },
    schema::customer::{customer_consents, customers},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = customers)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct CustomerRow {
    id: i64,
    client: String,
    identity: String,
    document: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    phone_valid: i32,
    phone_raw: Option<String>,
    email: Option<String>,
    email_valid: i32,
    email_raw: Option<String>,
    attributes: Json,
    tags: Json,
    imported_tags: Json,
    synced: Option<i64>,
    version: i64,
    created_at: At,
    updated_at: At,
}

fn address(value: Option<String>, valid: i32, raw: Option<String>) -> Option<Address> {
    Some(Address {
        value: value?,
        valid: valid != 0,
        raw,
    })
}

impl CustomerRow {
    fn read(self, consents: Consents) -> Result<Customer, StoreError> {
        let corrupt = |what| StoreError::Corrupt(what);
        let tags = serde_json::from_value(self.tags.0);
        let imported = serde_json::from_value(self.imported_tags.0);
        let attributes = serde_json::from_value(self.attributes.0);
        Ok(Customer {
            id: CustomerId::from_raw(self.id),
            identity: Identity::from_stored(&self.client, &self.identity)
                .ok_or_else(|| corrupt("identity of a customer"))?,
            document: self.document.map(Document::from_stored),
            name: self.name,
            phone: address(self.phone, self.phone_valid, self.phone_raw),
            email: address(self.email, self.email_valid, self.email_raw),
            attributes: attributes.map_err(|_| corrupt("attributes of a customer"))?,
            tags: Tags::from_stored(tags.map_err(|_| corrupt("tags of a customer"))?),
            imported_tags: imported.map_err(|_| corrupt("imported tags of a customer"))?,
            consents,
            synced: self.synced,
            version: self.version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

/// The customers of rows, with what they said.
pub(super) async fn read(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    rows: Vec<CustomerRow>,
) -> Result<Vec<Customer>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let said: Vec<(i64, String, String, String, At)> = customer_consents::table
        .filter(customer_consents::workspace.eq(workspace.as_str()))
        .filter(customer_consents::customer.eq_any(ids))
        .select((
            customer_consents::customer,
            customer_consents::channel,
            customer_consents::status,
            customer_consents::source,
            customer_consents::said_at,
        ))
        .load(conn)
        .await
        .map_err(store)?;
    let mut consents: HashMap<i64, Vec<_>> = HashMap::new();
    for (customer, channel, status, source, at) in said {
        let corrupt = |()| StoreError::Corrupt("consent of a customer");
        let channel = channel.parse().map_err(corrupt)?;
        let status = status.parse().map_err(corrupt)?;
        let at = at.0;
        let consent = Consent { status, source, at };
        consents
            .entry(customer)
            .or_default()
            .push((channel, consent));
    }
    let with_consents = |row: CustomerRow| {
        let consents = consents.remove(&row.id).unwrap_or_default();
        row.read(consents.into_iter().collect())
    };
    rows.into_iter().map(with_consents).collect()
}

batch_row! {
    struct IdRow {
        id: i64,
    }
}

batch_row! {
    struct IdentityRow<'a> {
        client: &'a str,
        identity: String,
    }
}

/// A condition that holds for rows whose values are among those of a batch: its text before and after the
/// batch, which may be a parameter of any number.
struct Among {
    before: String,
    rows: String,
    after: String,
}

impl Among {
    fn new<R: BatchRow>(rows: &[R]) -> Result<Option<Self>, StoreError> {
        if rows.is_empty() {
            return Ok(None);
        }
        let columns = columns::<R>();
        let text = format!(
            "({columns}) IN (SELECT {columns} FROM {})",
            table::<R>("\u{1}")
        );
        let (before, after) = text.split_once('\u{1}').unwrap_or((&text, ""));
        Ok(Some(Self {
            before: before.to_owned(),
            rows: json(rows)?,
            after: after.to_owned(),
        }))
    }

    /// The rows of these keys: by number, and by identity.
    fn keys(keys: &[CustomerKey]) -> Result<impl Iterator<Item = Self>, StoreError> {
        let (mut ids, mut identities) = (Vec::new(), Vec::new());
        for key in keys {
            match key {
                CustomerKey::Id(id) => ids.push(IdRow { id: id.raw() }),
                CustomerKey::Identity(identity) => identities.push(IdentityRow {
                    client: client_of(identity),
                    identity: identity.key(),
                }),
            }
        }
        let parts = [Self::new(&ids)?, Self::new(&identities)?];
        Ok(parts.into_iter().flatten())
    }
}

/// The customers of these keys, each once.
pub(super) async fn find(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    keys: &[CustomerKey],
) -> Result<Vec<Customer>, StoreError> {
    let rows = load(conn, workspace, keys).await?;
    read(conn, workspace, rows).await
}

/// The customers of these keys as contacts, by number.
pub(super) async fn contacts(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    keys: &[CustomerKey],
) -> Result<Vec<CustomerContact>, StoreError> {
    let rows = load(conn, workspace, keys).await?;
    let contact = |row: CustomerRow| {
        let customer = row.read(Consents::default())?;
        Ok(CustomerContact {
            id: customer.id,
            version: customer.version,
            body: customer.contact().body,
        })
    };
    let contacts: Result<Vec<_>, StoreError> = rows.into_iter().map(contact).collect();
    let mut contacts = contacts?;
    contacts.sort_unstable_by_key(|contact| contact.id);
    Ok(contacts)
}

/// The rows of these keys, each once.
async fn load(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    keys: &[CustomerKey],
) -> Result<Vec<CustomerRow>, StoreError> {
    let mut found: HashMap<i64, CustomerRow> = HashMap::new();
    for Among {
        before,
        rows,
        after,
    } in Among::keys(keys)?
    {
        let query = customers::table
            .filter(customers::workspace.eq(workspace.as_str()))
            .filter(sql::<Bool>(&before).bind::<Text, _>(rows).sql(&after))
            .select(CustomerRow::as_select())
            .into_boxed::<Backend>();
        let rows: Vec<CustomerRow> = query.load(conn).await.map_err(store)?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found.into_values().collect())
}

/// The numbers and identities of these keys.
pub(super) async fn identify(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    keys: &[CustomerKey],
) -> Result<Vec<(CustomerId, Identity)>, StoreError> {
    let mut found: HashMap<i64, (String, String)> = HashMap::new();
    for Among {
        before,
        rows,
        after,
    } in Among::keys(keys)?
    {
        let query = customers::table
            .filter(customers::workspace.eq(workspace.as_str()))
            .filter(sql::<Bool>(&before).bind::<Text, _>(rows).sql(&after))
            .select((customers::id, customers::client, customers::identity));
        let rows: Vec<(i64, String, String)> = query.load(conn).await.map_err(store)?;
        found.extend(
            rows.into_iter()
                .map(|(id, client, key)| (id, (client, key))),
        );
    }
    let read = |(id, (client, key)): (i64, (String, String))| {
        let identity = Identity::from_stored(&client, &key);
        let identity = identity.ok_or(StoreError::Corrupt("identity of a customer"))?;
        Ok((CustomerId::from_raw(id), identity))
    };
    found.into_iter().map(read).collect()
}

//! Contacts and their tags.

use std::collections::{HashMap, HashSet};

use domain::importing::{
    ExternalId,
    rows::{Contact, Row, Tag},
};
use ports::{
    StoreError,
    importing::{ClientId, Stored},
};

use super::{
    Conn,
    batch::{execute, ids, json, millis, upsert},
    dialect,
    tickets::text,
};

pub(super) async fn put(
    conn: &mut Conn,
    client: ClientId,
    contacts: &[Row<Contact>],
) -> Result<Stored, StoreError> {
    let rows = contacts.iter().map(|row| {
        let contact = &row.value;
        (
            &contact.id,
            row.fingerprint.to_hex(),
            text(contact.name.as_ref()),
            text(contact.number.as_ref()),
            text(contact.email.as_ref()),
            u8::from(contact.is_group),
            millis(contact.created_at),
            millis(contact.updated_at),
            serde_json::Value::Object(contact.extra.clone()).to_string(),
        )
    });
    let statement = format!(
        "INSERT INTO import_contacts (client, id, fingerprint, name, number, email, is_group,
             created_at, updated_at, extra, revision)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
                CAST(value ->> 5 AS INTEGER), {created_at}, {updated_at}, value ->> 8, 1
         FROM {elements} WHERE true
         ON CONFLICT (client, id) DO UPDATE SET fingerprint = excluded.fingerprint,
             name = excluded.name, number = excluded.number, email = excluded.email,
             is_group = excluded.is_group, created_at = excluded.created_at,
             updated_at = excluded.updated_at, extra = excluded.extra,
             revision = import_contacts.revision + 1
         WHERE import_contacts.fingerprint <> excluded.fingerprint
         RETURNING id, revision",
        created_at = dialect::millis("value ->> 6"),
        updated_at = dialect::millis("value ->> 7"),
        elements = dialect::elements("$2"),
    );
    let stored = upsert(conn, statement, client, json(&rows.collect::<Vec<_>>())?).await?;
    replace_tags(conn, client, contacts, &stored).await?;
    Ok(stored)
}

async fn replace_tags(
    conn: &mut Conn,
    client: ClientId,
    contacts: &[Row<Contact>],
    stored: &Stored,
) -> Result<(), StoreError> {
    if !stored.updated.is_empty() {
        let statement = format!(
            "DELETE FROM import_contact_tags
             WHERE client = $1 AND contact IN (SELECT value ->> 0 FROM {})",
            dialect::elements("$2")
        );
        execute(conn, statement, client, ids(stored.updated.iter())?).await?;
    }
    let changed: HashSet<&ExternalId> = stored.created.iter().chain(&stored.updated).collect();
    let pairs: Vec<(&ExternalId, &Tag)> = contacts
        .iter()
        .map(|row| &row.value)
        .filter(|contact| changed.contains(&contact.id))
        .flat_map(|contact| contact.tags.iter().map(move |tag| (&contact.id, tag)))
        .collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let links: Vec<_> = pairs
        .iter()
        .map(|(contact, tag)| (contact, &tag.id))
        .collect();
    let statement = format!(
        "INSERT INTO import_contact_tags (client, contact, tag)
         SELECT $1, value ->> 0, value ->> 1 FROM {} WHERE true",
        dialect::elements("$2")
    );
    execute(conn, statement, client, json(&links)?).await?;
    put_tags(conn, client, &pairs).await
}

/// Writes the tags that contacts of a page bear; of one that comes in two versions, the last.
async fn put_tags(
    conn: &mut Conn,
    client: ClientId,
    pairs: &[(&ExternalId, &Tag)],
) -> Result<(), StoreError> {
    let tags: HashMap<&ExternalId, &Tag> = pairs.iter().map(|(_, tag)| (&tag.id, *tag)).collect();
    let mut rows: Vec<_> = tags
        .into_values()
        .map(|tag| {
            let extra = serde_json::Value::Object(tag.extra.clone()).to_string();
            (&tag.id, &tag.name, &tag.color, extra)
        })
        .collect();
    // In one order everywhere, so that two transactions do not wait for each other.
    rows.sort_by_key(|(id, ..)| *id);
    let statement = format!(
        "INSERT INTO import_tags (client, id, name, color, extra)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3
         FROM {} WHERE true
         ON CONFLICT (client, id) DO UPDATE SET name = excluded.name, color = excluded.color,
             extra = excluded.extra",
        dialect::elements("$2")
    );
    execute(conn, statement, client, json(&rows)?).await
}

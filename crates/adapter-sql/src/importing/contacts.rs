//! Contacts and their tags.

use std::collections::{HashMap, HashSet};

use domain::{
    importing::{
        ExternalId,
        rows::{Contact, Row, Tag},
    },
    shared::ClientId,
};
use ports::{StoreError, importing::Stored};

use super::{
    Conn,
    batch::{execute, ids, insert, members, upsert},
    json_rows::{BatchRow, Column, Id, Millis, Value, batch_row, replaced, rows as table},
    tickets::text,
};

batch_row! {
    struct ContactRow<'a> {
        id: &'a str,
        fingerprint: String,
        name: Option<&'a str>,
        number: Option<&'a str>,
        email: Option<&'a str>,
        is_group: u8,
        created_at: Option<Millis>,
        updated_at: Option<Millis>,
        extra: String,
    }
}

batch_row! {
    struct LinkRow<'a> {
        contact: &'a str,
        tag: &'a str,
    }
}

batch_row! {
    struct TagRow<'a> {
        id: &'a str,
        name: Option<&'a str>,
        color: Option<&'a str>,
        extra: String,
    }
}

pub(super) async fn put(
    conn: &mut Conn,
    client: ClientId,
    contacts: &[Row<Contact>],
) -> Result<Stored, StoreError> {
    let rows: Vec<ContactRow<'_>> = contacts
        .iter()
        .map(|row| {
            let contact = &row.value;
            ContactRow {
                id: contact.id.as_str(),
                fingerprint: row.fingerprint.to_hex(),
                name: text(contact.name.as_ref()),
                number: text(contact.number.as_ref()),
                email: text(contact.email.as_ref()),
                is_group: u8::from(contact.is_group),
                created_at: contact.created_at.map(Millis::from),
                updated_at: contact.updated_at.map(Millis::from),
                extra: members(&contact.extra),
            }
        })
        .collect();
    let stored = upsert(conn, client, "import_contacts", &["id"], &rows).await?;
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
             WHERE client = $1 AND contact IN (SELECT id FROM {})",
            table::<Id<'_>>("$2")
        );
        execute(conn, statement, client, &ids(stored.updated.iter())).await?;
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
    let links: Vec<LinkRow<'_>> = pairs
        .iter()
        .map(|(contact, tag)| LinkRow {
            contact: contact.as_str(),
            tag: tag.id.as_str(),
        })
        .collect();
    insert(conn, client, "import_contact_tags", &links, "").await?;
    put_tags(conn, client, &pairs).await
}

/// Writes the tags that contacts of a page bear; of one that comes in two versions, the last.
async fn put_tags(
    conn: &mut Conn,
    client: ClientId,
    pairs: &[(&ExternalId, &Tag)],
) -> Result<(), StoreError> {
    let tags: HashMap<&ExternalId, &Tag> = pairs.iter().map(|(_, tag)| (&tag.id, *tag)).collect();
    let mut rows: Vec<TagRow<'_>> = tags
        .into_values()
        .map(|tag| TagRow {
            id: tag.id.as_str(),
            name: tag.name.as_deref(),
            color: tag.color.as_deref(),
            extra: members(&tag.extra),
        })
        .collect();
    // In one order everywhere, so that two transactions do not wait for each other.
    rows.sort_by_key(|row| row.id);
    let replaced = replaced::<TagRow<'_>>(&["id"]);
    let conflict = format!("ON CONFLICT (client, id) DO UPDATE SET {replaced}");
    insert(conn, client, "import_tags", &rows, &conflict).await
}

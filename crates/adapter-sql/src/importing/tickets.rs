//! Tickets, their sessions and messages.

use std::collections::{HashMap, HashSet};

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::importing::{
    ExternalId, Fingerprint, MessagesRead, Personal,
    rows::{Row, Session, Ticket},
};
use ports::{
    StoreError,
    importing::{ClientId, DueTicket, Stored, StoredTicket, TicketMessages},
};

use super::{
    Conn,
    batch::{execute, ids, json, millis, upsert},
    dialect, direct,
};
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    fingerprint: String,
    #[diesel(sql_type = Nullable<Text>)]
    read_fingerprint: Option<String>,
    #[diesel(sql_type = Nullable<UtcMillis>)]
    read_as_of: Option<At>,
}

fn fingerprint(text: &str) -> Result<Fingerprint, StoreError> {
    Fingerprint::from_hex(text).ok_or(StoreError::Corrupt("fingerprint"))
}

pub(super) fn text(personal: Option<&Personal>) -> Option<&str> {
    personal.map(Personal::as_str)
}

pub(super) async fn known(
    conn: &mut Conn,
    client: ClientId,
    tickets: &[ExternalId],
) -> Result<HashMap<ExternalId, StoredTicket>, StoreError> {
    let text = format!(
        "SELECT id, fingerprint, read_fingerprint, read_as_of FROM import_tickets
         WHERE client = $1 AND id IN (SELECT value ->> 0 FROM {})",
        dialect::elements("$2")
    );
    let rows: Vec<Known> = sql_query(text)
        .bind::<BigInt, _>(client.0)
        .bind::<Text, _>(ids(tickets.iter())?)
        .load(conn)
        .await
        .map_err(store)?;
    let read = |row: Known| {
        let messages_read = match (row.read_fingerprint, row.read_as_of) {
            (Some(ticket), Some(as_of)) => Some(MessagesRead {
                ticket: fingerprint(&ticket)?,
                as_of: as_of.0,
            }),
            _ => None,
        };
        let stored = StoredTicket {
            fingerprint: fingerprint(&row.fingerprint)?,
            messages_read,
        };
        Ok((ExternalId::from_stored(row.id), stored))
    };
    rows.into_iter().map(read).collect()
}

pub(super) async fn put(
    conn: &mut Conn,
    client: ClientId,
    tickets: &[Row<Ticket>],
) -> Result<Stored, StoreError> {
    let rows = tickets.iter().map(|row| {
        let ticket = &row.value;
        let contact = ticket.contact.as_ref();
        (
            (&ticket.id, row.fingerprint.to_hex(), &ticket.status),
            u8::from(ticket.is_group),
            contact.map(|contact| &contact.id),
            contact.and_then(|contact| text(contact.name.as_ref())),
            contact.and_then(|contact| text(contact.number.as_ref())),
            contact.and_then(|contact| text(contact.email.as_ref())),
            millis(ticket.created_at),
            ticket.updated_at.timestamp_millis(),
            serde_json::Value::Object(ticket.extra.clone()).to_string(),
        )
    });
    let statement = format!(
        "INSERT INTO import_tickets (client, id, fingerprint, status, is_group, contact_id,
             contact_name, contact_number, contact_email, created_at, updated_at, extra, revision,
             messages_due)
         SELECT $1, value -> 0 ->> 0, value -> 0 ->> 1, value -> 0 ->> 2,
                CAST(value ->> 1 AS INTEGER), value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                {created_at}, {updated_at}, value ->> 8, 1, 0
         FROM {elements} WHERE true
         ON CONFLICT (client, id) DO UPDATE SET fingerprint = excluded.fingerprint,
             status = excluded.status, is_group = excluded.is_group,
             contact_id = excluded.contact_id, contact_name = excluded.contact_name,
             contact_number = excluded.contact_number, contact_email = excluded.contact_email,
             created_at = excluded.created_at, updated_at = excluded.updated_at,
             extra = excluded.extra, revision = import_tickets.revision + 1
         WHERE import_tickets.fingerprint <> excluded.fingerprint
         RETURNING id, revision",
        created_at = dialect::millis("value ->> 6"),
        updated_at = dialect::millis("value ->> 7"),
        elements = dialect::elements("$2"),
    );
    let stored = upsert(conn, statement, client, json(&rows.collect::<Vec<_>>())?).await?;
    replace_sessions(conn, client, tickets, &stored).await?;
    Ok(stored)
}

async fn replace_sessions(
    conn: &mut Conn,
    client: ClientId,
    tickets: &[Row<Ticket>],
    stored: &Stored,
) -> Result<(), StoreError> {
    if !stored.updated.is_empty() {
        let statement = format!(
            "DELETE FROM import_sessions
             WHERE client = $1 AND ticket IN (SELECT value ->> 0 FROM {})",
            dialect::elements("$2")
        );
        execute(conn, statement, client, ids(stored.updated.iter())?).await?;
    }
    let changed: HashSet<_> = stored.created.iter().chain(&stored.updated).collect();
    let row = |ticket: &ExternalId, session: &Session| {
        let agent = session.agent.as_ref();
        json(&(
            ticket,
            &session.id,
            millis(session.created_at),
            millis(session.started_at),
            millis(session.finished_at),
            agent.map(|agent| &agent.id),
            agent.and_then(|agent| text(agent.name.as_ref())),
            agent.and_then(|agent| text(agent.email.as_ref())),
            serde_json::Value::Object(session.extra.clone()).to_string(),
        ))
    };
    let rows = tickets
        .iter()
        .map(|row| &row.value)
        .filter(|ticket| changed.contains(&ticket.id))
        .flat_map(|ticket| {
            ticket
                .sessions
                .iter()
                .map(|session| row(&ticket.id, session))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "INSERT INTO import_sessions (client, ticket, id, created_at, started_at, finished_at,
             agent_id, agent_name, agent_email, extra)
         SELECT $1, value ->> 0, value ->> 1, {created_at}, {started_at}, {finished_at},
                value ->> 5, value ->> 6, value ->> 7, value ->> 8
         FROM {elements} WHERE true",
        created_at = dialect::millis("value ->> 2"),
        started_at = dialect::millis("value ->> 3"),
        finished_at = dialect::millis("value ->> 4"),
        elements = dialect::elements("$2"),
    );
    execute(conn, statement, client, format!("[{}]", rows.join(","))).await
}

pub(super) async fn put_messages(
    conn: &mut Conn,
    client: ClientId,
    messages: &[TicketMessages],
) -> Result<Stored, StoreError> {
    let of_all = messages
        .iter()
        .flat_map(|of| of.messages.iter().map(|row| (&of.ticket, row)));
    let rows = of_all.map(|(ticket, row)| {
        let message = &row.value;
        (
            ticket,
            &message.id,
            row.fingerprint.to_hex(),
            text(message.body.as_ref()),
            message.from_me.map(u8::from),
            text(message.media_url.as_ref()),
            &message.media_type,
            message.created_at.timestamp_millis(),
            message.updated_at.timestamp_millis(),
            serde_json::Value::Object(message.extra.clone()).to_string(),
        )
    });
    let statement = format!(
        "INSERT INTO import_messages (client, ticket, id, fingerprint, body, from_me, media_url,
             media_type, created_at, updated_at, extra, revision)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3,
                CAST(value ->> 4 AS INTEGER), value ->> 5, value ->> 6, {created_at}, {updated_at},
                value ->> 9, 1
         FROM {elements} WHERE true
         ON CONFLICT (client, ticket, id) DO UPDATE SET fingerprint = excluded.fingerprint,
             body = excluded.body, from_me = excluded.from_me, media_url = excluded.media_url,
             media_type = excluded.media_type, created_at = excluded.created_at,
             updated_at = excluded.updated_at, extra = excluded.extra,
             revision = import_messages.revision + 1
         WHERE import_messages.fingerprint <> excluded.fingerprint
         RETURNING id, revision",
        created_at = dialect::millis("value ->> 7"),
        updated_at = dialect::millis("value ->> 8"),
        elements = dialect::elements("$2"),
    );
    upsert(conn, statement, client, json(&rows.collect::<Vec<_>>())?).await
}

pub(super) async fn owe(
    conn: &mut Conn,
    client: ClientId,
    tickets: &[ExternalId],
) -> Result<(), StoreError> {
    let statement = format!(
        "UPDATE import_tickets SET messages_due = 1
         WHERE client = $1 AND id IN (SELECT value ->> 0 FROM {})",
        dialect::elements("$2")
    );
    execute(conn, statement, client, ids(tickets.iter())?).await
}

pub(super) async fn due(
    conn: &mut Conn,
    client: ClientId,
    after: Option<&ExternalId>,
    limit: i64,
) -> Result<Vec<DueTicket>, StoreError> {
    let rows: Vec<Known> = sql_query(
        "SELECT id, fingerprint, read_fingerprint, read_as_of FROM import_tickets
         WHERE client = $1 AND messages_due = 1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind::<BigInt, _>(client.0)
    .bind::<Text, _>(after.map_or("", ExternalId::as_str))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
    .map_err(store)?;
    let read = |row: Known| {
        Ok(DueTicket {
            fingerprint: fingerprint(&row.fingerprint)?,
            id: ExternalId::from_stored(row.id),
        })
    };
    rows.into_iter().map(read).collect()
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

pub(super) async fn due_count(conn: &mut Conn, client: ClientId) -> Result<u64, StoreError> {
    let text =
        "SELECT COUNT(*) AS tickets FROM import_tickets WHERE client = $1 AND messages_due = 1";
    let due: Due = sql_query(text)
        .bind::<BigInt, _>(client.0)
        .get_result(conn)
        .await
        .map_err(store)?;
    Ok(direct::count(due.tickets))
}

pub(super) async fn messages_read(
    conn: &mut Conn,
    client: ClientId,
    read: &[(ExternalId, MessagesRead)],
) -> Result<(), StoreError> {
    let rows = read
        .iter()
        .map(|(id, read)| (id, read.ticket.to_hex(), read.as_of.timestamp_millis()));
    let statement = format!(
        "UPDATE import_tickets SET read_fingerprint = value ->> 1, read_as_of = {as_of},
             messages_due =
                 CASE WHEN import_tickets.fingerprint = value ->> 1 THEN 0 ELSE messages_due END
         FROM {elements} WHERE import_tickets.client = $2 AND import_tickets.id = value ->> 0",
        as_of = dialect::millis("value ->> 2"),
        elements = dialect::elements("$1"),
    );
    sql_query(statement)
        .bind::<Text, _>(json(&rows.collect::<Vec<_>>())?)
        .bind::<BigInt, _>(client.0)
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

//! Tickets, their sessions and messages.

use std::collections::{HashMap, HashSet};

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    importing::{
        ExternalId, Fingerprint, MessagesRead, Personal,
        rows::{Row, Session, Ticket},
    },
    shared::ClientId,
};
use ports::{
    StoreError,
    importing::{DueTicket, Stored, StoredTicket, TicketMessages},
};

use super::{
    Conn,
    batch::{execute, ids, insert, members, upsert},
    direct,
    json_rows::{BatchRow, Column, Id, Millis, Value, batch_row, json, rows as table},
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
         WHERE client = $1 AND id IN (SELECT id FROM {})",
        table::<Id<'_>>("$2")
    );
    let rows: Vec<Known> = sql_query(text)
        .bind::<BigInt, _>(client.raw())
        .bind::<Text, _>(json(&ids(tickets.iter()))?)
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

batch_row! {
    struct TicketRow<'a> {
        id: &'a str,
        fingerprint: String,
        status: Option<&'a str>,
        is_group: u8,
        contact_id: Option<&'a str>,
        contact_name: Option<&'a str>,
        contact_number: Option<&'a str>,
        contact_email: Option<&'a str>,
        created_at: Option<Millis>,
        updated_at: Millis,
        extra: String,
    }
}

pub(super) async fn put(
    conn: &mut Conn,
    client: ClientId,
    tickets: &[Row<Ticket>],
) -> Result<Stored, StoreError> {
    let rows: Vec<TicketRow<'_>> = tickets
        .iter()
        .map(|row| {
            let ticket = &row.value;
            let contact = ticket.contact.as_ref();
            TicketRow {
                id: ticket.id.as_str(),
                fingerprint: row.fingerprint.to_hex(),
                status: ticket.status.as_deref(),
                is_group: u8::from(ticket.is_group),
                contact_id: contact.map(|contact| contact.id.as_str()),
                contact_name: contact.and_then(|contact| text(contact.name.as_ref())),
                contact_number: contact.and_then(|contact| text(contact.number.as_ref())),
                contact_email: contact.and_then(|contact| text(contact.email.as_ref())),
                created_at: ticket.created_at.map(Millis::from),
                updated_at: ticket.updated_at.into(),
                extra: members(&ticket.extra),
            }
        })
        .collect();
    let stored = upsert(conn, client, "import_tickets", &["id"], &rows).await?;
    replace_sessions(conn, client, tickets, &stored).await?;
    Ok(stored)
}

batch_row! {
    struct SessionRow<'a> {
        ticket: &'a str,
        id: &'a str,
        created_at: Option<Millis>,
        started_at: Option<Millis>,
        finished_at: Option<Millis>,
        agent_id: Option<&'a str>,
        agent_name: Option<&'a str>,
        agent_email: Option<&'a str>,
        extra: String,
    }
}

impl<'a> SessionRow<'a> {
    fn new(ticket: &'a ExternalId, session: &'a Session) -> Self {
        let agent = session.agent.as_ref();
        Self {
            ticket: ticket.as_str(),
            id: session.id.as_str(),
            created_at: session.created_at.map(Millis::from),
            started_at: session.started_at.map(Millis::from),
            finished_at: session.finished_at.map(Millis::from),
            agent_id: agent.map(|agent| agent.id.as_str()),
            agent_name: agent.and_then(|agent| text(agent.name.as_ref())),
            agent_email: agent.and_then(|agent| text(agent.email.as_ref())),
            extra: members(&session.extra),
        }
    }
}

async fn replace_sessions(
    conn: &mut Conn,
    client: ClientId,
    tickets: &[Row<Ticket>],
    stored: &Stored,
) -> Result<(), StoreError> {
    if !stored.updated.is_empty() {
        let statement = format!(
            "DELETE FROM import_sessions WHERE client = $1 AND ticket IN (SELECT id FROM {})",
            table::<Id<'_>>("$2")
        );
        execute(conn, statement, client, &ids(stored.updated.iter())).await?;
    }
    let changed: HashSet<_> = stored.created.iter().chain(&stored.updated).collect();
    let rows: Vec<SessionRow<'_>> = tickets
        .iter()
        .map(|row| &row.value)
        .filter(|ticket| changed.contains(&ticket.id))
        .flat_map(|ticket| {
            let sessions = ticket.sessions.iter();
            sessions.map(|session| SessionRow::new(&ticket.id, session))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    insert(conn, client, "import_sessions", &rows, "").await
}

batch_row! {
    struct MessageRow<'a> {
        ticket: &'a str,
        id: &'a str,
        fingerprint: String,
        body: Option<&'a str>,
        from_me: Option<u8>,
        media_url: Option<&'a str>,
        media_type: Option<&'a str>,
        created_at: Millis,
        updated_at: Millis,
        extra: String,
    }
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
        MessageRow {
            ticket: ticket.as_str(),
            id: message.id.as_str(),
            fingerprint: row.fingerprint.to_hex(),
            body: text(message.body.as_ref()),
            from_me: message.from_me.map(u8::from),
            media_url: text(message.media_url.as_ref()),
            media_type: message.media_type.as_deref(),
            created_at: message.created_at.into(),
            updated_at: message.updated_at.into(),
            extra: members(&message.extra),
        }
    });
    let rows: Vec<MessageRow<'_>> = rows.collect();
    upsert(conn, client, "import_messages", &["ticket", "id"], &rows).await
}

pub(super) async fn owe(
    conn: &mut Conn,
    client: ClientId,
    tickets: &[ExternalId],
) -> Result<(), StoreError> {
    let statement = format!(
        "UPDATE import_tickets SET messages_due = 1
         WHERE client = $1 AND id IN (SELECT id FROM {})",
        table::<Id<'_>>("$2")
    );
    execute(conn, statement, client, &ids(tickets.iter())).await
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
    .bind::<BigInt, _>(client.raw())
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
        .bind::<BigInt, _>(client.raw())
        .get_result(conn)
        .await
        .map_err(store)?;
    Ok(direct::count(due.tickets))
}

batch_row! {
    struct ReadRow<'a> {
        id: &'a str,
        fingerprint: String,
        as_of: Millis,
    }
}

pub(super) async fn messages_read(
    conn: &mut Conn,
    client: ClientId,
    read: &[(ExternalId, MessagesRead)],
) -> Result<(), StoreError> {
    let rows: Vec<ReadRow<'_>> = read
        .iter()
        .map(|(id, read)| ReadRow {
            id: id.as_str(),
            fingerprint: read.ticket.to_hex(),
            as_of: read.as_of.into(),
        })
        .collect();
    let statement = format!(
        "UPDATE import_tickets SET read_fingerprint = batch.fingerprint, read_as_of = batch.as_of,
             messages_due = CASE WHEN import_tickets.fingerprint = batch.fingerprint THEN 0
                                 ELSE messages_due END
         FROM {} WHERE import_tickets.client = $2 AND import_tickets.id = batch.id",
        table::<ReadRow<'_>>("$1"),
    );
    // SQLite numbers parameters in the order in which it meets them.
    sql_query(statement)
        .bind::<Text, _>(json(&rows)?)
        .bind::<BigInt, _>(client.raw())
        .execute(conn)
        .await
        .map_err(store)
        .map(drop)
}

//! Imported tickets and messages, for reading.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    importing::ExternalId,
    shared::{ClientId, Instant},
};
use ports::{
    StoreError,
    importing::{MessageFilter, StoredMessage, TicketFilter, TicketRow},
};
use serde_json::{Map, Value};

use super::Conn;
use crate::core::{
    error::store,
    types::{At, UtcMillis},
};

#[derive(QueryableByName)]
struct Ticket {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Integer)]
    is_group: i32,
    #[diesel(sql_type = Nullable<Text>)]
    contact_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    contact_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    contact_number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    contact_email: Option<String>,
    #[diesel(sql_type = Nullable<UtcMillis>)]
    created_at: Option<At>,
    #[diesel(sql_type = UtcMillis)]
    updated_at: At,
    #[diesel(sql_type = Integer)]
    messages_due: i32,
    #[diesel(sql_type = Text)]
    extra: String,
}

#[derive(QueryableByName)]
struct Message {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Text>)]
    body: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    from_me: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    media_url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    media_type: Option<String>,
    #[diesel(sql_type = UtcMillis)]
    created_at: At,
    #[diesel(sql_type = UtcMillis)]
    updated_at: At,
    #[diesel(sql_type = Text)]
    extra: String,
}

#[derive(QueryableByName)]
struct There {
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

fn members(text: &str) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("members of an imported row"))
}

/// Where a list begins: after a row, or before all of them.
fn begin(after: Option<&(Instant, ExternalId)>, from: Option<Instant>) -> (Instant, &str) {
    match after {
        Some((at, id)) => (*at, id.as_str()),
        None => (from.unwrap_or(Instant::UNIX_EPOCH), ""),
    }
}

pub(super) async fn tickets(
    conn: &mut Conn,
    client: ClientId,
    filter: &TicketFilter,
) -> Result<Vec<TicketRow>, StoreError> {
    let (at, id) = begin(filter.after.as_ref(), filter.from);
    let rows: Vec<Ticket> = sql_query(
        "SELECT id, status, is_group, contact_id, contact_name, contact_number, contact_email,
                created_at, updated_at, messages_due, extra
         FROM import_tickets
         WHERE client = $1 AND (updated_at, id) > ($2, $3) AND ($4 IS NULL OR updated_at < $4)
           AND ($5 IS NULL OR status = $5) AND ($6 IS NULL OR contact_id = $6)
         ORDER BY updated_at, id LIMIT $7",
    )
    .bind::<BigInt, _>(client.raw())
    .bind::<UtcMillis, _>(At(at))
    .bind::<Text, _>(id)
    .bind::<Nullable<UtcMillis>, _>(filter.to.map(At))
    .bind::<Nullable<Text>, _>(filter.status.as_deref())
    .bind::<Nullable<Text>, _>(filter.contact.as_ref().map(ExternalId::as_str))
    .bind::<BigInt, _>(filter.limit)
    .load(conn)
    .await
    .map_err(store)?;
    let read = |row: Ticket| {
        let about = [row.contact_name, row.contact_number, row.contact_email];
        Ok(TicketRow {
            id: external(row.id),
            status: row.status,
            is_group: row.is_group != 0,
            contact: row.contact_id.map(|id| (external(id), about)),
            created_at: row.created_at.map(|at| at.0),
            updated_at: row.updated_at.0,
            messages_due: row.messages_due != 0,
            extra: members(&row.extra)?,
        })
    };
    rows.into_iter().map(read).collect()
}

pub(super) async fn messages(
    conn: &mut Conn,
    client: ClientId,
    ticket: &ExternalId,
    filter: &MessageFilter,
) -> Result<Option<Vec<StoredMessage>>, StoreError> {
    let There { tickets } =
        sql_query("SELECT COUNT(*) AS tickets FROM import_tickets WHERE client = $1 AND id = $2")
            .bind::<BigInt, _>(client.raw())
            .bind::<Text, _>(ticket.as_str())
            .get_result(conn)
            .await
            .map_err(store)?;
    if tickets == 0 {
        return Ok(None);
    }
    let (at, id) = begin(filter.after.as_ref(), filter.from);
    let rows: Vec<Message> = sql_query(
        "SELECT id, body, from_me, media_url, media_type, created_at, updated_at, extra
         FROM import_messages
         WHERE client = $1 AND ticket = $2 AND (created_at, id) > ($3, $4)
           AND ($5 IS NULL OR created_at < $5) AND ($6 IS NULL OR from_me = $6)
         ORDER BY created_at, id LIMIT $7",
    )
    .bind::<BigInt, _>(client.raw())
    .bind::<Text, _>(ticket.as_str())
    .bind::<UtcMillis, _>(At(at))
    .bind::<Text, _>(id)
    .bind::<Nullable<UtcMillis>, _>(filter.to.map(At))
    .bind::<Nullable<Integer>, _>(filter.from_me.map(i32::from))
    .bind::<BigInt, _>(filter.limit)
    .load(conn)
    .await
    .map_err(store)?;
    let read = |row: Message| {
        Ok(StoredMessage {
            id: external(row.id),
            body: row.body,
            from_me: row.from_me.map(|from_me| from_me != 0),
            media_url: row.media_url,
            media_type: row.media_type,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            extra: members(&row.extra)?,
        })
    };
    rows.into_iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// An id that a store returned.
fn external(text: String) -> ExternalId {
    ExternalId::from_stored(text)
}

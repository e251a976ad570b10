//! Imported tickets and messages, for reading.

use api_types::{
    List,
    imports::{MessageJson, TicketContactJson, TicketJson},
};
use domain::{
    importing::ExternalId,
    shared::{ClientId, Instant},
};
use http_kit::{Answer, ApiResult, Id, Ids, Query, paging, timestamp};
use ports::importing::{MessageFilter, StoredMessage, TicketFilter, TicketRow};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{broken, instant};
use crate::http::Caller;

fn ticket_json(row: TicketRow) -> TicketJson {
    let contact = row
        .contact
        .map(|(id, [name, number, email])| TicketContactJson {
            id: id.to_string(),
            name,
            number,
            email,
        });
    TicketJson {
        id: row.id.to_string(),
        status: row.status,
        is_group: row.is_group,
        contact,
        created_at: row.created_at.map(timestamp),
        updated_at: timestamp(row.updated_at),
        messages_due: row.messages_due,
        extra: row.extra,
    }
}

fn message_json(row: StoredMessage) -> MessageJson {
    MessageJson {
        id: row.id.to_string(),
        body: row.body,
        from_me: row.from_me,
        media_url: row.media_url,
        media_type: row.media_type,
        created_at: timestamp(row.created_at),
        updated_at: timestamp(row.updated_at),
        extra: row.extra,
    }
}

/// Which tickets.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct TicketQuery {
    /// With this status
    #[param(value_type = String, required = false)]
    status: Option<String>,
    /// With this contact of the CRM
    #[param(value_type = String, required = false)]
    contact_id: Option<String>,
    /// Changed at this instant or later
    #[param(value_type = String, required = false)]
    from: Option<String>,
    /// Changed before this instant
    #[param(value_type = String, required = false)]
    to: Option<String>,
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// `next_cursor` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct MessageQuery {
    /// Sent by the CRM's side, or not
    #[param(value_type = bool, required = false)]
    from_me: Option<String>,
    /// Sent at this instant or later
    #[param(value_type = String, required = false)]
    from: Option<String>,
    /// Sent before this instant
    #[param(value_type = String, required = false)]
    to: Option<String>,
    /// 1 to 1000, 100 where absent
    limit: Option<String>,
    /// `next_cursor` of the page before
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// A position in a list that goes by instant and id.
type Position = (Instant, ExternalId);

/// Imported tickets of a client, in order of their last change.
#[utoipa::path(
    get, path = "/clients/{id}/tickets", tag = "imports", operation_id = "listTickets",
    params(Id<ClientId>, TicketQuery),
    responses(
        (status = 200, description = "A page of tickets", body = List<TicketJson>),
        (status = 404, description = "There is no such client"),
    )
)]
pub async fn tickets(
    caller: Caller,
    Query(query): Query<TicketQuery>,
    Id(client): Id<ClientId>,
) -> ApiResult {
    let cursors = caller.cursors(&format!("tickets:{}", client.raw()));
    let filter = TicketFilter {
        status: query.status,
        contact: query.contact_id.map(ExternalId::from_stored),
        from: instant("from", query.from.as_deref())?,
        to: instant("to", query.to.as_deref())?,
        after: cursors.open::<Position>(query.cursor.as_deref())?,
        limit: paging::limit(query.limit.as_deref())?.into(),
    };
    let rows = &caller.cases.rows;
    let page = rows.tickets(&caller.actor, client, filter).await?;
    let position = |row: &TicketRow| (row.updated_at, row.id.clone());
    Ok(Answer::ok(&cursors.page(page, position, ticket_json)))
}

/// Imported messages of a ticket, in the order they were sent.
#[utoipa::path(
    get, path = "/clients/{id}/tickets/{ticket}/messages", tag = "imports",
    operation_id = "listMessages",
    params(
        Id<ClientId>,
        ("ticket" = String, Path, description = "`uuid` of the CRM"),
        MessageQuery,
    ),
    responses(
        (status = 200, description = "A page of messages", body = List<MessageJson>),
        (status = 404, description = "There is no such client or ticket"),
    )
)]
pub async fn messages(
    caller: Caller,
    Query(query): Query<MessageQuery>,
    Ids(client, ticket): Ids<ClientId, String>,
) -> ApiResult {
    let cursors = caller.cursors(&format!("messages:{}:{ticket}", client.raw()));
    let from_me = query.from_me.as_deref().map(str::parse::<bool>).transpose();
    let filter = MessageFilter {
        from_me: from_me.map_err(|_| broken("/from_me", "not_a_boolean", "true or false"))?,
        from: instant("from", query.from.as_deref())?,
        to: instant("to", query.to.as_deref())?,
        after: cursors.open::<Position>(query.cursor.as_deref())?,
        limit: paging::limit(query.limit.as_deref())?.into(),
    };
    let ticket = ExternalId::from_stored(ticket);
    let rows = &caller.cases.rows;
    let page = rows
        .messages(&caller.actor, client, &ticket, filter)
        .await?;
    let position = |row: &StoredMessage| (row.created_at, row.id.clone());
    Ok(Answer::ok(&cursors.page(page, position, message_json)))
}

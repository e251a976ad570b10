//! Imported tickets and messages, for reading.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Query},
};
use domain::{importing::ExternalId, shared::Instant};
use http_kit::{
    Problem, ProblemBody,
    paging::{self, List},
    timestamp,
};
use ports::importing::{MessageFilter, StoredMessage, TicketFilter, TicketRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{broken, clients::path_id, instant};
use crate::http::ApiState;

/// An imported ticket.
#[derive(Serialize, ToSchema)]
pub struct TicketJson {
    /// `uuid` of the CRM.
    id: String,
    /// As the CRM names it.
    status: Option<String>,
    /// Whether it is with a group.
    is_group: bool,
    /// With whom, as the ticket shows it.
    contact: Option<ContactJson>,
    created_at: Option<String>,
    updated_at: String,
    /// Whether its messages are still to be read.
    messages_due: bool,
    /// Members that are not known.
    #[schema(value_type = Object)]
    extra: Map<String, Value>,
}

/// The contact of a ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketContactJson)]
pub struct ContactJson {
    id: String,
    name: Option<String>,
    number: Option<String>,
    email: Option<String>,
}

/// An imported message.
#[derive(Serialize, ToSchema)]
pub struct MessageJson {
    /// Unique within its ticket.
    id: String,
    body: Option<String>,
    /// Whether the CRM's side sent it, where it says so.
    from_me: Option<bool>,
    media_url: Option<String>,
    media_type: Option<String>,
    created_at: String,
    updated_at: String,
    /// Members that are not known.
    #[schema(value_type = Object)]
    extra: Map<String, Value>,
}

impl From<TicketRow> for TicketJson {
    fn from(row: TicketRow) -> Self {
        let contact = row.contact.map(|(id, [name, number, email])| ContactJson {
            id: id.to_string(),
            name,
            number,
            email,
        });
        Self {
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
}

impl From<StoredMessage> for MessageJson {
    fn from(row: StoredMessage) -> Self {
        Self {
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketQuery {
    status: Option<String>,
    contact_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageQuery {
    from_me: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// A position in a list that goes by instant and id.
type Position = (Instant, ExternalId);

fn limit(text: Option<&str>) -> Result<i64, Problem> {
    paging::limit(text)
        .map(i64::from)
        .map_err(|violation| Problem::unprocessable(vec![violation]))
}

/// Imported tickets of a client, in order of their last change.
#[utoipa::path(
    get, path = "/api/v1/clients/{id}/tickets", tag = "imports", operation_id = "listTickets",
    params(
        ("id" = String, Path, description = "`cli_…`"),
        ("status" = Option<String>, Query, description = "With this status"),
        ("contact_id" = Option<String>, Query, description = "With this contact of the CRM"),
        ("from" = Option<String>, Query, description = "Changed at this instant or later"),
        ("to" = Option<String>, Query, description = "Changed before this instant"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of tickets", body = List<TicketJson>),
        (status = 404, description = "There is no such client", body = ProblemBody),
    )
)]
pub async fn tickets(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Path<String>,
    query: Query<TicketQuery>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let client = path_id(&id)?;
    let list = format!("tickets:{}", client.0);
    let query = query.into_inner();
    let filter = TicketFilter {
        status: query.status,
        contact: query.contact_id.map(ExternalId::from_stored),
        from: instant("from", query.from.as_deref())?,
        to: instant("to", query.to.as_deref())?,
        after: state.open::<Position>(&actor.workspace, &list, query.cursor.as_deref())?,
        limit: limit(query.limit.as_deref())?,
    };
    let (rows, more) = state.cases.rows.tickets(&actor, client, filter).await?;
    let last = rows.last().filter(|_| more);
    let last = last.map(|row| (row.updated_at, row.id.clone()));
    let next = last.and_then(|at| state.seal(&actor.workspace, &list, &at));
    Ok(HttpResponse::Ok().json(List {
        data: rows.into_iter().map(TicketJson::from).collect(),
        next_cursor: next,
    }))
}

/// Imported messages of a ticket, in the order they were sent.
#[utoipa::path(
    get, path = "/api/v1/clients/{id}/tickets/{ticket}/messages", tag = "imports",
    operation_id = "listMessages",
    params(
        ("id" = String, Path, description = "`cli_…`"),
        ("ticket" = String, Path, description = "`uuid` of the CRM"),
        ("from_me" = Option<bool>, Query, description = "Sent by the CRM's side, or not"),
        ("from" = Option<String>, Query, description = "Sent at this instant or later"),
        ("to" = Option<String>, Query, description = "Sent before this instant"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of messages", body = List<MessageJson>),
        (status = 404, description = "There is no such client or ticket", body = ProblemBody),
    )
)]
pub async fn messages(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<(String, String)>,
    query: Query<MessageQuery>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (client, ticket) = path.into_inner();
    let client = path_id(&client)?;
    let list = format!("messages:{}:{ticket}", client.0);
    let query = query.into_inner();
    let from_me = query.from_me.as_deref().map(str::parse::<bool>).transpose();
    let filter = MessageFilter {
        from_me: from_me.map_err(|_| broken("/from_me", "not_a_boolean", "true or false"))?,
        from: instant("from", query.from.as_deref())?,
        to: instant("to", query.to.as_deref())?,
        after: state.open::<Position>(&actor.workspace, &list, query.cursor.as_deref())?,
        limit: limit(query.limit.as_deref())?,
    };
    let ticket = ExternalId::from_stored(ticket);
    let rows = &state.cases.rows;
    let (rows, more) = rows.messages(&actor, client, &ticket, filter).await?;
    let last = rows.last().filter(|_| more);
    let last = last.map(|row| (row.created_at, row.id.clone()));
    let next = last.and_then(|at| state.seal(&actor.workspace, &list, &at));
    Ok(HttpResponse::Ok().json(List {
        data: rows.into_iter().map(MessageJson::from).collect(),
        next_cursor: next,
    }))
}

//! Reading and removing contacts.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload, Query},
};
use domain::contact::Document;
use http_kit::{Answer, Problem, ProblemBody, paging, timestamp};
use ports::contacts::StoredContact;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    application::{
        Actor, AppError,
        contact::read::{ContactCursor, CursorPage, Lookup, NumberedPage},
    },
    http::{ApiState, contact_json::ContactJson, cursors, v1::audiences::path_id},
};

/// Which part: by cursor (as a rule), or by page number.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// 1 to 1000, 100 as a rule; with a cursor.
    limit: Option<String>,
    /// `next_cursor` of the part before. A walk sees what was there when it began, for 24 hours.
    cursor: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 1000, 100 as a rule; with a page number.
    per_page: Option<String>,
}

/// Contacts, ascending by document.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactsJson {
    data: Vec<ContactJson>,
    /// Takes the next part; null at the end.
    next_cursor: Option<String>,
    /// With a page number.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    /// With a page number.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_page: Option<u32>,
    /// With a page number: at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_page: Option<u64>,
    /// With a page number: visible contacts in the state that the page was cut from.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Lists contacts.
#[utoipa::path(
    get,
    path = "/audiences/{id}/contacts",
    tag = "contacts",
    operation_id = "listContacts",
    params(("id" = String, Path, description = "`aud_…` or the bare decimal"), Which),
    responses(
        (status = 200, description = "A part", body = ContactsJson),
        (status = 400, description = "`invalid_cursor`", body = ProblemBody),
        (status = 404, description = "There is no such audience", body = ProblemBody),
        (status = 410, description = "`cursor_expired`", body = ProblemBody),
        (status = 422, description = "A parameter is wrong", body = ProblemBody),
    )
)]
pub async fn list(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    which: Query<Which>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let invalid = |v| Problem::from(AppError::Invalid(vec![v]));
    let seal = |c: ContactCursor| cursors::seal_contacts(&state.sealer, &actor.workspace, id, &c);
    if which.page.is_some() || which.per_page.is_some() {
        if which.cursor.is_some() {
            let detail = "give either a cursor or a page number";
            return Err(AppError::invalid("/cursor", "contradiction", detail).into());
        }
        let page = paging::page(which.page.as_deref()).map_err(invalid)?;
        let per_page = paging::per_page(which.per_page.as_deref()).map_err(invalid)?;
        let size = usize::try_from(per_page).unwrap_or(usize::MAX);
        let found = state
            .app
            .contacts
            .read
            .page(&actor, id, u64::from(page), size)
            .await?;
        let NumberedPage {
            rows, total, next, ..
        } = found;
        return Ok(HttpResponse::Ok().json(ContactsJson {
            data: contacts(&state, &actor, rows).await?,
            next_cursor: next.and_then(seal),
            page: Some(page),
            per_page: Some(per_page),
            last_page: Some(total.div_ceil(u64::from(per_page)).max(1)),
            total: Some(total),
        }));
    }
    let limit = paging::limit(which.limit.as_deref()).map_err(invalid)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let open = |c: &String| cursors::open_contacts(&state.sealer, &actor.workspace, id, c);
    let cursor = which.cursor.as_ref().map(open).transpose()?;
    let walked = state
        .app
        .contacts
        .read
        .walk(&actor, id, cursor, limit)
        .await?;
    let CursorPage { rows, next, .. } = walked;
    Ok(HttpResponse::Ok().json(ContactsJson {
        data: contacts(&state, &actor, rows).await?,
        next_cursor: next.and_then(seal),
        page: None,
        per_page: None,
        last_page: None,
        total: None,
    }))
}

/// A document to look for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookFor {
    /// In any form that normalises to it.
    document: String,
}

/// What is known of a document in an audience.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookupJson {
    /// `member` or `removed`.
    status: &'static str,
    /// The contact, where it is a member.
    contact: Option<ContactJson>,
    /// What took it out, where it was removed.
    removed_by: Option<RemovedByJson>,
}

/// What took a contact out.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedByJson {
    /// The operation; null for a contact deleted on its own.
    operation_id: Option<String>,
    /// All reasons that held, the one that counts first.
    reasons: Vec<&'static str>,
    /// When it began to count.
    removed_at: Option<String>,
}

/// Looks a document up: a member, or removed by which operation and why.
#[utoipa::path(
    post,
    path = "/audiences/{id}/contacts/lookup",
    tag = "contacts",
    operation_id = "lookupContact",
    params(("id" = String, Path, description = "`aud_…` or the bare decimal")),
    request_body = LookFor,
    responses(
        (status = 200, description = "What is known", body = LookupJson),
        (status = 404, description = "Nothing is known", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn lookup(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let body = state.json::<LookFor>(&request, payload, StatusCode::UNPROCESSABLE_ENTITY);
    let wanted = body.await?.value.document;
    let document = Document::parse(&wanted)
        .map_err(|e| AppError::invalid("/document", e.code(), e.to_string()))?;
    let found = match state
        .app
        .contacts
        .read
        .lookup(&actor, id, &document)
        .await?
    {
        Lookup::Unknown => return Err(Problem::not_found()),
        Lookup::Member(contact) => LookupJson {
            status: "member",
            contact: contacts(&state, &actor, vec![contact]).await?.pop(),
            removed_by: None,
        },
        Lookup::Removed(by) => {
            let json = RemovedByJson {
                operation_id: by.operation.map(|o| o.to_string()),
                reasons: by.reasons.iter().map(|r| r.as_str()).collect(),
                removed_at: by.at.map(timestamp),
            };
            LookupJson {
                status: "removed",
                contact: None,
                removed_by: Some(json),
            }
        }
    };
    Ok(HttpResponse::Ok().json(found))
}

/// Reads a contact.
#[utoipa::path(
    get,
    path = "/audiences/{id}/contacts/{contact_id}",
    tag = "contacts",
    operation_id = "readContact",
    params(
        ("id" = String, Path, description = "`aud_…` or the bare decimal"),
        ("contact_id" = String, Path, description = "As answered"),
    ),
    responses(
        (status = 200, description = "The contact", body = ContactJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn read(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (id, contact_id) = path.into_inner();
    let document = document(&state, &actor, &contact_id)?;
    let found = state
        .app
        .contacts
        .read
        .one(&actor, path_id(&id)?, &document)
        .await?;
    let json = contacts(&state, &actor, vec![found.contact]).await?.pop();
    Ok(HttpResponse::Ok().json(json))
}

/// Contacts, with whether each has opted out.
async fn contacts(
    state: &ApiState,
    actor: &Actor,
    rows: Vec<StoredContact>,
) -> Result<Vec<ContactJson>, Problem> {
    let opted_out = state
        .app
        .outcomes
        .opted_out(actor, rows.iter().map(|row| &row.document));
    let opted_out = opted_out.await?;
    let json = |row: StoredContact| {
        let out = opted_out.contains(&row.document);
        let json = ContactJson::new(&state.contact_ids, &actor.workspace, row);
        ContactJson {
            opted_out: Some(out),
            ..json
        }
    };
    Ok(rows.into_iter().map(json).collect())
}

/// Removes a contact. A later write of the same document brings it back.
#[utoipa::path(
    delete,
    path = "/audiences/{id}/contacts/{contact_id}",
    tag = "contacts",
    operation_id = "removeContact",
    params(
        ("id" = String, Path, description = "`aud_…` or the bare decimal"),
        ("contact_id" = String, Path, description = "As answered"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn remove(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let (id, contact_id) = path.into_inner();
    let id = path_id(&id)?;
    let document = document(&state, &actor, &contact_id)?;
    let app = state.app.clone();
    let run = async move {
        app.contacts.remove.execute(&actor, id, &document).await?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    };
    state.change(run).await
}

fn document(state: &ApiState, actor: &Actor, contact_id: &str) -> Result<Document, Problem> {
    let decoded = state.contact_ids.decode(&actor.workspace, contact_id);
    decoded
        .map(Document::from_stored)
        .ok_or_else(Problem::not_found)
}

//! Reading and removing contacts.

use actix_web::{HttpRequest, dev::Payload, http::StatusCode};
use api_types::contacts::{ContactJson, ContactsJson, LookFor, LookupJson, RemovedByJson};
use domain::{contact::Document, shared::AudienceId};
use http_kit::{Answer, ApiResult, Extract, Id, Ids, JsonBody, Problem, Query, paging, timestamp};
use ports::contacts::ContactRecord;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    AppError,
    contact::read::{CursorPage, Lookup, NumberedPage},
    http::{Caller, contact_json::contact_json, cursors::Walks},
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

/// Lists contacts.
#[utoipa::path(
    get, path = "/audiences/{id}/contacts", tag = "contacts", operation_id = "listContacts",
    params(Id<AudienceId>, Which),
    responses(
        (status = 200, description = "A part", body = ContactsJson),
        (status = 400, description = "`invalid_cursor`"),
        (status = 404, description = "There is no such audience"),
        (status = 410, description = "`cursor_expired`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn list(caller: Caller, Query(which): Query<Which>, Id(id): Id<AudienceId>) -> ApiResult {
    let (app, actor, walks) = (&caller.app, &caller.actor, Walks::of(&caller, id));
    let size = |items: u32| usize::try_from(items).unwrap_or(usize::MAX);
    if which.page.is_some() || which.per_page.is_some() {
        if which.cursor.is_some() {
            let detail = "give either a cursor or a page number";
            return Err(AppError::invalid("/cursor", "contradiction", detail).into());
        }
        let page = paging::page(which.page.as_deref())?;
        let per_page = paging::per_page(which.per_page.as_deref())?;
        let found = app
            .contacts
            .read
            .page(actor, id, u64::from(page), size(per_page));
        let NumberedPage {
            rows, total, next, ..
        } = found.await?;
        return Ok(Answer::ok(&ContactsJson {
            data: contacts(&caller, rows).await?,
            next_cursor: next.and_then(|next| walks.seal(&next)),
            page: Some(page),
            per_page: Some(per_page),
            last_page: Some(total.div_ceil(u64::from(per_page)).max(1)),
            total: Some(total),
        }));
    }
    let limit = paging::limit(which.limit.as_deref())?;
    let cursor = walks.open(which.cursor.as_deref())?;
    let walked = app
        .contacts
        .read
        .walk(actor, id, cursor, size(limit))
        .await?;
    let CursorPage { rows, next, .. } = walked;
    Ok(Answer::ok(&ContactsJson {
        data: contacts(&caller, rows).await?,
        next_cursor: next.and_then(|next| walks.seal(&next)),
        ..ContactsJson::default()
    }))
}

/// Looks a document up: a member, or removed by which operation and why.
#[utoipa::path(
    post, path = "/audiences/{id}/contacts/lookup", tag = "contacts",
    operation_id = "lookupContact", request_body = LookFor,
    params(Id<AudienceId>),
    responses(
        (status = 200, description = "What is known", body = LookupJson),
        (status = 404, description = "Nothing is known"),
    ),
)]
pub async fn lookup(
    caller: Caller,
    Id(id): Id<AudienceId>,
    JsonBody(wanted): JsonBody<LookFor>,
) -> ApiResult {
    let document = Document::parse(&wanted.document)
        .map_err(|e| AppError::invalid("/document", e.code(), e.to_string()))?;
    let found = caller
        .app
        .contacts
        .read
        .lookup(&caller.actor, id, &document);
    let (status, contact, removed_by) = match found.await? {
        Lookup::Unknown => return Err(Problem::not_found()),
        Lookup::Member(contact) => {
            let contact = contacts(&caller, vec![contact]).await?.pop();
            ("member", contact, None)
        }
        Lookup::Removed(by) => {
            let by = RemovedByJson {
                operation_id: by.operation.map(|o| o.to_string()),
                reasons: by.reasons.iter().map(|r| r.as_str().into()).collect(),
                removed_at: by.at.map(timestamp),
            };
            ("removed", None, Some(by))
        }
    };
    Ok(Answer::ok(&LookupJson {
        status: status.into(),
        contact,
        removed_by,
    }))
}

/// Reads a contact.
#[utoipa::path(
    get, path = "/audiences/{id}/contacts/{contact_id}", tag = "contacts",
    operation_id = "readContact",
    params(Id<AudienceId>, ("contact_id" = String, Path, description = "As answered")),
    responses((status = 200, description = "The contact", body = ContactJson)),
)]
pub async fn read(caller: Caller, named: Member) -> ApiResult {
    let found = caller
        .app
        .contacts
        .read
        .one(&caller.actor, named.audience, &named.document);
    let json = contacts(&caller, vec![found.await?.contact]).await?.pop();
    Ok(Answer::ok(&json))
}

/// Contacts, with whether each has opted out.
async fn contacts(caller: &Caller, rows: Vec<ContactRecord>) -> Result<Vec<ContactJson>, Problem> {
    let documents = rows.iter().map(|row| &row.document);
    let opted_out = caller
        .app
        .outcomes
        .opted_out(&caller.actor, documents)
        .await?;
    let json = |row: ContactRecord| ContactJson {
        opted_out: Some(opted_out.contains(&row.document)),
        ..contact_json(&caller.contact_ids, &caller.actor.workspace, row)
    };
    Ok(rows.into_iter().map(json).collect())
}

/// Removes a contact. A later write of the same document brings it back.
#[utoipa::path(
    delete, path = "/audiences/{id}/contacts/{contact_id}", tag = "contacts",
    operation_id = "removeContact",
    params(Id<AudienceId>, ("contact_id" = String, Path, description = "As answered")),
    responses((status = 204, description = "Removed")),
)]
pub async fn remove(caller: Caller, named: Member) -> ApiResult {
    let run = |caller: Caller| async move {
        let Member { audience, document } = named;
        let removed = caller
            .app
            .contacts
            .remove
            .execute(&caller.actor, audience, &document);
        removed.await?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    };
    caller.change(run).await
}

/// The contact that a path names.
pub struct Member {
    audience: AudienceId,
    document: Document,
}

impl Extract<Caller> for Member {
    async fn extract(
        caller: &Caller,
        request: &HttpRequest,
        payload: &mut Payload,
    ) -> Result<Self, Problem> {
        let Ids(audience, contact_id) = Ids::<_, String>::extract(caller, request, payload).await?;
        let decoded = caller
            .contact_ids
            .decode(&caller.actor.workspace, &contact_id);
        let document = decoded
            .map(Document::from_stored)
            .ok_or_else(Problem::not_found)?;
        Ok(Self { audience, document })
    }
}

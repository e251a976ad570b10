//! Reading lists.

use actix_web::HttpResponse;
use api_types::contacts::ContactJson;
use domain::audience::{Audience, COLLECTION};
use http_kit::{Answer, ApiResult, Id, Problem, Query, paging, timestamp};
use ports::store::{AudienceFilter, AudienceSort};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{broken, decimal_id},
    refused,
};
use crate::{
    AppError,
    contact::read::{CursorPage, NumberedPage},
    http::{
        Caller,
        all_audiences::{AllAudiences, Frame, append},
        contact_json::contact_json,
        cursors::Walks,
    },
};

/// A list.
#[derive(Serialize, ToSchema)]
#[schema(as = ListRow)]
struct Row<'a> {
    /// A decimal.
    id: String,
    /// Unique among those not deleted.
    name: &'a str,
    /// Exact number of contacts.
    contacts: i64,
    /// What made it; only what `api` made is changed here.
    source_id: &'static str,
    /// Where its contacts are stored.
    collection: &'static str,
    /// When it was made.
    created_at: String,
    /// Last change of the list or its contacts.
    updated_at: String,
    /// When it was deleted, if it is.
    deleted_at: Option<String>,
}

impl<'a> From<&'a Audience> for Row<'a> {
    fn from(audience: &'a Audience) -> Self {
        Self {
            id: audience.id.decimal(),
            name: audience.name.as_str(),
            contacts: audience.contacts,
            source_id: audience.source.as_str(),
            collection: COLLECTION,
            created_at: timestamp(audience.created_at),
            updated_at: timestamp(audience.updated_at),
            deleted_at: audience.deleted_at.map(timestamp),
        }
    }
}

/// All lists of the workspace, deleted ones included.
#[utoipa::path(
    get, path = "/list", tag = "lists", operation_id = "allLists",
    responses((status = 200, description = "Streamed", body = Vec<Row<'static>>)),
)]
pub async fn all(caller: Caller) -> Result<HttpResponse, Problem> {
    let all = AllAudiences {
        caller,
        filter: AudienceFilter::default(),
        sort: AudienceSort::CreatedAsc,
    };
    let first = all.first().await.map_err(refused)?;
    let frame = Frame {
        open: "[".to_owned(),
        row: |text, audience| append(text, &Row::from(audience)),
        close: |_| "]".to_owned(),
    };
    Ok(all.streamed(first, frame))
}

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// From 1.
    page: Option<String>,
    /// 1 to 1000, 100 as a rule.
    per_page: Option<String>,
    /// `next_cursor` of the part before, instead of `page`.
    cursor: Option<String>,
}

/// A part of a list, ascending by document.
#[derive(Serialize, ToSchema)]
#[schema(as = ListContents)]
struct Contents {
    /// The contacts.
    data: Vec<ContactJson>,
    /// Null in a walk by cursor.
    current_page: Option<u32>,
    /// As asked for.
    per_page: u32,
    /// At least 1.
    last_page: u64,
    /// Contacts in the list.
    total: u64,
    /// Takes the next part; null at the end.
    next_cursor: Option<String>,
}

/// The contacts of a list, also of a deleted one: by page number, or by cursor.
#[utoipa::path(
    get, path = "/list/{audience_id}", tag = "lists", operation_id = "readList",
    params(("audience_id" = String, Path, description = "A decimal"), Which),
    responses(
        (status = 200, description = "A part", body = Contents),
        (status = 400, description = "A parameter is wrong, `invalid_cursor`"),
        (status = 404, description = "There is none"),
        (status = 410, description = "`cursor_expired`"),
    ),
)]
pub async fn contents(caller: Caller, Query(which): Query<Which>, Id(id): Id<String>) -> ApiResult {
    let id = decimal_id(&id).ok_or_else(|| {
        let detail = "the audience id must be a decimal id";
        broken("/audience_id", "invalid_id", detail)
    })?;
    let invalid = |v| refused(AppError::Invalid(vec![v]));
    let per_page = paging::per_page(which.per_page.as_deref()).map_err(invalid)?;
    let page = paging::page(which.page.as_deref()).map_err(invalid)?;
    let size = usize::try_from(per_page).unwrap_or(usize::MAX);
    let (app, actor, walks) = (&caller.app, &caller.actor, Walks::of(&caller, id));
    let (rows, total, current, next) = if let Some(cursor) = walks.open(which.cursor.as_deref())? {
        let walked = app.contacts.read.walk(actor, id, Some(cursor), size).await;
        let CursorPage {
            audience,
            rows,
            next,
        } = walked.map_err(refused)?;
        let total = u64::try_from(audience.contacts).unwrap_or(0);
        (rows, total, None, next)
    } else {
        let found = app
            .contacts
            .read
            .page(actor, id, u64::from(page), size)
            .await;
        let NumberedPage {
            rows, total, next, ..
        } = found.map_err(refused)?;
        (rows, total, Some(page), next)
    };
    let json = |contact| contact_json(&caller.contact_ids, &actor.workspace, contact);
    Ok(Answer::ok(&Contents {
        data: rows.into_iter().map(json).collect(),
        current_page: current,
        per_page,
        last_page: total.div_ceil(u64::from(per_page)).max(1),
        total,
        next_cursor: next.and_then(|next| walks.seal(&next)),
    }))
}

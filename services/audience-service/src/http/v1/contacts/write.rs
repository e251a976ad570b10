//! Writing contacts, item by item accounted for.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use domain::shared::WorkspaceId;
use http_kit::{Answer, ContactIds, Problem, ProblemBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    application::contact::write::{ContactItems, ContactsAdded, WriteCounts, item_pointer},
    http::{ApiState, v1::audiences::path_id},
};

/// Contacts for an audience.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContacts {
    /// At most 100,000. `document` is needed; `name`, `phone`, `email` are known; anything else
    /// becomes an attribute.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Value>,
    /// Write nothing unless every contact is valid.
    #[serde(default)]
    strict: bool,
    /// Reject contacts whose check digits are wrong.
    #[serde(default)]
    require_valid_document: bool,
}

/// What became of the contacts: `received = inserted + updated + unchanged + rejected`.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenJson {
    /// Items received.
    received: usize,
    /// Items that made a contact visible.
    inserted: i64,
    /// Items that replaced a contact, earlier ones of the same request included.
    updated: i64,
    /// Items that changed nothing, because a later write was there already.
    unchanged: i64,
    /// Items refused.
    rejected: usize,
    /// One entry per item, in order.
    results: Vec<ItemJson>,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemJson {
    /// Its index in the request.
    index: usize,
    /// `inserted`, `updated`, `unchanged` or `rejected`.
    status: &'static str,
    /// Opaque; stands for the document in URLs. Absent where rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<String>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ItemErrorJson>,
}

/// One broken rule of an item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemErrorJson {
    /// JSON Pointer into the request.
    pointer: String,
    /// Stable code.
    code: &'static str,
    /// For a person.
    detail: String,
}

impl WrittenJson {
    /// What became of the contacts of a workspace.
    pub fn new(ids: &ContactIds, workspace: &WorkspaceId, added: ContactsAdded) -> Self {
        let WriteCounts {
            inserted,
            updated,
            unchanged,
        } = added.counts;
        let rejected = added.rejected.len();
        let written = added
            .classes
            .into_iter()
            .map(|(index, class, document)| ItemJson {
                index,
                status: class.as_str(),
                contact_id: Some(ids.encode(workspace, document.as_str())),
                errors: Vec::new(),
            });
        let refused = added.rejected.into_iter().map(|r| ItemJson {
            index: r.index,
            status: "rejected",
            contact_id: None,
            errors: vec![ItemErrorJson {
                pointer: item_pointer(r.index, &r.error.field),
                code: r.error.code,
                detail: r.error.detail,
            }],
        });
        let mut results: Vec<ItemJson> = written.chain(refused).collect();
        results.sort_unstable_by_key(|item| item.index);
        Self {
            received: added.received,
            inserted,
            updated,
            unchanged,
            rejected,
            results,
        }
    }
}

/// Writes contacts; the last one written for a document wins.
#[utoipa::path(
    post,
    path = "/audiences/{id}/contacts",
    tag = "contacts",
    operation_id = "addContacts",
    params(("id" = String, Path, description = "`aud_…` or the bare decimal")),
    request_body = NewContacts,
    responses(
        (status = 200, description = "What became of each", body = WrittenJson),
        (status = 404, description = "There is no such audience", body = ProblemBody),
        (status = 409, description = "`audience_deleted`", body = ProblemBody),
        (status = 413, description = "More than 64 MiB or 100,000 items", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    )
)]
pub async fn add(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let body = state.json::<NewContacts>(&request, payload, StatusCode::UNPROCESSABLE_ENTITY);
    let body = body.await?;
    let NewContacts {
        data,
        strict,
        require_valid_document,
    } = body.value;
    if data.len() > state.item_limit {
        return Err(Problem::too_large(format!(
            "more than {} items",
            state.item_limit
        )));
    }
    let contacts = ContactItems {
        items: data,
        strict,
        require_valid_document,
    };
    let (app, caller, ids) = (state.app.clone(), actor.clone(), state.contact_ids.clone());
    state
        .once(&request, &actor, body.hash, move |request_id| async move {
            let added = app
                .contacts
                .add
                .execute(&caller, request_id, id, None, contacts)
                .await?;
            let written = WrittenJson::new(&ids, &caller.workspace, added);
            Ok(Answer::json(StatusCode::OK, &written))
        })
        .await
}

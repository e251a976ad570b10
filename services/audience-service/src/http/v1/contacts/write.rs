//! Writing contacts, item by item accounted for.

use domain::shared::{AudienceId, WorkspaceId};
use http_kit::{Answer, ApiResult, ContactIds, Id, Idempotent, JsonBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    contact::write::{ContactItems, ContactsAdded, WriteCounts, item_pointer},
    http::{Caller, state::at_most},
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
    post, path = "/audiences/{id}/contacts", tag = "contacts", operation_id = "addContacts",
    request_body = NewContacts,
    params(Id<AudienceId>),
    responses(
        (status = 200, description = "What became of each", body = WrittenJson),
        (status = 404, description = "There is no such audience"),
        (status = 409, description = "`audience_deleted`"),
        (status = 413, description = "More than 64 MiB or 100,000 items"),
    ),
)]
pub async fn add(
    caller: Caller,
    Id(id): Id<AudienceId>,
    Idempotent(once, JsonBody(new)): Idempotent<JsonBody<NewContacts>>,
) -> ApiResult {
    at_most(caller.item_limit, &new.data)?;
    let contacts = ContactItems {
        items: new.data,
        strict: new.strict,
        require_valid_document: new.require_valid_document,
    };
    once.run(move |request_id| async move {
        let (app, actor) = (&caller.app, &caller.actor);
        let added = app
            .contacts
            .add
            .execute(actor, request_id, id, None, contacts);
        let written = WrittenJson::new(&caller.contact_ids, &actor.workspace, added.await?);
        Ok(Answer::ok(&written))
    })
    .await
}

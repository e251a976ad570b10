//! Writing contacts, item by item accounted for.

use api_types::contacts::{ItemErrorJson, ItemJson, NewContacts, WrittenJson};
use domain::shared::{AudienceId, WorkspaceId};
use http_kit::{Answer, ApiResult, ContactIds, Id, Idempotent, JsonBody};

use crate::{
    contact::write::{ContactItems, ContactsAdded, WriteCounts, item_pointer},
    http::{Caller, state::at_most},
};

/// What became of the contacts of a workspace.
pub fn written_json(
    ids: &ContactIds,
    workspace: &WorkspaceId,
    added: ContactsAdded,
) -> WrittenJson {
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
            status: class.as_str().into(),
            contact_id: Some(ids.encode(workspace, document.as_str())),
            errors: Vec::new(),
        });
    let refused = added.rejected.into_iter().map(|r| ItemJson {
        index: r.index,
        status: "rejected".into(),
        contact_id: None,
        errors: vec![ItemErrorJson {
            pointer: item_pointer(r.index, &r.error.field),
            code: r.error.code.into(),
            detail: r.error.detail,
        }],
    });
    let mut results: Vec<ItemJson> = written.chain(refused).collect();
    results.sort_unstable_by_key(|item| item.index);
    WrittenJson {
        received: added.received,
        inserted,
        updated,
        unchanged,
        rejected,
        results,
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
        let written = written_json(&caller.contact_ids, &actor.workspace, added.await?);
        Ok(Answer::ok(&written))
    })
    .await
}

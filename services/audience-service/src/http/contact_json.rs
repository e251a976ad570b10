//! Contacts as the API writes them.

use api_types::contacts::{ContactJson, RawJson};
use domain::shared::WorkspaceId;
use http_kit::{ContactIds, timestamp};
use ports::contacts::ContactRecord;

/// The contact of a workspace.
pub fn contact_json(
    ids: &ContactIds,
    workspace: &WorkspaceId,
    contact: ContactRecord,
) -> ContactJson {
    let ContactRecord { document, body, .. } = contact;
    let raw = RawJson {
        document: body.raw_document(&document).to_owned(),
        phone: body.raw_phone().map(str::to_owned),
        email: body.raw_email().map(str::to_owned),
    };
    ContactJson {
        contact_id: ids.encode(workspace, document.as_str()),
        document_kind: document.kind().as_str().into(),
        document_valid: document.valid(),
        document: document.as_str().to_owned(),
        name: body.name,
        phone: body.phone,
        phone_valid: body.phone_valid,
        email: body.email,
        email_valid: body.email_valid,
        attributes: body.attributes,
        raw,
        updated_at: timestamp(body.updated_at),
        opted_out: None,
    }
}

//! Contacts as the API writes them.

use domain::shared::WorkspaceId;
use http_kit::{ContactIds, timestamp};
use ports::contacts::StoredContact;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactJson {
    /// Opaque; stands for the document in URLs.
    pub contact_id: String,
    /// Normalised.
    pub document: String,
    /// `cpf`, `cnpj` or `other`.
    pub document_kind: &'static str,
    /// Whether the check digits are right; true where there are none.
    pub document_valid: bool,
    /// As it came.
    pub name: Option<String>,
    /// E.164, or as it came where it is not a phone number.
    pub phone: Option<String>,
    /// Whether `phone` is one.
    pub phone_valid: bool,
    /// In lower case.
    pub email: Option<String>,
    /// Whether `email` is one.
    pub email_valid: bool,
    /// Everything else: scalars by name.
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// The values as they came.
    pub raw: RawJson,
    /// When it was last written.
    pub updated_at: String,
    /// Whether the person has opted out and leaves with the next recycling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<bool>,
}

/// Values of a contact as they came.
#[derive(Debug, Serialize, ToSchema)]
pub struct RawJson {
    /// Before normalisation.
    pub document: String,
    /// Before normalisation.
    pub phone: Option<String>,
    /// Before normalisation.
    pub email: Option<String>,
}

impl ContactJson {
    /// The contact of a workspace.
    pub fn new(ids: &ContactIds, workspace: &WorkspaceId, contact: StoredContact) -> Self {
        let StoredContact { document, body, .. } = contact;
        let raw = RawJson {
            document: body.raw_document(&document).to_owned(),
            phone: body.raw_phone().map(str::to_owned),
            email: body.raw_email().map(str::to_owned),
        };
        Self {
            contact_id: ids.encode(workspace, document.as_str()),
            document_kind: document.kind().as_str(),
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
}

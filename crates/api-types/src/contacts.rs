//! Contacts of an audience.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::is_default;

/// A contact.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContactJson {
    /// Opaque; stands for the document in URLs.
    pub contact_id: String,
    /// Normalised.
    pub document: String,
    /// `cpf`, `cnpj` or `other`.
    pub document_kind: Cow<'static, str>,
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
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RawJson {
    /// Before normalisation.
    pub document: String,
    /// Before normalisation.
    pub phone: Option<String>,
    /// Before normalisation.
    pub email: Option<String>,
}

/// Contacts, ascending by document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContactsJson {
    pub data: Vec<ContactJson>,
    /// Takes the next part; null at the end.
    pub next_cursor: Option<String>,
    /// With a page number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// With a page number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<u32>,
    /// With a page number: at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_page: Option<u64>,
    /// With a page number: visible contacts in the state that the page was cut from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// Contacts for an audience.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContacts {
    /// At most 100,000. `document` is needed; `name`, `phone`, `email` are known; anything else
    /// becomes an attribute.
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<Value>,
    /// Write nothing unless every contact is valid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict: bool,
    /// Reject contacts whose check digits are wrong.
    #[serde(default, skip_serializing_if = "is_default")]
    pub require_valid_document: bool,
}

/// What became of the contacts: `received = inserted + updated + unchanged + rejected`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrittenJson {
    /// Items received.
    pub received: usize,
    /// Items that made a contact visible.
    pub inserted: i64,
    /// Items that replaced a contact, earlier ones of the same request included.
    pub updated: i64,
    /// Items that changed nothing, because a later write was there already.
    pub unchanged: i64,
    /// Items refused.
    pub rejected: usize,
    /// One entry per item, in order.
    pub results: Vec<ItemJson>,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ItemJson {
    /// Its index in the request.
    pub index: usize,
    /// `inserted`, `updated`, `unchanged` or `rejected`.
    pub status: Cow<'static, str>,
    /// Opaque; stands for the document in URLs. Absent where rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ItemErrorJson>,
}

/// One broken rule of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ItemErrorJson {
    /// JSON Pointer into the request.
    pub pointer: String,
    /// Stable code.
    pub code: Cow<'static, str>,
    /// For a person.
    pub detail: String,
}

/// A document to look for.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookFor {
    /// In any form that normalises to it.
    pub document: String,
}

/// What is known of a document in an audience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LookupJson {
    /// `member` or `removed`.
    pub status: Cow<'static, str>,
    /// The contact, where it is a member.
    pub contact: Option<ContactJson>,
    /// What took it out, where it was removed.
    pub removed_by: Option<RemovedByJson>,
}

/// What took a contact out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemovedByJson {
    /// The operation; null for a contact deleted on its own.
    pub operation_id: Option<String>,
    /// All reasons that held, the one that counts first.
    pub reasons: Vec<Cow<'static, str>>,
    /// When it began to count.
    pub removed_at: Option<String>,
}

crate::redacted!(ContactJson, RawJson, NewContacts, LookFor);

//! Customers.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::is_default;

/// A customer.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerJson {
    /// Number in the workspace, below 2^53.
    #[schema(example = 42)]
    pub id: i64,
    /// The id that the other side uses, if it has one.
    pub external_id: Option<String>,
    /// The client from whose CRM it came; null for those whom the API wrote.
    pub client_id: Option<String>,
    /// Normalised.
    pub document: Option<String>,
    /// `cpf`, `cnpj` or `other`.
    pub document_kind: Option<Cow<'static, str>>,
    /// Whether the check digits are right; true where there are none.
    pub document_valid: Option<bool>,
    /// Name.
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
    /// Phone and e-mail as they came.
    pub raw: CustomerRawJson,
    /// Labels that the API gave.
    pub tags: Vec<String>,
    /// Labels that the CRM gave.
    pub imported_tags: Vec<ImportedTagJson>,
    /// What the person said, by channel. A channel that is missing was never spoken of.
    pub consents: BTreeMap<Cow<'static, str>, ConsentJson>,
    /// Grows with every change: the `ETag`.
    pub version: i64,
    /// When it was registered.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
}

/// Values of a customer as they came.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerRawJson {
    /// Before normalisation.
    pub phone: Option<String>,
    /// Before normalisation.
    pub email: Option<String>,
}

/// A label that a CRM gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportedTagJson {
    /// The CRM's id.
    pub external_id: String,
    /// Name.
    pub name: Option<String>,
    /// Colour as the CRM sent it.
    pub color: Option<String>,
}

/// What a person said about a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsentJson {
    /// `granted` or `denied`.
    pub status: Cow<'static, str>,
    /// Where it was said.
    pub source: String,
    /// When it was said.
    pub at: String,
}

/// How an id of another system is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum IntegerOrText {
    /// Its digits are the text.
    Integer(i64),
    /// The text itself.
    Text(String),
}

/// Customers to be written.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Upsert {
    /// At most 10,000.
    #[schema(value_type = Vec<CustomerItemJson>)]
    pub data: Vec<Value>,
    /// Whether nothing is written unless every item is good.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict: bool,
}

/// A customer as it is sent: named by `id`, else by `external_id` (with `client_id` for one that an
/// import brought), else by `document`. Members that are missing stay as they are, `null` clears;
/// members that are not listed are attributes.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CustomerItem)]
pub struct CustomerItemJson {
    /// Of a customer that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Of the sending system: an integer or a text of at most 128 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<IntegerOrText>)]
    pub external_id: Option<Value>,
    /// With the `external_id` of a CRM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// In any form that normalises to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Without a country code it is Brazilian.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Changed one by one; `null` takes one away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub attributes: Option<Map<String, Value>>,
    /// Replace the labels that the API gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// By channel `{"status": "granted" | "denied", "source", "at"}`; what was said last counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub consents: Option<Map<String, Value>>,
}

/// What became of the items: `received = created + updated + unchanged + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpsertedJson {
    /// Items received.
    pub received: usize,
    /// New customers.
    pub created: usize,
    /// Customers that changed.
    pub updated: usize,
    /// Items that say what is known.
    pub unchanged: usize,
    /// Items refused.
    pub rejected: usize,
    /// One for each item, in order.
    pub results: Vec<UpsertResultJson>,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpsertResultJson {
    /// Its index in the request.
    pub index: usize,
    /// `created`, `updated`, `unchanged` or `rejected`.
    pub result: Cow<'static, str>,
    /// The customer's number, null where it was rejected.
    pub id: Option<i64>,
    /// Why it was rejected.
    pub error: Option<RefusalJson>,
}

/// Why an item was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefusalJson {
    /// The member at fault, `""` for the item.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// Labels to be given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTags {
    /// At most 50, of 1 to 64 characters.
    pub tags: Vec<String>,
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewConsent {
    /// `granted` or `denied`.
    pub status: String,
    /// Where it was said, 1 to 64 characters; `api` where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it was said; now where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// What people are looked up by: exactly one of them.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Lookup)]
pub struct LookUpCustomer {
    /// In any form that normalises to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// In any form that normalises to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// In any form that normalises to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// An integer or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<IntegerOrText>)]
    pub external_id: Option<Value>,
    /// With `external_id`, for a CRM's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// Customers who share something, at most a hundred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoundJson {
    /// In the order of their numbers.
    pub data: Vec<CustomerJson>,
}

/// How many customers there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CountJson {
    /// All.
    pub total: i64,
    /// Those that imports brought, by client; at most a thousand clients.
    pub by_client: Vec<ClientCountJson>,
}

/// How many customers a client brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientCountJson {
    /// The client.
    pub client_id: String,
    /// Its name in URLs, as of the last import.
    pub slug: String,
    /// How many.
    pub customers: i64,
}

/// A label of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TagJson {
    /// As it was written first.
    pub tag: String,
    /// How many customers carry it, without regard to case; exact.
    pub customers: i64,
}

crate::redacted!(
    CustomerJson,
    CustomerRawJson,
    CustomerItemJson,
    Upsert,
    LookUpCustomer
);

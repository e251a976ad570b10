//! Customers as V1 writes them, and what their paths have in common.

use std::collections::BTreeMap;

use actix_web::http::header;
use domain::customer::{Address, ClientRef, Customer};
use http_kit::{Answer, Problem, etag, timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::customer::Refusal;

/// How an id of another system is sent.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described; ids are read one by one")]
pub enum IntegerOrText {
    /// Its digits are the text.
    Integer(i64),
    /// The text itself.
    Text(String),
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
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
    pub document_kind: Option<&'static str>,
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
    pub raw: RawJson,
    /// Labels that the API gave.
    pub tags: Vec<String>,
    /// Labels that the CRM gave.
    pub imported_tags: Vec<ImportedTagJson>,
    /// What the person said, by channel. A channel that is missing was never spoken of.
    pub consents: BTreeMap<&'static str, ConsentJson>,
    /// Grows with every change: the `ETag`.
    pub version: i64,
    /// When it was registered.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
}

/// Values of a customer as they came.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerRawJson)]
pub struct RawJson {
    /// Before normalisation.
    pub phone: Option<String>,
    /// Before normalisation.
    pub email: Option<String>,
}

/// A label that a CRM gave.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedTagJson {
    /// The CRM's id.
    pub external_id: String,
    /// Name.
    pub name: Option<String>,
    /// Colour as the CRM sent it.
    pub color: Option<String>,
}

/// What a person said about a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentJson {
    /// `granted` or `denied`.
    pub status: &'static str,
    /// Where it was said.
    pub source: String,
    /// When it was said.
    pub at: String,
}

/// Why an item was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalJson {
    /// The member at fault, `""` for the item.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
}

impl From<Refusal> for RefusalJson {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            field,
            code,
            detail,
        } = refusal;
        Self {
            field,
            code,
            detail,
        }
    }
}

impl From<Customer> for CustomerJson {
    fn from(customer: Customer) -> Self {
        let given = |address: &Option<Address>| address.as_ref().map(|a| a.given().to_owned());
        let raw = RawJson {
            phone: given(&customer.phone),
            email: given(&customer.email),
        };
        let valid = |address: &Option<Address>| address.as_ref().is_some_and(|a| a.valid);
        let consents = customer.consents.iter().map(|(channel, consent)| {
            let said = ConsentJson {
                status: consent.status.as_str(),
                source: consent.source.clone(),
                at: timestamp(consent.at),
            };
            (channel.as_str(), said)
        });
        let document = customer.document.as_ref();
        Self {
            id: customer.id.raw(),
            external_id: customer.identity.external_id().map(ToString::to_string),
            client_id: customer.identity.client().map(|c| c.as_str().to_owned()),
            document: document.map(|d| d.as_str().to_owned()),
            document_kind: document.map(|d| d.kind().as_str()),
            document_valid: document.map(|d| d.valid()),
            phone_valid: valid(&customer.phone),
            email_valid: valid(&customer.email),
            consents: consents.collect(),
            tags: customer.tags.as_slice().to_vec(),
            version: customer.version,
            created_at: timestamp(customer.created_at),
            updated_at: timestamp(customer.updated_at),
            name: customer.name,
            phone: customer.phone.map(|a| a.value),
            email: customer.email.map(|a| a.value),
            attributes: customer.attributes,
            raw,
            imported_tags: customer
                .imported_tags
                .into_iter()
                .map(|tag| ImportedTagJson {
                    external_id: tag.external_id.to_string(),
                    name: tag.name,
                    color: tag.color,
                })
                .collect(),
        }
    }
}

/// An answer with the customer and its `ETag`.
pub fn answer(customer: Customer) -> Answer {
    let tag = etag::strong(customer.version);
    Answer::ok(&CustomerJson::from(customer)).with_header(header::ETAG, tag)
}

/// A client's id of a request.
pub fn client(pointer: &str, text: &str) -> Result<ClientRef, Problem> {
    ClientRef::parse(text).map_err(|_| {
        let detail = "no client has this id";
        crate::AppError::invalid(pointer, "invalid_id", detail).into()
    })
}

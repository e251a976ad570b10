//! Customers as V1 writes them, and what their paths have in common.

use actix_web::http::header;
use api_types::customers::{
    ConsentJson, CustomerJson, CustomerRawJson, ImportedTagJson, RefusalJson,
};
use domain::customer::{Address, ClientRef, Customer};
use http_kit::{Answer, Problem, etag, timestamp};

use crate::customer::Refusal;

/// Why an item was refused.
pub fn refusal_json(refusal: Refusal) -> RefusalJson {
    let Refusal {
        field,
        code,
        detail,
    } = refusal;
    RefusalJson {
        field,
        code,
        detail,
    }
}

/// A customer as it is now.
pub fn customer_json(customer: Customer) -> CustomerJson {
    let given = |address: &Option<Address>| address.as_ref().map(|a| a.given().to_owned());
    let raw = CustomerRawJson {
        phone: given(&customer.phone),
        email: given(&customer.email),
    };
    let valid = |address: &Option<Address>| address.as_ref().is_some_and(|a| a.valid);
    let consents = customer.consents.iter().map(|(channel, consent)| {
        let said = ConsentJson {
            status: consent.status.as_str().into(),
            source: consent.source.clone(),
            at: timestamp(consent.at),
        };
        (channel.as_str().into(), said)
    });
    let document = customer.document.as_ref();
    CustomerJson {
        id: customer.id.raw(),
        external_id: customer.identity.external_id().map(ToString::to_string),
        client_id: customer.identity.client().map(|c| c.as_str().to_owned()),
        document: document.map(|d| d.as_str().to_owned()),
        document_kind: document.map(|d| d.kind().as_str().into()),
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

/// An answer with the customer and its `ETag`.
pub fn answer(customer: Customer) -> Answer {
    let tag = etag::strong(customer.version);
    Answer::ok(&customer_json(customer)).with_header(header::ETAG, tag)
}

/// A client's id of a request.
pub fn client(pointer: &str, text: &str) -> Result<ClientRef, Problem> {
    ClientRef::parse(text).map_err(|_| {
        let detail = "no client has this id";
        crate::AppError::invalid(pointer, "invalid_id", detail).into()
    })
}

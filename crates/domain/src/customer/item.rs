//! From an item of a request to a customer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Address, Change, Channel, ClientRef, Consent, CustomerId, CustomerKey, CustomerPatch, Identity,
    parse_consent,
};
use crate::{
    audience::{TagError, Tags},
    contact::{Document, check_attributes, check_text, tidy_attributes},
    importing::ExternalId,
    shared::{Instant, ItemError, Members, number_text, trimmed},
};

/// Members that are computed: ignored on input, so that a customer can be sent back as it was read.
const COMPUTED: [&str; 9] = [
    "document_kind",
    "document_valid",
    "phone_valid",
    "email_valid",
    "raw",
    "imported_tags",
    "version",
    "created_at",
    "updated_at",
];
/// Members that no attribute can be named after.
const OWN: [&str; 10] = [
    "id",
    "client_id",
    "external_id",
    "document",
    "name",
    "phone",
    "email",
    "attributes",
    "tags",
    "consents",
];

/// An item: whom it is about, and what it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerItem {
    /// Whom.
    pub key: CustomerKey,
    /// What.
    pub patch: CustomerPatch,
}

/// Reads an item, which is consumed. It names the customer by `id`, else by `external_id` (with the
/// `client_id` of an imported one), else by `document`. Members that are not known become attributes.
///
/// # Errors
/// The first rule that the item breaks; never repeats a value.
pub fn parse_customer(item: Value, now: Instant) -> Result<CustomerItem, ItemError> {
    let mut members = Members::try_from(item)?;
    let key = take_key(&mut members, "id")?;
    let patch = patch(members, now)?;
    let key = match (key, &patch.document) {
        (Some(key), _) => key,
        (None, Change::Set(document)) => {
            CustomerKey::Identity(Identity::Document(document.clone()))
        }
        (None, _) => {
            let detail = "give id, external_id or document";
            return Err(ItemError::new("", "identity_missing", detail));
        }
    };
    Ok(CustomerItem { key, patch })
}

/// Reads what is to change about a customer who is known. Members that say who it is are ignored.
///
/// # Errors
/// The first rule that is broken; never repeats a value.
pub fn parse_customer_patch(
    members: Map<String, Value>,
    now: Instant,
) -> Result<CustomerPatch, ItemError> {
    patch(members.into(), now)
}

fn patch(mut members: Members, now: Instant) -> Result<CustomerPatch, ItemError> {
    members.ignore(COMPUTED.iter().chain(&["id", "client_id", "external_id"]));
    let document = match take_text(&mut members, "document")? {
        Change::Set(text) => Change::Set(document(&text)?),
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
    };
    let name = match take_text(&mut members, "name")? {
        Change::Set(text) => Change::Set(trimmed(&text)),
        other => other,
    };
    let phone = address(take_text(&mut members, "phone")?, Address::phone);
    let email = address(take_text(&mut members, "email")?, Address::email);
    let tags = take_tags(&mut members)?;
    let consents = take_consents(&mut members, now)?;
    Ok(CustomerPatch {
        document,
        name,
        phone,
        email,
        tags,
        consents,
        attributes: take_attributes(members)?,
    })
}

/// Whom an item is about, other than by a document.
pub(super) fn take_key(
    members: &mut Members,
    id: &'static str,
) -> Result<Option<CustomerKey>, ItemError> {
    let number = members.any(id);
    let external = members.any("external_id");
    let client = members.any("client_id");
    if let Some(number) = number {
        let number = number.as_i64().and_then(|n| CustomerId::new(n).ok());
        let detail = "a customer's id is a number from 1 on";
        let number = number.ok_or_else(|| ItemError::new(id, "invalid_id", detail))?;
        return Ok(Some(CustomerKey::Id(number)));
    }
    let Some(external) = external else {
        return Ok(None);
    };
    let external_id = ExternalId::parse(&external).map_err(|code| {
        let detail = "an external id is an integer or a text of at most 128 bytes";
        ItemError::new("external_id", code, detail)
    })?;
    let identity = match client {
        None => Identity::External(external_id),
        Some(client) => {
            let client = client.as_str().and_then(|text| ClientRef::parse(text).ok());
            let detail = "no client has this id";
            let client = client.ok_or_else(|| ItemError::new("client_id", "invalid_id", detail))?;
            Identity::Imported {
                client,
                external_id,
            }
        }
    };
    Ok(Some(CustomerKey::Identity(identity)))
}

/// A document of a request.
pub(super) fn document(text: &str) -> Result<Document, ItemError> {
    Document::parse(text)
        .map_err(|error| ItemError::new("document", error.code(), error.to_string()))
}

fn take_text(members: &mut Members, name: &'static str) -> Result<Change<String>, ItemError> {
    let value = match members.raw(name) {
        // A document that a program made a number has lost its zeros; a phone has none to lose.
        Some(Value::Number(number)) if name != "document" => {
            Some(Value::String(number_text(&number)))
        }
        value => value,
    };
    match value {
        None => Ok(Change::Keep),
        Some(Value::Null) => Ok(Change::Clear),
        Some(Value::String(text)) => {
            check_text(name, &text)?;
            Ok(match text.trim().is_empty() {
                true => Change::Clear,
                false => Change::Set(text),
            })
        }
        Some(_) => {
            let detail = "must be a string or null";
            Err(ItemError::new(name, "invalid_type", detail))
        }
    }
}

fn address(text: Change<String>, read: fn(&str) -> Address) -> Change<Address> {
    match text {
        Change::Set(text) => Change::Set(read(&text)),
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
    }
}

fn take_tags(members: &mut Members) -> Result<Option<Tags>, ItemError> {
    let wrong = || ItemError::new("tags", "invalid_type", "must be a list of strings");
    let labels = match members.raw("tags") {
        None => return Ok(None),
        Some(Value::Null) => Vec::new(),
        Some(Value::Array(labels)) => labels,
        Some(_) => return Err(wrong()),
    };
    let labels: Option<Vec<&str>> = labels.iter().map(Value::as_str).collect();
    let tags = Tags::parse(&labels.ok_or_else(wrong)?).map_err(|error| {
        let field = match error {
            TagError::Invalid(index) => format!("tags/{index}"),
            TagError::TooMany => "tags".to_owned(),
        };
        ItemError::new(&field, "invalid_tags", error.to_string())
    })?;
    Ok(Some(tags))
}

fn take_consents(
    members: &mut Members,
    now: Instant,
) -> Result<Vec<(Channel, Consent)>, ItemError> {
    let consents = members.object("consents").map_err(|_| {
        let detail = "must be an object of channels";
        ItemError::new("consents", "invalid_type", detail)
    })?;
    let read = |(channel, value): (String, Value)| {
        let channel: Channel = channel.parse().map_err(|()| {
            let detail = "a channel is email, sms, whatsapp, push or voice";
            ItemError::new("consents", "unknown_channel", detail)
        })?;
        let field = format!("consents/{}", channel.as_str());
        Ok((channel, parse_consent(&field, value, now)?))
    };
    consents.into_iter().flatten().map(read).collect()
}

fn take_attributes(members: Members) -> Result<BTreeMap<String, Option<Value>>, ItemError> {
    let is_reserved = |name: &str| OWN.contains(&name) || COMPUTED.contains(&name);
    let members = tidy_attributes(members.attributes("customer", is_reserved)?);
    check_attributes(&members)?;
    let value = |(name, value): (String, Value)| (name, (!value.is_null()).then_some(value));
    Ok(members.into_iter().map(value).collect())
}

//! Where a person is reached, and what texts say of it.

use std::collections::BTreeMap;

use domain::{
    contact::{ContactBody, Document},
    customer::{Channel, ConsentStatus, Consents, Customer},
    scheduling::{RecipientKey, SkipReason},
    shared::number_text,
};
use events::v1::{ResolvedRecipient, Route};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Wanted;

/// Bytes of a hash that name a contact who is no customer.
const NAME_BYTES: usize = 15;

/// A customer, as a recipient.
pub fn customer(customer: &Customer, wanted: &Wanted) -> ResolvedRecipient {
    let contact = customer.contact();
    let document = customer.document.as_ref();
    let key = RecipientKey::customer(customer.id.raw());
    recipient(key, document, &contact.body, &customer.consents, wanted)
}

/// A number that no customer has, as a recipient.
pub fn unknown(id: i64, wanted: &Wanted) -> ResolvedRecipient {
    let reason = SkipReason::Unknown.to_string();
    let route = |channel: &Channel| Route {
        channel: channel.to_string(),
        address: None,
        skipped: Some(reason.clone()),
    };
    ResolvedRecipient {
        key: RecipientKey::customer(id).as_str().to_owned(),
        values: BTreeMap::new(),
        routes: wanted.channels.iter().map(route).collect(),
    }
}

/// A contact of an audience, as a recipient: what it said is known where it is a customer.
pub fn contact(
    document: &Document,
    body: &ContactBody,
    customer: Option<&Customer>,
    wanted: &Wanted,
) -> Option<ResolvedRecipient> {
    let key = match customer {
        Some(customer) => RecipientKey::customer(customer.id.raw()),
        None => named(wanted, document)?,
    };
    let said = Consents::default();
    let consents = customer.map_or(&said, |customer| &customer.consents);
    Some(recipient(key, Some(document), body, consents, wanted))
}

/// A name that tells nothing of the person, and is the same every time in its workspace.
fn named(wanted: &Wanted, document: &Document) -> Option<RecipientKey> {
    let text = format!("{} {}", wanted.workspace, document.as_str());
    let digest = Sha256::digest(text);
    let hex = digest.iter().take(NAME_BYTES);
    let hex: String = hex.map(|byte| format!("{byte:02x}")).collect();
    RecipientKey::parse(&format!("k{hex}")).ok()
}

fn recipient(
    key: RecipientKey,
    document: Option<&Document>,
    body: &ContactBody,
    consents: &Consents,
    wanted: &Wanted,
) -> ResolvedRecipient {
    let values = wanted.placeholders.iter().filter_map(|name| {
        let value = value(name, document, body)?;
        Some((name.clone(), value))
    });
    let route = |channel: &Channel| {
        let address = address(*channel, body);
        let denied = consents
            .get(*channel)
            .is_some_and(|said| said.status == ConsentStatus::Denied);
        let skipped = match &address {
            None => Some(SkipReason::NoAddress),
            Some(_) if denied && !wanted.transactional => Some(SkipReason::NoConsent),
            Some(_) => None,
        };
        Route {
            channel: channel.to_string(),
            address: address.filter(|_| skipped.is_none()),
            skipped: skipped.map(|reason| reason.to_string()),
        }
    };
    ResolvedRecipient {
        key: key.as_str().to_owned(),
        values: values.collect(),
        routes: wanted.channels.iter().map(route).collect(),
    }
}

/// Where it is reached on a channel, if that can be an address.
fn address(channel: Channel, body: &ContactBody) -> Option<String> {
    match channel {
        Channel::Email => body.email.clone().filter(|_| body.email_valid),
        Channel::Sms | Channel::Whatsapp | Channel::Voice => {
            body.phone.clone().filter(|_| body.phone_valid)
        }
        Channel::Push => None,
    }
}

/// The value of a placeholder.
fn value(name: &str, document: Option<&Document>, body: &ContactBody) -> Option<String> {
    match name {
        "name" => body.name.clone(),
        "email" => body.email.clone(),
        "phone" => body.phone.clone(),
        "document" => document.map(|document| document.as_str().to_owned()),
        name => match body.attributes.get(name.strip_prefix("attributes.")?)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number_text(number)),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        },
    }
}

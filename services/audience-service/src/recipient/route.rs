//! Where a person is reached, and what texts say of it.

use std::collections::BTreeMap;

use domain::{
    contact::{ContactBody, Document},
    customer::{Channel, Consents, Customer, zone_of_phone},
    scheduling::{RecipientKey, SkipReason},
    shared::number_text,
    workspace::TimeZone,
};
use events::v1::{ResolvedRecipient, Route};
use serde_json::Value;

use super::{Wanted, wanted::Asked};

/// A customer, as a recipient.
pub fn customer(customer: &Customer, (wanted, settings): Asked<'_>) -> ResolvedRecipient {
    let contact = customer.contact();
    let document = customer.document.as_ref();
    let key = RecipientKey::customer(customer.id.raw());
    recipient(
        key,
        document,
        &contact.body,
        &customer.consents,
        (wanted, settings),
    )
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
        zone: None,
        routes: wanted.channels.iter().map(route).collect(),
    }
}

/// A contact of an audience, as a recipient: what it said is known where it is a customer, and otherwise it goes by a
/// pseudonym.
pub fn contact(
    document: &Document,
    body: &ContactBody,
    customer: Result<&Customer, &RecipientKey>,
    (wanted, settings): Asked<'_>,
) -> ResolvedRecipient {
    let said = Consents::default();
    let (key, consents) = match customer {
        Ok(customer) => (
            RecipientKey::customer(customer.id.raw()),
            &customer.consents,
        ),
        Err(pseudonym) => (pseudonym.clone(), &said),
    };
    recipient(key, Some(document), body, consents, (wanted, settings))
}

fn recipient(
    key: RecipientKey,
    document: Option<&Document>,
    body: &ContactBody,
    consents: &Consents,
    (wanted, settings): Asked<'_>,
) -> ResolvedRecipient {
    let values = wanted.placeholders.iter().filter_map(|name| {
        let value = value(name, document, body)?;
        Some((name.clone(), value))
    });
    let route = |channel: &Channel| {
        let address = address(*channel, body);
        let said = consents.get(*channel).map(|said| said.status);
        let skipped = match &address {
            None => Some(SkipReason::NoAddress),
            Some(_) if wanted.transactional || settings.consent.allows(said) => None,
            Some(_) => Some(SkipReason::NoConsent),
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
        zone: zone(body).map(|zone| zone.name().to_owned()),
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

/// Where its clock is: what is said of it, or what its phone tells.
fn zone(body: &ContactBody) -> Option<TimeZone> {
    let said = body.attributes.get("timezone").and_then(Value::as_str);
    let said = said.and_then(|name| name.parse().ok());
    said.or_else(|| zone_of_phone(body.phone.as_deref()?))
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

#[cfg(test)]
mod tests {
    use domain::{
        customer::{CustomerId, CustomerItem, CustomerKey, parse_customer},
        shared::{Instant, WorkspaceId},
        workspace::{ConsentRule, WorkspaceSettings},
    };
    use serde_json::json;

    use super::*;

    fn wanted(transactional: bool) -> Wanted {
        Wanted {
            workspace: WorkspaceId::parse("w").unwrap(),
            channels: vec![Channel::Email, Channel::Sms, Channel::Whatsapp],
            placeholders: ["name", "document", "attributes.debt", "attributes.none"]
                .map(str::to_owned)
                .to_vec(),
            transactional,
        }
    }

    fn settings(consent: ConsentRule) -> WorkspaceSettings {
        WorkspaceSettings {
            consent,
            ..WorkspaceSettings::default()
        }
    }

    fn ana() -> Customer {
        let said = json!({
            "document": "529.982.247-25", "name": "Ana", "phone": "11987654321",
            "email": "ana@example.com", "attributes": {"debt": 12.5},
            "consents": {"email": {"status": "granted"}, "sms": {"status": "denied"}},
        });
        let now = Instant::UNIX_EPOCH;
        let CustomerItem { key, patch } = parse_customer(said, now).unwrap();
        let CustomerKey::Identity(identity) = key else {
            panic!("it is named by its document")
        };
        patch
            .create(CustomerId::from_raw(7), identity, now)
            .unwrap()
    }

    fn routes(found: &ResolvedRecipient) -> Vec<String> {
        let route = |route: &Route| match (&route.address, &route.skipped) {
            (Some(address), None) => format!("{} {address}", route.channel),
            (None, Some(reason)) => format!("{} {reason}", route.channel),
            both => format!("{both:?}"),
        };
        found.routes.iter().map(route).collect()
    }

    #[test]
    fn consent_decides_unless_it_is_transactional() {
        let (email, phone) = ("email ana@example.com", "+5511987654321");
        let (sms, whatsapp) = (format!("sms {phone}"), format!("whatsapp {phone}"));
        for (transactional, rule, expected) in [
            (
                false,
                ConsentRule::OptOut,
                [email, "sms no_consent", &whatsapp],
            ),
            (
                false,
                ConsentRule::OptIn,
                [email, "sms no_consent", "whatsapp no_consent"],
            ),
            (true, ConsentRule::OptIn, [email, &sms, &whatsapp]),
        ] {
            let found = customer(&ana(), (&wanted(transactional), &settings(rule)));
            assert_eq!(routes(&found), expected);
        }
    }

    #[test]
    fn values_are_those_that_texts_name() {
        let found = customer(&ana(), (&wanted(false), &settings(ConsentRule::OptOut)));
        let values = [
            ("attributes.debt", "12.5"),
            ("document", "52998224725"),
            ("name", "Ana"),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found.values, BTreeMap::from(values));
        assert_eq!(found.key, "7");
        assert_eq!(found.zone.as_deref(), Some("America/Sao_Paulo"));
        let nobody = unknown(9, &wanted(false));
        assert_eq!(
            routes(&nobody),
            ["email", "sms", "whatsapp"].map(|c| format!("{c} unknown_customer"))
        );
    }

    #[test]
    fn a_contact_goes_by_its_pseudonym_unless_it_is_a_customer() {
        let document = ana().document.unwrap();
        let body = ana().contact().body;
        let name = RecipientKey::parse("k1").unwrap();
        let wanted = wanted(false);
        let opt_in = settings(ConsentRule::OptIn);
        let found = contact(&document, &body, Err(&name), (&wanted, &opt_in));
        assert_eq!(found.key, "k1");
        let none = ["email", "sms", "whatsapp"].map(|channel| format!("{channel} no_consent"));
        assert_eq!(routes(&found), none);
        let opt_out = settings(ConsentRule::OptOut);
        let rule = (&wanted, &opt_out);
        assert_eq!(contact(&document, &body, Ok(&ana()), rule).key, "7");
    }

    #[test]
    fn what_is_said_of_a_zone_counts_before_the_phone() {
        let body = |value: Value, phone: &str| ContactBody {
            attributes: [("timezone".to_owned(), value)].into_iter().collect(),
            phone: Some(phone.to_owned()),
            ..ana().contact().body
        };
        let acre = "+5568999990000";
        for (body, expected) in [
            (body(json!("Europe/Lisbon"), acre), Some("Europe/Lisbon")),
            (body(json!("Mars"), acre), Some("America/Rio_Branco")),
            (body(json!(3), "+351912345678"), None),
        ] {
            assert_eq!(zone(&body).map(|zone| zone.name()), expected);
        }
    }
}

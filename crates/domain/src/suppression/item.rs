//! From an item of a request to somebody who is not to be written to.

use serde_json::Value;

use super::{Suppressed, SuppressionReason};
use crate::{
    contact::{Document, normalise_email, normalise_phone},
    shared::{ItemError, Members, number_text, one_of},
};

/// Members that name somebody, one of which an item has.
const NAMES: [&str; 3] = ["phone", "email", "document"];

/// Somebody who is not to be written to any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSuppression {
    /// Who.
    pub who: Suppressed,
    /// Why.
    pub reason: SuppressionReason,
}

/// Reads an item: one of `phone`, `email` and `document`, and a `reason`, `manual` where it is missing.
///
/// # Errors
/// The first rule that the item breaks; never repeats a value.
pub fn parse_suppression(item: Value) -> Result<NewSuppression, ItemError> {
    let mut members = Members::try_from(item)?;
    let reason = match members.text("reason")? {
        None => SuppressionReason::Manual,
        Some(text) => one_of("reason", &text, &SuppressionReason::GIVEN)
            .map_err(|broken| ItemError::new("reason", broken.code, broken.detail))?,
    };
    let who = who(members)?;
    Ok(NewSuppression { who, reason })
}

/// Reads an item that names somebody and says nothing more; a `reason` is passed over, so that what was sent to
/// suppress somebody can be sent again.
///
/// # Errors
/// The first rule that the item breaks; never repeats a value.
pub fn parse_suppressed(item: Value) -> Result<Suppressed, ItemError> {
    let mut members = Members::try_from(item)?;
    members.ignore(&["reason"]);
    who(members)
}

fn who(mut members: Members) -> Result<Suppressed, ItemError> {
    members.only(&NAMES, "an item may have phone, email, document, reason")?;
    let mut named = NAMES
        .iter()
        .filter_map(|name| Some((*name, members.any(name)?)));
    let (Some((name, value)), None) = (named.next(), named.next()) else {
        let detail = "give one of phone, email and document";
        return Err(ItemError::new("", "one_expected", detail));
    };
    named_by(name, value)
}

/// Reads a row of a file, which may name somebody by several of phone, e-mail and document: everybody that can be
/// read, and the first value that cannot. A row that names nobody is at fault.
pub fn parse_suppressed_row(
    values: impl IntoIterator<Item = (&'static str, Value)>,
) -> (Vec<Suppressed>, Option<ItemError>) {
    let (mut people, mut fault) = (Vec::new(), None);
    for (name, value) in values {
        match named_by(name, value) {
            Ok(who) => people.push(who),
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    if people.is_empty() && fault.is_none() {
        let detail = "the row has no phone, no e-mail and no document";
        fault = Some(ItemError::new("", "nobody_named", detail));
    }
    (people, fault)
}

fn named_by(name: &'static str, value: Value) -> Result<Suppressed, ItemError> {
    let text = match value {
        Value::String(text) => text,
        // A document that a program made a number has lost its zeros; a phone has none to lose.
        Value::Number(number) if name == "phone" => number_text(&number),
        _ => return Err(ItemError::new(name, "invalid_type", "must be a string")),
    };
    match name {
        "phone" => {
            let phone = normalise_phone(&text);
            let detail = "no phone number";
            let valid = phone.valid.then(|| Suppressed::phone(&phone.value));
            valid.ok_or_else(|| ItemError::new(name, "invalid_phone", detail))
        }
        "email" => {
            let email = normalise_email(&text);
            let detail = "no e-mail address";
            let valid = email.valid.then(|| Suppressed::email(&email.value));
            valid.ok_or_else(|| ItemError::new(name, "invalid_email", detail))
        }
        _ => Document::parse(&text)
            .map(|document| Suppressed::document(&document))
            .map_err(|error| ItemError::new(name, error.code(), error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(item: Value) -> (String, &'static str) {
        let error = parse_suppression(item).unwrap_err();
        (error.field, error.code)
    }

    #[test]
    fn a_row_names_somebody_by_all_that_can_be_read() {
        let row = |values: &[(&'static str, &str)]| {
            let values = values.iter().map(|(name, text)| (*name, json!(text)));
            let (people, fault) = parse_suppressed_row(values);
            let kinds: Vec<_> = people.iter().map(Suppressed::kind).collect();
            (kinds, fault.map(|fault| (fault.field, fault.code)))
        };
        use crate::suppression::SuppressionKind::{Email, Phone};
        let (kinds, fault) = row(&[("phone", "11 98765-4321"), ("email", "a@b.co")]);
        assert_eq!((kinds, fault), (vec![Phone, Email], None));
        let (kinds, fault) = row(&[("phone", "1"), ("email", "a@b.co")]);
        let broken = ("phone".to_owned(), "invalid_phone");
        assert_eq!((kinds, fault), (vec![Email], Some(broken)));
        assert_eq!(row(&[]).1, Some((String::new(), "nobody_named")));
    }

    #[test]
    fn people_are_named_as_customers_are() {
        for (item, expected) in [
            (
                json!({"phone": "(11) 98765-4321"}),
                Suppressed::phone("+5511987654321"),
            ),
            (
                json!({"phone": 11_987_654_321_i64}),
                Suppressed::phone("+5511987654321"),
            ),
            (
                json!({"email": " Ana@Example.COM"}),
                Suppressed::email("ana@example.com"),
            ),
            (
                json!({"document": "529.982.247-25", "phone": null}),
                Suppressed::document(&Document::parse("52998224725").unwrap()),
            ),
        ] {
            let read = parse_suppression(item.clone()).unwrap();
            assert_eq!(
                (read.reason, &read.who),
                (SuppressionReason::Manual, &expected)
            );
            assert_eq!(parse_suppressed(item), Ok(expected));
        }
        let said = parse_suppression(json!({"phone": "11987654321", "reason": "bounce"}));
        assert_eq!(said.unwrap().reason, SuppressionReason::Bounce);
    }

    #[test]
    fn broken_items_are_named() {
        let named = |field: &str, code| (field.to_owned(), code);
        for (item, expected) in [
            (json!(7), named("", "not_an_object")),
            (json!({}), named("", "one_expected")),
            (
                json!({"phone": "1", "email": "a@b.co"}),
                named("", "one_expected"),
            ),
            (json!({"name": "Ana"}), named("", "unknown_member")),
            (json!({"phone": "1"}), named("phone", "invalid_phone")),
            (json!({"email": "a"}), named("email", "invalid_email")),
            (
                json!({"document": " "}),
                named("document", "document_empty"),
            ),
            (json!({"document": 7}), named("document", "invalid_type")),
            (
                json!({"phone": "11987654321", "reason": "mood"}),
                named("reason", "unknown_value"),
            ),
            (
                json!({"phone": "11987654321", "reason": "erasure"}),
                named("reason", "unknown_value"),
            ),
        ] {
            assert_eq!(code(item.clone()), expected, "{item}");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(
            format!("{:?}", Suppressed::email("ana@example.com")),
            "Suppressed(email: [redacted])"
        );
    }
}

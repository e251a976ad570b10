//! People of a warehouse as members.

use domain::{
    contact::{ContactBody, ItemRules, NewContact, parse_item},
    shared::Instant,
};
use kernel::Fnv;
use ports::{segments::Member, warehouse::WarehousePerson};
use serde_json::json;

/// A person as a member who is not registered; none without a key that can be read, or of whom a value is too long.
///
/// The key is the one that rows are ordered by, so it has to be that of the document.
pub(super) fn member(person: WarehousePerson, now: Instant) -> Option<Member> {
    let item = json!({
        "document": person.written, "name": person.name, "phone": person.phone, "email": person.email,
    });
    let NewContact { document, body } = parse_item(item, &ItemRules::default(), now).ok()?;
    if document.as_str() != person.key {
        return None;
    }
    Some(Member {
        key: person.key,
        customer: None,
        version: version(&body),
        unsubscribed: false,
        given: Some(Box::new(body)),
    })
}

/// Another number for other values, of 32 bits.
fn version(body: &ContactBody) -> i64 {
    let mut hash = Fnv::default();
    let texts = [
        body.name.as_deref(),
        body.raw_phone(),
        body.raw_email(),
        body.raw.document.as_deref(),
    ];
    for text in texts {
        hash.part(&[u8::from(text.is_some())]);
        hash.part(text.unwrap_or_default().as_bytes());
    }
    let hash = hash.finish();
    i64::try_from((hash ^ (hash >> 32)) & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(key: &str, written: &str, name: &str) -> WarehousePerson {
        WarehousePerson {
            key: key.to_owned(),
            written: written.to_owned(),
            name: Some(name.to_owned()),
            phone: Some("(11) 98765-4321".to_owned()),
            email: None,
        }
    }

    fn now() -> Instant {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_person_is_the_contact_that_its_values_make() {
        let person = person("12345678909", "123.456.789-09", " Ana ");
        let member = member(person, now()).unwrap();
        let body = member.given.unwrap();
        assert_eq!(
            (member.key.as_str(), member.customer),
            ("12345678909", None)
        );
        assert_eq!(body.name.as_deref(), Some("Ana"));
        assert_eq!(body.phone.as_deref(), Some("+5511987654321"));
        assert_eq!(body.raw.document.as_deref(), Some("123.456.789-09"));
        assert!(body.phone_valid);
    }

    #[test]
    fn other_values_are_another_version() {
        let of = |name| member(person("A1", "a1", name), now()).unwrap().version;
        assert_eq!(of("Ana"), of("Ana "));
        assert_ne!(of("Ana"), of("Bia"));
        assert!((0..=i64::from(u32::MAX)).contains(&of("Ana")));
    }

    #[test]
    fn who_has_no_key_that_can_be_read_is_no_member() {
        for (key, written) in [
            ("", "\u{200b}"),
            ("1,23457E+10", "1,23457E+10"),
            ("A1", "B1"),
        ] {
            assert_eq!(member(person(key, written, "Ana"), now()), None, "{key}");
        }
        let long = "x".repeat(1_025);
        assert_eq!(member(person("A1", "a1", &long), now()), None);
    }
}

//! Segments: conditions in JSON and in SQL are read, kept as they are, and evaluated; or refused at a place.

#![no_main]

use std::collections::BTreeSet;

use domain::{
    customer::Consents,
    segment::{Fact, Facts, Field, Life, Notation, Predicate, RfmScores},
    shared::{Instant, Violation},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Number, Value, json};

fuzz_target!(|content: &[u8]| {
    if let Ok(json) = serde_json::from_slice::<Value>(content) {
        check_groups(&json);
        check_groups(&json!([{ "conditions": [json] }]));
    }
    if let Ok(text) = std::str::from_utf8(content) {
        check_sql(text);
    }
});

fn check_groups(groups: &Value) {
    for read in [Predicate::parse, Predicate::parse_segment] {
        match read(groups, "/groups", Notation::default()) {
            Ok(predicate) => {
                held(&predicate);
            }
            Err(violations) => check_refused(&violations),
        }
    }
}

fn check_refused(violations: &[Violation]) {
    assert!(!violations.is_empty(), "refused without a reason");
    for violation in violations {
        assert!(violation.pointer.starts_with("/groups"), "{violation:?}");
        assert!(!violation.detail.is_empty(), "{violation:?}");
    }
}

fn sql(text: &str) -> Result<Predicate, Vec<Violation>> {
    let groups = json!([{ "conditions": [{ "kind": "sql", "expression": text }] }]);
    Predicate::parse_segment(&groups, "/groups", Notation::default())
}

fn check_sql(text: &str) {
    let predicate = match sql(text) {
        Ok(predicate) => predicate,
        Err(violations) => {
            check_refused(&violations);
            let place = |v: &Violation| v.detail.starts_with("line ") || v.code != "invalid_sql";
            assert!(violations.iter().all(place), "{violations:?}");
            return;
        }
    };
    let true_of = held(&predicate);
    // With more parentheses and words it may be beyond the limits.
    let Ok(negation) = sql(&format!("NOT ({text})")) else {
        return;
    };
    let false_of = held(&negation);
    for (is_true, is_false) in true_of.into_iter().zip(false_of) {
        assert!(!is_true || !is_false, "both true and false");
    }
    if let Ok(twice) = sql(&format!("NOT (NOT ({text}))")) {
        assert_eq!(held(&twice), true_of, "negated twice");
    }
    if let Ok(tautology) = sql(&format!("({text}) OR TRUE")) {
        assert_eq!(held(&tautology), [true; 2]);
    }
}

/// Of whom the predicate holds; it is the same when it has been stored.
fn held(predicate: &Predicate) -> [bool; 2] {
    let stored = serde_json::to_string(predicate).expect("can be stored");
    let again: Predicate = serde_json::from_str(&stored).expect("can be read again");
    assert!(again == *predicate, "{stored}");
    let now: Instant = "2026-03-10T12:00:00Z".parse().expect("an instant");
    let age = Number::from(41);
    let consents = Consents::default();
    let audiences = BTreeSet::new();
    let life = Life {
        consents: &consents,
        events: &[],
        outcomes: &[],
        rfm: Some(RfmScores {
            recency: 5,
            frequency: 2,
            monetary: 3,
        }),
        audiences: &audiences,
    };
    let people = [Person::Unknown, Person::Known(now, &age, life)];
    people.map(|person| {
        predicate.unreadable(&person);
        predicate.matches(&person, now)
    })
}

/// Whom conditions are tested with.
enum Person<'a> {
    Unknown,
    Known(Instant, &'a Number, Life<'a>),
}

impl Facts for Person<'_> {
    fn value(&self, field: &Field) -> Option<Fact<'_>> {
        let Self::Known(now, age, _) = self else {
            return None;
        };
        Some(match field {
            Field::Document => Fact::Text("12345678909"),
            Field::Name => Fact::Text("Ana"),
            Field::Phone => Fact::Text("+5511987654321"),
            Field::Email => Fact::Text("ana@example.com"),
            Field::DocumentKind => Fact::Text("cpf"),
            Field::DocumentValid | Field::PhoneValid => Fact::Bool(true),
            Field::EmailValid => Fact::Bool(false),
            Field::CreatedAt | Field::UpdatedAt => Fact::Date(*now),
            Field::ClientId | Field::ExternalId => return None,
            Field::Attribute(name) => match name.len() % 4 {
                0 => Fact::Text("31/01/2026"),
                1 => Fact::Number(age),
                2 => Fact::Text("1.234,5"),
                _ => Fact::Bool(true),
            },
        })
    }

    fn has_tag(&self, any: &[String]) -> bool {
        any.iter().any(|label| label == "vip")
    }

    fn life(&self) -> Option<&Life<'_>> {
        match self {
            Self::Unknown => None,
            Self::Known(_, _, life) => Some(life),
        }
    }
}

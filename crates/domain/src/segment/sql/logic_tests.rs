//! Expressions hold for whom SQL's logic of three values says so.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{
    CustomerFacts, Life, Notation, Predicate,
    kinds_tests::{customer, now},
};
use crate::customer::{Address, Consents, Customer};

/// A person as these tests see one.
#[derive(Debug, Clone)]
struct Person {
    name: Option<&'static str>,
    phone_valid: Option<bool>,
    /// A number, maybe in a text, or a text that is none.
    age: Option<Age>,
    vip: Option<bool>,
}

#[derive(Debug, Clone, Copy)]
enum Age {
    Number(i64),
    Text(i64),
    Unreadable,
}

impl Age {
    const fn number(self) -> Option<i64> {
        match self {
            Self::Number(number) | Self::Text(number) => Some(number),
            Self::Unreadable => None,
        }
    }
}

#[derive(Debug, Clone)]
enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Grouped(Box<Self>),
    Condition(Condition),
}

#[derive(Debug, Clone)]
enum Condition {
    Constant(bool),
    NameIs(&'static str, &'static str),
    NameIn(Vec<Option<&'static str>>, bool),
    NameIsNull(bool),
    NameStarts(&'static str),
    NameContains(&'static str),
    AgeIs(&'static str, i64, bool),
    AgeIn(Vec<Option<i64>>, bool),
    AgeBetween(i64, i64, bool),
    AgeIsNull(bool),
    Created(&'static str, i64),
    PhoneValid,
    PhoneIs(bool, bool),
    VipEquals(bool),
    VipIs(bool, bool),
}

type Truth = Option<bool>;

/// Whether a comparison holds between values in this order.
fn order(sign: &str, left: i64, right: i64) -> bool {
    match sign {
        "=" => left == right,
        "!=" | "<>" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    }
}

/// `IN` as SQL defines it: any of the equalities.
fn among<T: PartialEq>(value: Option<T>, list: &[Option<T>], negated: bool) -> Truth {
    let value = value?;
    let found = list.iter().flatten().any(|other| *other == value);
    let decided = found || list.iter().all(Option::is_some);
    decided.then_some(found != negated)
}

impl Condition {
    fn text(&self) -> String {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Self::Constant(value) => value.to_string(),
            Self::NameIs(sign, name) => format!("name {sign} '{name}'"),
            Self::NameIn(names, negated) => {
                let name = |name: &Option<&str>| name.map_or("NULL".into(), |n| format!("'{n}'"));
                let names: Vec<String> = names.iter().map(name).collect();
                format!("name {}IN ({})", not(negated), names.join(", "))
            }
            Self::NameIsNull(negated) => format!("name IS {}NULL", not(negated)),
            Self::NameStarts(part) => format!("STARTS_WITH(name, '{part}')"),
            Self::NameContains(part) => format!("CONTAINS_SUBSTR(name, \"{part}\")"),
            Self::AgeIs(sign, age, false) => format!("attributes.age {sign} {age}"),
            Self::AgeIs(sign, age, true) => format!("{age} {sign} `attributes.age`"),
            Self::AgeIn(ages, negated) => {
                let age = |age: &Option<i64>| age.map_or("null".into(), |n| n.to_string());
                let ages: Vec<String> = ages.iter().map(age).collect();
                format!("attributes.age {}in ({})", not(negated), ages.join(","))
            }
            Self::AgeBetween(low, high, negated) => {
                format!("attributes.age {}BETWEEN {low} AND {high}", not(negated))
            }
            Self::AgeIsNull(negated) => format!("attributes.age IS {}NULL", not(negated)),
            Self::Created(sign, days) => format!("created_at {sign} DATE '2026-03-{days}'"),
            Self::PhoneValid => "phone_valid".into(),
            Self::PhoneIs(value, negated) => format!("phone_valid IS {}{value}", not(negated)),
            Self::VipEquals(value) => format!("attributes.vip = {value}"),
            Self::VipIs(value, negated) => format!("attributes.vip IS {}{value}", not(negated)),
        }
    }

    fn truth(&self, person: &Person) -> Truth {
        let name = person.name;
        let folded = name.map(str::to_lowercase);
        match self {
            Self::Constant(value) => Some(*value),
            Self::NameIs(sign, other) => name.map(|name| (name == *other) == (*sign == "=")),
            Self::NameIn(names, negated) => among(name, names, *negated),
            Self::NameIsNull(negated) => Some(name.is_none() != *negated),
            Self::NameStarts(part) => folded.map(|name| name.starts_with(&part.to_lowercase())),
            Self::NameContains(part) => folded.map(|name| name.contains(&part.to_lowercase())),
            // What cannot be read as a number equals none, and has no order.
            Self::AgeIs(sign @ ("=" | "!=" | "<>"), other, _) => {
                let equal = person.age?.number() == Some(*other);
                Some(equal == (*sign == "="))
            }
            Self::AgeIs(sign, other, mirrored) => {
                let age = person.age?.number()?;
                Some(if *mirrored {
                    order(sign, *other, age)
                } else {
                    order(sign, age, *other)
                })
            }
            Self::AgeIn(ages, negated) => {
                let unreadable = i64::MIN;
                let age = person.age.map(|age| age.number().unwrap_or(unreadable));
                among(age, ages, *negated)
            }
            Self::AgeBetween(low, high, negated) => {
                let age = person.age?.number()?;
                Some((*low <= age && age <= *high) != *negated)
            }
            Self::AgeIsNull(negated) => Some(person.age.is_none() != *negated),
            Self::Created(sign, day) => Some(order(sign, 10, *day)),
            Self::PhoneValid => person.phone_valid,
            Self::PhoneIs(value, negated) => Some((person.phone_valid == Some(*value)) != *negated),
            Self::VipEquals(value) => person.vip.map(|vip| vip == *value),
            Self::VipIs(value, negated) => Some((person.vip == Some(*value)) != *negated),
        }
    }
}

impl Expression {
    fn text(&self) -> String {
        let within = |part: &Self| match part {
            Self::All(_) | Self::Any(_) => format!("({})", part.text()),
            _ => part.text(),
        };
        let joined = |parts: &[Self], by| parts.iter().map(within).collect::<Vec<_>>().join(by);
        match self {
            Self::All(parts) => joined(parts, " AND "),
            Self::Any(parts) => joined(parts, "\nor "),
            Self::Not(part) => format!("NOT {}", within(part)),
            Self::Grouped(part) => format!("({})", part.text()),
            Self::Condition(condition) => condition.text(),
        }
    }

    fn truth(&self, person: &Person) -> Truth {
        // Whether the value that decides is among the parts; if not, whether one is undecided.
        let decide = |parts: &[Self], value: bool| {
            let truths: Vec<Truth> = parts.iter().map(|part| part.truth(person)).collect();
            match () {
                () if truths.contains(&Some(value)) => Some(value),
                () if truths.contains(&None) => None,
                () => Some(!value),
            }
        };
        match self {
            Self::All(parts) => decide(parts, false),
            Self::Any(parts) => decide(parts, true),
            Self::Not(part) => part.truth(person).map(|truth| !truth),
            Self::Grouped(part) => part.truth(person),
            Self::Condition(condition) => condition.truth(person),
        }
    }
}

fn conditions() -> impl Strategy<Value = Condition> {
    let sign = || prop::sample::select(vec!["=", "!=", "<>", "<", "<=", ">", ">="]);
    let name = || prop::sample::select(vec!["Ana", "Bia", "ana"]);
    let part = || prop::sample::select(vec!["A", "an", "IA", "x"]);
    let equality = prop_oneof![Just("="), Just("!="), Just("<>")];
    let yes = any::<bool>;
    let names = prop::collection::vec(prop::option::weighted(0.8, name()), 1..4);
    let ages = prop::collection::vec(prop::option::weighted(0.8, 0_i64..6), 1..4);
    prop_oneof![
        yes().prop_map(Condition::Constant),
        (equality, name()).prop_map(|(sign, name)| Condition::NameIs(sign, name)),
        (names, yes()).prop_map(|(names, not)| Condition::NameIn(names, not)),
        yes().prop_map(Condition::NameIsNull),
        part().prop_map(Condition::NameStarts),
        part().prop_map(Condition::NameContains),
        (sign(), 0_i64..6, yes()).prop_map(|(sign, age, left)| Condition::AgeIs(sign, age, left)),
        (ages, yes()).prop_map(|(ages, not)| Condition::AgeIn(ages, not)),
        (0_i64..4, 0_i64..4, yes())
            .prop_map(|(low, more, not)| { Condition::AgeBetween(low, low + more, not) }),
        yes().prop_map(Condition::AgeIsNull),
        // The zone of the workspace is three hours behind: noon is on the same day.
        (sign(), 10_i64..12).prop_map(|(sign, day)| Condition::Created(sign, day)),
        Just(Condition::PhoneValid),
        (yes(), yes()).prop_map(|(value, not)| Condition::PhoneIs(value, not)),
        yes().prop_map(Condition::VipEquals),
        (yes(), yes()).prop_map(|(value, not)| Condition::VipIs(value, not)),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = conditions().prop_map(Expression::Condition);
    leaf.prop_recursive(5, 30, 4, |part| {
        let parts = || prop::collection::vec(part.clone(), 2..5);
        prop_oneof![
            parts().prop_map(Expression::All),
            parts().prop_map(Expression::Any),
            part.clone()
                .prop_map(|part| Expression::Not(Box::new(part))),
            part.clone()
                .prop_map(|part| Expression::Grouped(Box::new(part))),
        ]
    })
}

fn people() -> Vec<Person> {
    let names = [None, Some("Ana"), Some("Bia")];
    let flags = [None, Some(true), Some(false)];
    let ages = [
        None,
        Some(Age::Number(2)),
        Some(Age::Number(4)),
        Some(Age::Text(3)),
        Some(Age::Unreadable),
    ];
    let mut people = Vec::new();
    for name in names {
        for phone_valid in flags {
            people.extend(
                ages.iter()
                    .zip(flags.iter().cycle())
                    .map(|(age, vip)| Person {
                        name,
                        phone_valid,
                        age: *age,
                        vip: *vip,
                    }),
            );
        }
    }
    people
}

fn registered(person: &Person) -> Customer {
    let mut customer = customer();
    customer.name = person.name.map(ToOwned::to_owned);
    customer.phone = person.phone_valid.map(|valid| Address {
        value: "1".into(),
        raw: None,
        valid,
    });
    let age = person.age.map(|age| match age {
        Age::Number(number) => json!(number),
        Age::Text(number) => json!(format!("{number},0")),
        Age::Unreadable => json!("old"),
    });
    let attributes = [("age", age), ("vip", person.vip.map(Value::from))];
    for (name, value) in attributes {
        customer
            .attributes
            .extend(value.map(|value| (name.to_owned(), value)));
    }
    customer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn expressions_hold_where_they_are_true(expression in expression()) {
        let text = expression.text();
        let groups = json!([{"conditions": [{"kind": "sql", "expression": text}]}]);
        let predicate = Predicate::parse_segment(&groups, "", Notation::default());
        prop_assert!(predicate.is_ok(), "{text}: {:?}", predicate.err());
        let Ok(predicate) = predicate else { return Ok(()) };
        for person in people() {
            let customer = registered(&person);
            let life = Life {
                consents: &Consents::default(),
                events: &[],
                outcomes: &[],
                rfm: None,
                audiences: &BTreeSet::new(),
            };
            let held = predicate.matches(&CustomerFacts { customer: &customer, life }, now());
            let truth = expression.truth(&person);
            prop_assert_eq!(held, truth == Some(true), "{}: {:?} of {:?}", text, truth, person);
        }
    }
}

//! Every kind of condition, read and evaluated over customers.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    customer::{
        Amount, Channel, Consent, ConsentStatus, Consents, Customer, CustomerEvent, CustomerId,
        EventName, Identity,
    },
    recycle::{Outcome, OutcomeFact},
    shared::{AudienceId, Instant},
};

pub(super) fn now() -> Instant {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

pub(super) fn customer() -> Customer {
    let json = json!({"document": "1", "name": "Ana", "city": "Recife"});
    let item = crate::customer::parse_customer(json, now()).unwrap();
    let crate::customer::CustomerKey::Identity(identity) = item.key else {
        panic!("an identity");
    };
    let id = CustomerId::from_raw(7);
    item.patch.create(id, identity, now()).unwrap()
}

fn event(name: &str, days: i64, amount: Option<&str>, properties: Value) -> CustomerEvent {
    CustomerEvent {
        id: days,
        customer: CustomerId::from_raw(7),
        key: None,
        name: EventName::parse(name).unwrap(),
        time: now() - TimeDelta::days(days),
        properties: properties.as_object().cloned().unwrap_or_else(Map::new),
        amount: amount.map(|text| text.parse::<Amount>().unwrap()),
        received_at: now(),
    }
}

fn holds(condition: Value) -> bool {
    let groups = json!([{ "conditions": [condition] }]);
    let predicate = Predicate::parse_segment(&groups, "", Notation::default());
    let predicate = predicate.unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let said = Consent {
        status: ConsentStatus::Denied,
        source: "api".into(),
        at: now(),
    };
    let events = [
        event("order.paid", 1, Some("10.50"), json!({"store": "Recife"})),
        event(
            "order.paid",
            30,
            Some("20"),
            json!({"store": "Olinda", "items": 3}),
        ),
        event("order.paid", 90, None, json!({})),
        event("visit", 0, None, json!({})),
    ];
    let fact = |outcome, days| OutcomeFact {
        channel: "voice".into(),
        outcome,
        occurred_at: now() - TimeDelta::days(days),
    };
    let customer = customer();
    let life = Life {
        consents: &Consents::from_iter([(Channel::Sms, said)]),
        events: &events,
        outcomes: &[fact(Outcome::NoAnswer, 2), fact(Outcome::Answered, 20)],
        rfm: Some(RfmScores {
            recency: 5,
            frequency: 2,
            monetary: 3,
        }),
        audiences: &BTreeSet::from([AudienceId::from_raw(5)]),
    };
    let customer = &customer;
    predicate.matches(&CustomerFacts { customer, life }, now())
}

#[test]
fn events_are_counted_within_their_window() {
    let count = |op: &str, count: u32, window: Value| {
        holds(
            json!({"kind": "event", "name": "order.paid", "window": window,
            "occurrence": {"op": op, "count": count}}),
        )
    };
    assert!(count("exactly", 3, Value::Null) && count("at_most", 3, json!("ever")));
    assert!(!count("at_least", 4, json!({"ever": true})));
    assert!(count("exactly", 2, json!({"last_days": 30})));
    assert!(count("exactly", 1, json!({"last_days": 29})));
    assert!(count(
        "exactly",
        1,
        json!({"between": ["2026-02-08", "08/02/2026"]})
    ));
    assert!(count("exactly", 1, json!({"since": "2026-03-01"})));
    assert!(holds(json!({"kind": "event", "name": "visit"})));
    let never = json!({"op": "at_most", "count": 0});
    assert!(holds(
        json!({"kind": "event", "name": "none", "occurrence": never})
    ));
}

#[test]
fn values_of_events_are_tested() {
    let count = |field: &str, operator: &str, value: Value| {
        let test = json!({"field": field, "operator": operator, "value": value});
        holds(json!({"kind": "event", "name": "order.paid", "where": [test]}))
    };
    assert!(count("store", "equals", json!("Olinda")) && !count("store", "equals", json!("x")));
    assert!(
        count("amount", "greater_or_equal", json!(20)) && !count("amount", "greater", json!(20))
    );
    assert!(
        count("amount", "equals", json!("10,50")) && count("amount", "not_exists", Value::Null)
    );
    assert!(count("properties.items", "between", json!([3, 3])));
    assert!(count("store", "contains", json!("OLI")));
}

#[test]
fn metrics_measure_the_events_of_a_window() {
    let metric = |metric: &str, operator: &str, value: Value, more: Value| {
        let mut condition = json!({"kind": "metric", "name": "order.paid", "metric": metric,
            "operator": operator, "value": value});
        let members = condition.as_object_mut().unwrap();
        members.extend(more.as_object().cloned().unwrap_or_default());
        holds(condition)
    };
    assert!(metric("count", "equals", json!(3), Value::Null));
    assert!(metric("sum", "equals", json!("30.5"), Value::Null));
    assert!(metric("average", "equals", json!(15.25), Value::Null));
    assert!(metric(
        "average",
        "greater",
        json!("15.249999"),
        Value::Null
    ));
    assert!(metric("min", "less_or_equal", json!(10.5), Value::Null));
    assert!(metric("max", "between", json!([20, 30]), Value::Null));
    assert!(metric("days_since_last", "equals", json!(1), Value::Null));
    assert!(metric(
        "days_since_first",
        "greater",
        json!(89),
        Value::Null
    ));
    assert!(metric("sum", "equals", json!(3), json!({"field": "items"})));
    let none = json!({"window": {"since": "2027-01-01"}});
    assert!(metric("sum", "less", json!(1), none.clone()));
    assert!(metric("count", "equals", json!(0), none.clone()));
    assert!(!metric("max", "less", json!(1), none.clone()));
    assert!(!metric("days_since_last", "greater", json!(0), none));
}

#[test]
fn what_else_is_known_of_customers_is_tested() {
    let consent = |channel: &str, status: &str| {
        holds(json!({"kind": "consent", "channel": channel, "status": status}))
    };
    assert!(consent("sms", "denied") && !consent("sms", "granted") && !consent("sms", "never"));
    assert!(consent("email", "never") && !consent("email", "denied"));
    let rfm = |field: &str, operator: &str, value: Value| {
        holds(json!({"kind": "rfm", "field": field, "operator": operator, "value": value}))
    };
    assert!(
        rfm("cell", "equals", json!("potential_loyalist"))
            || rfm("cell", "in", json!(["champions"]))
    );
    assert!(rfm("recency", "greater", json!(4)) && rfm("monetary", "between", json!([3, 3])));
    assert!(!rfm("frequency", "not_in", json!([2])));
    let audience = |operator: &str, id: &str| {
        holds(json!({"kind": "audience", "operator": operator, "value": id}))
    };
    assert!(audience("member_of", "aud_5") && audience("not_member_of", "6"));
    let contacts = |field: &str, days: u32| {
        holds(json!({"kind": "communication", "field": field, "window": {"last_days": days}}))
    };
    assert!(contacts("failed", 2) && contacts("sent", 2) && contacts("no_answer", 3));
    assert!(!contacts("answered", 19) && contacts("answered", 20));
    let property = |field: &str, operator: &str, value: Value| {
        holds(json!({"kind": "property", "field": field, "operator": operator, "value": value}))
    };
    assert!(property("created_at", "equals", json!("2026-03-10")));
    assert!(property("client_id", "not_exists", Value::Null));
    assert!(property("city", "equals", json!("Recife")));
}

/// Where a condition is broken, and how.
fn broken(condition: Value) -> (String, &'static str) {
    let groups = json!([{ "conditions": [condition] }]);
    let wrong = Predicate::parse_segment(&groups, "", Notation::default()).unwrap_err();
    let violation = &wrong[0];
    let at = violation.pointer.strip_prefix("/0/conditions/0");
    (at.unwrap().to_owned(), violation.code)
}

#[test]
fn what_is_missing_is_incomplete() {
    for (condition, at) in [
        (json!({}), "/kind"),
        (json!({"kind": "property"}), "/field"),
        (
            json!({"kind": "property", "field": "city", "operator": "equals"}),
            "/value",
        ),
        (
            json!({"kind": "property", "field": "city", "operator": "in", "value": []}),
            "/value",
        ),
        (json!({"kind": "event"}), "/name"),
        (
            json!({"kind": "event", "name": "a", "occurrence": {"op": "exactly"}}),
            "/occurrence/count",
        ),
        (
            json!({"kind": "event", "name": "a", "window": {"last_days": null}}),
            "/window/last_days",
        ),
        (
            json!({"kind": "metric", "name": "a", "metric": "sum", "operator": "less"}),
            "/value",
        ),
        (
            json!({"kind": "rfm", "field": "cell", "operator": "in"}),
            "/value",
        ),
        (
            json!({"kind": "audience", "operator": "member_of"}),
            "/value",
        ),
        (json!({"kind": "consent", "channel": "sms"}), "/status"),
        (json!({"kind": "sql"}), "/expression"),
    ] {
        assert_eq!(
            broken(condition.clone()),
            (at.to_owned(), INCOMPLETE),
            "{condition}"
        );
    }
    let empty = Predicate::parse_segment(&json!([]), "/groups", Notation::default());
    assert_eq!(empty.unwrap_err()[0].code, INCOMPLETE);
}

#[test]
fn what_is_wrong_is_invalid() {
    for (condition, at) in [
        (json!({"kind": "x"}), "/kind"),
        (json!({"kind": "event", "name": "A b"}), "/name"),
        (json!({"kind": "event", "name": "a", "extra": 1}), ""),
        (
            json!({"kind": "event", "name": "a", "window": {"last_days": 0}}),
            "/window/last_days",
        ),
        (
            json!({"kind": "event", "name": "a", "window": {}}),
            "/window",
        ),
        (
            json!({"kind": "event", "name": "a", "window": {"between": ["2026-02-01", "2026-01-01"]}}),
            "/window/between",
        ),
        (
            json!({"kind": "event", "name": "a", "occurrence": {"op": "x", "count": 1}}),
            "/occurrence/op",
        ),
        (
            json!({"kind": "metric", "name": "a", "metric": "x", "operator": "less", "value": 1}),
            "/metric",
        ),
        (
            json!({"kind": "metric", "name": "a", "metric": "count", "operator": "less", "value": "123456789012345678901234567890"}),
            "/value",
        ),
        (
            json!({"kind": "rfm", "field": "cell", "operator": "in", "value": ["x"]}),
            "/value",
        ),
        (
            json!({"kind": "rfm", "field": "recency", "operator": "equals", "value": 6}),
            "/value",
        ),
        (
            json!({"kind": "audience", "operator": "member_of", "value": "x"}),
            "/value",
        ),
        (
            json!({"kind": "consent", "channel": "fax", "status": "denied"}),
            "/channel",
        ),
        (json!({"kind": "communication", "field": "x"}), "/field"),
    ] {
        let (place, code) = broken(condition.clone());
        assert_eq!(place, at, "{condition}");
        assert_ne!(code, INCOMPLETE, "{condition}");
    }
}

#[test]
fn windows_and_days_since_depend_on_time() {
    let depends = |condition: Value| {
        let groups = json!([{ "conditions": [condition] }]);
        let predicate = Predicate::parse_segment(&groups, "", Notation::default());
        predicate.unwrap().depends_on_time()
    };
    assert!(depends(
        json!({"kind": "event", "name": "a", "window": {"last_days": 3}})
    ));
    assert!(!depends(
        json!({"kind": "event", "name": "a", "window": {"since": "2026-01-01"}})
    ));
    assert!(depends(
        json!({"kind": "metric", "name": "a", "metric": "days_since_last",
        "operator": "less", "value": 3})
    ));
    assert!(!depends(
        json!({"kind": "consent", "channel": "sms", "status": "never"})
    ));
}

#[test]
fn identity_of_imported_people_can_be_tested() {
    let client = crate::customer::ClientRef::parse("cli_9").unwrap();
    let external_id = crate::importing::ExternalId::parse(&json!("x1")).unwrap();
    let identity = Identity::Imported {
        client,
        external_id,
    };
    let customer = Customer {
        identity,
        ..customer()
    };
    let facts = CustomerFacts {
        customer: &customer,
        life: Life {
            consents: &Consents::default(),
            events: &[],
            outcomes: &[],
            rfm: None,
            audiences: &BTreeSet::new(),
        },
    };
    let groups = json!([{"conditions": [
        {"kind": "property", "field": "client_id", "operator": "equals", "value": "cli_9"},
        {"kind": "property", "field": "external_id", "operator": "starts_with", "value": "X"},
    ]}]);
    let predicate = Predicate::parse_segment(&groups, "", Notation::default()).unwrap();
    assert!(predicate.matches(&facts, now()));
}

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{importing::ExternalId, shared::Instant};

fn at(seconds: i64) -> Instant {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

fn item(value: Value) -> CustomerItem {
    parse_customer(value, at(0)).unwrap()
}

fn refused(value: Value) -> (String, &'static str) {
    let error = parse_customer(value, at(0)).unwrap_err();
    (error.field, error.code)
}

fn external(id: &str) -> ExternalId {
    ExternalId::parse(&json!(id)).unwrap()
}

fn created(value: Value) -> Customer {
    let CustomerItem { key, patch } = item(value);
    let CustomerKey::Identity(identity) = key else {
        panic!("an item with an identity")
    };
    patch
        .create(CustomerId::from_raw(1), identity, at(0))
        .unwrap()
}

fn person(name: &str, tags: &[&str]) -> SyncedPerson {
    let tag = |name: &&str| ImportedTag {
        external_id: external(name),
        name: Some((*name).to_owned()),
        color: None,
    };
    SyncedPerson::new(external("7"), Some(name), None, None, tags.iter().map(tag))
}

fn imported() -> Identity {
    Identity::Imported {
        client: ClientRef::parse("clt_1").unwrap(),
        external_id: external("7"),
    }
}

#[test]
fn an_item_names_its_customer_by_number_then_external_id_then_document() {
    let id = CustomerKey::Id(CustomerId::from_raw(5));
    let all = json!({"id": 5, "external_id": "x", "client_id": "clt_1", "document": "1"});
    assert_eq!(item(all).key, id);
    assert_eq!(
        item(json!({"external_id": 7, "client_id": "clt_1", "document": "1"})).key,
        CustomerKey::Identity(imported())
    );
    assert_eq!(
        item(json!({"external_id": "x", "document": "1"})).key,
        CustomerKey::Identity(Identity::External(external("x")))
    );
    let CustomerKey::Identity(by_document) = item(json!({"document": "123.456.789-09"})).key else {
        panic!("an identity")
    };
    assert_eq!(by_document.key(), "d:12345678909");
}

#[test]
fn identities_read_back_as_they_were_stored() {
    let document = crate::contact::Document::parse("a:1").unwrap();
    for identity in [
        imported(),
        Identity::External(external("x:y")),
        Identity::Document(document),
    ] {
        let client = identity.client().map_or("", ClientRef::as_str);
        assert_eq!(
            Identity::from_stored(client, &identity.key()),
            Some(identity.clone())
        );
    }
    assert_eq!(Identity::from_stored("clt_1", "d:1"), None);
    assert_eq!(Identity::from_stored("", "1"), None);
}

#[test]
fn items_that_break_a_rule_name_it() {
    for (value, field, code) in [
        (json!([]), "", "not_an_object"),
        (json!({"name": "A"}), "", "identity_missing"),
        (json!({"document": null}), "", "identity_missing"),
        (json!({"id": 0}), "id", "invalid_id"),
        (json!({"id": "1"}), "id", "invalid_id"),
        (json!({"id": 9_007_199_254_740_992_i64}), "id", "invalid_id"),
        (json!({"external_id": 1.5}), "external_id", "id_not_exact"),
        (
            json!({"external_id": "1", "client_id": "a b"}),
            "client_id",
            "invalid_id",
        ),
        (json!({"document": " "}), "", "identity_missing"),
        (
            json!({"document": "x".repeat(65)}),
            "document",
            "document_too_long",
        ),
        (
            json!({"external_id": "1", "phone": [1]}),
            "phone",
            "invalid_type",
        ),
        (
            json!({"external_id": "1", "name": "a\u{0}"}),
            "name",
            "contains_nul",
        ),
        (
            json!({"external_id": "1", "tags": "vip"}),
            "tags",
            "invalid_type",
        ),
        (
            json!({"external_id": "1", "tags": ["a", ""]}),
            "tags/1",
            "invalid_tags",
        ),
        (
            json!({"external_id": "1", "city": []}),
            "city",
            "invalid_attribute",
        ),
        (
            json!({"external_id": "1", "attributes": {"id": 1}}),
            "id",
            "invalid_attribute",
        ),
        (
            json!({"external_id": "1", "consents": {"fax": {}}}),
            "consents",
            "unknown_channel",
        ),
        (
            json!({"external_id": "1", "consents": {"sms": "granted"}}),
            "consents/sms",
            "invalid_type",
        ),
        (
            json!({"external_id": "1", "consents": {"sms": {"status": "maybe"}}}),
            "consents/sms",
            "unknown_value",
        ),
        (
            json!({"external_id": "1", "consents": {"sms": {"status": "denied", "at": "2900-01-01T00:00:00Z"}}}),
            "consents/sms",
            "in_the_future",
        ),
    ] {
        assert_eq!(refused(value.clone()), (field.to_owned(), code), "{value}");
    }
}

#[test]
fn members_that_are_not_named_stay_and_null_clears() {
    let mut customer = created(json!({
        "external_id": "1", "name": " Ana ", "phone": "(11) 98765-4321", "email": "ANA@x.co",
        "city": "Recife", "attributes": {"plan": "gold", "age": 3}, "tags": ["vip"],
    }));
    assert_eq!(customer.name.as_deref(), Some("Ana"));
    let phone = customer.phone.clone().unwrap();
    assert_eq!(
        (phone.value.as_str(), phone.given()),
        ("+5511987654321", "(11) 98765-4321")
    );
    let change = item(json!({"id": 1, "email": null, "city": null, "age": 4})).patch;
    assert!(change.apply(&mut customer, at(9)).unwrap());
    assert_eq!((customer.version, customer.updated_at), (2, at(9)));
    assert_eq!(customer.email, None);
    assert_eq!(
        Value::Object(customer.attributes.clone()),
        json!({"plan": "gold", "age": 4})
    );
    assert_eq!(
        (customer.name.as_deref(), customer.tags.as_slice().len()),
        (Some("Ana"), 1)
    );
    assert!(!change.apply(&mut customer, at(10)).unwrap());
    assert_eq!(
        (customer.version, customer.updated_at),
        (2, at(9)),
        "nothing changed"
    );
}

#[test]
fn a_document_that_is_the_identity_is_fixed() {
    let mut customer = created(json!({"document": "1", "name": "A"}));
    for document in [json!(null), json!("2")] {
        let change = item(json!({"id": 1, "document": document})).patch;
        let error = change.apply(&mut customer, at(1)).unwrap_err();
        assert_eq!(error.code, "document_is_identity");
    }
    let mut other = created(json!({"external_id": "1", "document": "1"}));
    let change = item(json!({"id": 1, "document": "2"})).patch;
    assert!(change.apply(&mut other, at(1)).unwrap());
}

#[test]
fn attributes_are_bounded_after_the_change() {
    let many = |from: i32| -> serde_json::Map<String, Value> {
        (from..from + 50)
            .map(|n| (format!("a{n}"), json!(n)))
            .collect()
    };
    let mut customer = created(json!({"external_id": "1", "attributes": many(0)}));
    let before = customer.clone();
    let error = item(json!({"id": 1, "one_more": 1}))
        .patch
        .apply(&mut customer, at(1));
    assert_eq!(error.unwrap_err().code, "too_many_attributes");
    assert_eq!(customer, before);
}

#[test]
fn a_sync_replaces_what_the_crm_knows_and_nothing_else() {
    let first = person("Ana", &["a", "b"]);
    let mut customer = first.create(CustomerId::from_raw(1), imported(), 10, at(0));
    let own = json!({
        "id": 1, "document": "1", "tags": ["vip"], "plan": "gold",
        "consents": {"sms": {"status": "denied", "source": "call"}},
    });
    item(own).patch.apply(&mut customer, at(1)).unwrap();
    let consents = customer.consents.clone();
    assert_eq!(
        person("Bia", &["b", "c"]).apply(&mut customer, 11, at(2)),
        Synced::Updated
    );
    assert_eq!(customer.name.as_deref(), Some("Bia"));
    let labels: Vec<String> = customer.labels().into_keys().collect();
    assert_eq!(labels, ["b", "c", "vip"]);
    assert_eq!(customer.consents, consents);
    assert_eq!(customer.attributes["plan"], "gold");
    assert!(customer.document.is_some());
}

#[test]
fn a_person_of_a_crm_is_taken_as_it_is() {
    let long = format!(" {}é\u{0}", "x".repeat(1023));
    let tags = (0..300).map(|n| ImportedTag {
        external_id: external(&n.to_string()),
        name: Some(format!(" {n}\n{}", "y".repeat(70))),
        color: Some(" ".into()),
    });
    let person = SyncedPerson::new(
        external("7"),
        Some(&long),
        Some(" \u{0}"),
        Some("no mail"),
        tags,
    );
    let customer = person.create(CustomerId::from_raw(1), imported(), 1, at(0));
    assert_eq!(customer.name.as_deref(), Some("x".repeat(1023).as_str()));
    assert_eq!(customer.phone, None);
    assert!(!customer.email.unwrap().valid);
    assert_eq!(customer.imported_tags.len(), MAX_IMPORTED_TAGS);
    let tag = &customer.imported_tags[0];
    let name = tag.name.as_deref().unwrap();
    assert!(name.starts_with("0y") && name.chars().count() == 64 && tag.color.is_none());
}

#[test]
fn what_is_personal_does_not_print() {
    let customer = created(json!({"document": "12345678909", "name": "Ana", "email": "ana@x.co"}));
    let patch = item(json!({"id": 1, "name": "Ana", "document": "12345678909"}));
    let person = person("Ana", &[]);
    let shown = format!("{customer:?}{patch:?}{person:?}{:?}", customer.email);
    assert!(
        !shown.contains("Ana") && !shown.contains("ana") && !shown.contains("123"),
        "{shown}"
    );
}

fn event(value: Value) -> Result<NewEvent, &'static str> {
    parse_event(value, at(0), at(-1000)).map_err(|error| error.code)
}

#[test]
fn an_event_is_read_whole() {
    let read = event(json!({
        "id": 9, "customer_id": 5, "name": "order.paid", "time": "2024-10-04T00:00:00.1239Z",
        "properties": {"items": [{"sku": "a"}]}, "amount": "129.90",
    }))
    .unwrap();
    assert_eq!(read.customer, CustomerKey::Id(CustomerId::from_raw(5)));
    assert_eq!(read.time, at(0) + TimeDelta::milliseconds(123));
    assert_eq!(read.amount.unwrap().to_string(), "129.9");
    assert_eq!(read.key, Some(external("9")));
}

#[test]
fn events_that_break_a_rule_are_refused() {
    let with = |name: &str, value: Value| {
        let mut item = json!({"customer_id": 5, "name": "a", "time": at(0).to_rfc3339()});
        item[name] = value;
        event(item)
    };
    assert!(with("amount", json!(null)).is_ok());
    assert!(with("time", json!((at(0) + MAX_EARLY).to_rfc3339())).is_ok());
    let deep = json!({"a": [[[[[1]]]]]});
    for (name, value, code) in [
        ("customer_id", json!(null), "identity_missing"),
        ("customer_id", json!("5"), "invalid_id"),
        ("id", json!(""), "id_invalid"),
        ("name", json!("Order"), "invalid_name"),
        ("name", json!(""), "invalid_name"),
        ("name", json!("x".repeat(65)), "invalid_name"),
        ("name", json!(null), "required"),
        ("time", json!("2024-10-04"), "invalid_time"),
        ("time", json!(at(3601).to_rfc3339()), "in_the_future"),
        ("time", json!(at(-1001).to_rfc3339()), "too_old"),
        ("amount", json!("1,5"), "invalid_amount"),
        ("properties", json!([]), "invalid_type"),
        ("properties", deep, "properties_too_deep"),
        (
            "properties",
            json!({"a": "x".repeat(16 * 1024)}),
            "properties_too_large",
        ),
        ("properties", json!({"a": {"b\u{0}": 1}}), "contains_nul"),
        ("propertes", json!({}), "unknown_member"),
    ] {
        assert_eq!(
            with(name, value.clone()).unwrap_err(),
            code,
            "{name} {value}"
        );
    }
    assert_eq!(event(json!(1)).unwrap_err(), "not_an_object");
}

fn consent() -> impl Strategy<Value = (Channel, Consent)> {
    let status = prop_oneof![Just(ConsentStatus::Granted), Just(ConsentStatus::Denied)];
    let channel = prop_oneof![Just(Channel::Sms), Just(Channel::Email)];
    (channel, status, 0_i64..4).prop_map(|(channel, status, seconds)| {
        let consent = Consent {
            status,
            source: "api".into(),
            at: at(seconds),
        };
        (channel, consent)
    })
}

proptest! {
    /// Whatever the order in which consent is reported, the same is known at the end.
    #[test]
    fn consent_does_not_depend_on_the_order_of_reports(
        reports in prop::collection::vec(consent(), 0..8).prop_flat_map(|all| {
            (Just(all.clone()), Just(all).prop_shuffle())
        })
    ) {
        let told = |reports: Vec<(Channel, Consent)>| {
            let mut known = Consents::default();
            for (channel, consent) in reports {
                known.record(channel, consent);
            }
            known
        };
        prop_assert_eq!(told(reports.0), told(reports.1));
    }

    /// Whatever the order and number of deliveries, the highest batch has the last word.
    #[test]
    fn the_highest_batch_wins(batches in prop::collection::vec(1_i64..6, 1..12)) {
        let name = |batch: i64| format!("n{batch}");
        let mut stored: Option<Customer> = None;
        for batch in &batches {
            let person = person(&name(*batch), &[]);
            match &mut stored {
                None => stored = Some(person.create(CustomerId::from_raw(1), imported(), *batch, at(0))),
                Some(customer) => { person.apply(customer, *batch, at(1)); }
            }
        }
        let highest = name(batches.into_iter().max().unwrap_or_default());
        prop_assert_eq!(stored.and_then(|customer| customer.name), Some(highest));
    }
}

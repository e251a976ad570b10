use serde_json::{Value, json};

use super::*;
use crate::shared::{Instant, ItemError};

fn now() -> Instant {
    chrono::DateTime::from_timestamp_nanos(1_700_000_000_123_456_789)
}

fn parse(item: Value) -> Result<NewContact, ItemError> {
    parse_item(item, &ItemRules::default(), now())
}

fn code(item: Value) -> (String, &'static str) {
    parse(item)
        .map(|_| ())
        .map_err(|e| (e.field, e.code))
        .unwrap_err()
}

#[test]
fn an_item_is_normalised_and_its_raw_values_kept() {
    let contact = parse(json!({
        "document": "123.456.789-00", "name": " Ana ", "phone": "(11) 98765-4321",
        "email": "Ana@Example.com", "city": "Recife", "score": 7, "gone": null,
        "attributes": {"city": "Olinda", "vip": true},
    }))
    .unwrap();
    let NewContact { document, body } = contact;
    assert_eq!(
        (document.as_str(), document.valid()),
        ("12345678900", false)
    );
    assert_eq!(body.raw_document(&document), "123.456.789-00");
    assert_eq!(
        (body.name.as_deref(), body.phone_valid),
        (Some("Ana"), true)
    );
    assert_eq!(body.phone.as_deref(), Some("+5511987654321"));
    assert_eq!(body.raw_phone(), Some("(11) 98765-4321"));
    assert_eq!(
        (body.email.as_deref(), body.email_valid),
        (Some("ana@example.com"), true)
    );
    assert_eq!(body.raw_email(), Some("Ana@Example.com"));
    assert_eq!(
        Value::Object(body.attributes.clone()),
        json!({"city": "Recife", "score": 7, "vip": true})
    );
    let stored = serde_json::to_string(&body).unwrap();
    assert_eq!(serde_json::from_str::<ContactBody>(&stored).unwrap(), body);
    assert!(!format!("{body:?} {document:?}").contains("Ana"));
}

#[test]
fn a_number_as_name_phone_or_email_is_its_digits() {
    let item = json!({"document": "T1", "name": 7, "phone": 5_511_987_654_321_u64, "email": 5});
    let body = parse(item).unwrap().body;
    assert_eq!(body.name.as_deref(), Some("7"));
    let phone = body.phone.as_deref();
    assert_eq!((phone, body.phone_valid), (Some("+5511987654321"), true));
    let email = body.email.as_deref();
    assert_eq!((email, body.email_valid), (Some("5"), false));
}

#[test]
fn nobody_is_rejected_for_a_name_phone_or_email_of_another_type() {
    let item = json!({"document": "1", "name": {"first": "Ana"}, "phone": [11], "email": true});
    let body = parse(item).unwrap().body;
    assert_eq!(body.name.as_deref(), Some("{\"first\":\"Ana\"}"));
    assert_eq!(
        (body.phone.as_deref(), body.phone_valid),
        (Some("[11]"), false)
    );
    assert_eq!(
        (body.email.as_deref(), body.email_valid),
        (Some("true"), false)
    );
}

#[test]
fn a_small_contact_is_stored_small() {
    let body = parse(json!({"document": "A1", "phone": "", "email": " "}))
        .unwrap()
        .body;
    assert_eq!(
        serde_json::to_value(&body).unwrap(),
        json!({"updated_at": 1_700_000_000_123_i64})
    );
}

#[test]
fn an_exported_contact_can_be_sent_back() {
    let item = json!({"contact_id": "c", "document": "1", "document_kind": "other",
        "document_valid": true, "phone": null, "phone_valid": null, "email_valid": false,
        "attributes": {"a": 1}, "raw": {"document": "1"}, "updated_at": "2024-01-01T00:00:00Z"});
    let body = parse(item).unwrap().body;
    assert_eq!(Value::Object(body.attributes), json!({"a": 1}));
}

#[test]
fn each_broken_rule_has_its_code() {
    let field = |f: &str, c| (f.to_owned(), c);
    assert_eq!(code(json!([1])), field("", "not_an_object"));
    assert_eq!(code(json!({})), field("document", "document_missing"));
    assert_eq!(
        code(json!({"document": null})),
        field("document", "document_missing")
    );
    assert_eq!(
        code(json!({"document": " "})),
        field("document", "document_empty")
    );
    assert_eq!(
        code(json!({"document": 5})),
        field("document", "document_not_a_string")
    );
    assert_eq!(
        code(json!({"document": "x".repeat(65)})),
        field("document", "document_too_long")
    );
    assert_eq!(
        code(json!({"document": "a\u{0}"})),
        field("document", "document_nul")
    );
    let with = |name: &str, value: Value| code(json!({"document": "1", name: value}));
    assert_eq!(
        with("attributes", json!("x")),
        field("attributes", "invalid_type")
    );
    assert_eq!(
        with("attributes", json!({"raw": 1})),
        field("raw", "invalid_attribute")
    );
    assert_eq!(with("x", json!([1])), field("x", "invalid_attribute"));
    assert_eq!(
        with("x", json!("é".repeat(513))),
        field("x", "attribute_too_long")
    );
    assert_eq!(with("name", json!("a\u{0}")), field("name", "contains_nul"));
    assert_eq!(
        with("a\u{0}", json!(1)),
        field("attributes", "contains_nul")
    );
    let many: serde_json::Map<_, _> = (0..51).map(|n| (n.to_string(), json!(n))).collect();
    assert_eq!(
        with("attributes", many.into()),
        field("attributes", "too_many_attributes")
    );
}

#[test]
fn check_digits_reject_only_where_asked() {
    let strict = ItemRules {
        require_valid_document: true,
    };
    let of = |document: &str| parse_item(json!({"document": document}), &strict, now());
    assert_eq!(of("000.000.000-00").unwrap_err().code, "document_invalid");
    assert!(of("12ABC34501DE35").is_ok());
    assert!(of("any-key").is_ok());
}

#[test]
fn rows_follow_their_columns() {
    let targets = [
        FieldTarget::Document,
        FieldTarget::Email,
        FieldTarget::Attribute("city".into()),
        FieldTarget::Ignore,
    ];
    let row = |cells: [&'static str; 4]| {
        parse_row(targets.iter().zip(cells), &ItemRules::default(), now())
    };
    let contact = row([" ab1 ", "X@y.co", "", "skip"]).unwrap();
    assert_eq!(contact.document.as_str(), "AB1");
    assert_eq!(contact.body.email.as_deref(), Some("x@y.co"));
    assert!(contact.body.attributes.is_empty());
    assert_eq!(row(["", "", "x", ""]).unwrap_err().code, "document_missing");
}

#[test]
fn a_column_of_attributes_is_an_object() {
    let targets = [
        FieldTarget::Document,
        FieldTarget::Attributes,
        FieldTarget::Attribute("city".into()),
    ];
    let row = |cells: [&'static str; 3]| {
        parse_row(targets.iter().zip(cells), &ItemRules::default(), now())
    };
    let contact = row([
        "AB1",
        r#"{"age":41,"vip":true,"city":"x","gone":null}"#,
        "Lisboa",
    ]);
    let attributes = Value::Object(contact.unwrap().body.attributes);
    assert_eq!(
        attributes,
        json!({ "age": 41, "vip": true, "city": "Lisboa" })
    );
    for (cell, code) in [
        ("x", "invalid_type"),
        ("[]", "invalid_type"),
        (r#"{"a":"#, "invalid_type"),
        (r#"{"email":"x"}"#, "invalid_attribute"),
        (r#"{"a":{}}"#, "invalid_attribute"),
    ] {
        assert_eq!(row(["AB1", cell, ""]).unwrap_err().code, code, "{cell}");
    }
}

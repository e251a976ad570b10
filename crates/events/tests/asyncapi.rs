//! The AsyncAPI document.

#[path = "../examples/asyncapi.rs"]
#[expect(dead_code, reason = "the example prints it")]
mod asyncapi;

use std::collections::BTreeSet;

use events::{MESSAGES, TYPES};
use serde_json::Value;

/// The document as it is kept beside the other contracts.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/asyncapi.json");

#[test]
fn the_kept_document_is_the_one_that_the_code_makes() {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    let made = asyncapi::text();
    assert!(kept == made, "proto/asyncapi.json is old: make asyncapi");
}

#[test]
fn every_type_is_described_and_every_reference_leads_somewhere() {
    let document: Value = serde_json::from_str(&asyncapi::text()).unwrap();
    let types: BTreeSet<&str> = MESSAGES.iter().map(|(event_type, _)| *event_type).collect();
    assert_eq!(types, TYPES.iter().copied().collect());
    let of = |message: &str| &document["channels"][message]["address"];
    assert_eq!(of("OperationFinished"), "operation.finished.v1");
    assert_eq!(of("DispatchRequested"), "dispatch.requested.v1.{channel}");
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let at = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(at).is_some(), "{reference}");
            references += 1;
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(elements) => open.extend(elements),
            _ => {}
        }
    }
    assert!(references > 3 * TYPES.len());
}

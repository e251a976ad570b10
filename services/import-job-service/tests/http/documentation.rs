//! The OpenAPI document.

use std::collections::HashSet;

use import_job_service::http::document;
use serde_json::Value;

/// The document that clients generate their code from, as kept beside the other contracts.
const KEPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../proto/openapi/imports.json"
);

fn text() -> String {
    http_kit::openapi::text(&document())
}

#[test]
fn the_kept_document_is_the_one_that_the_code_makes() {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    assert!(
        kept == text(),
        "proto/openapi/imports.json is old: make openapi"
    );
}

#[test]
fn every_operation_is_described() {
    let document: Value = serde_json::from_str(&text()).unwrap();
    let mut seen = HashSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(name.to_owned()), "{name} twice");
            let said = operation["summary"]
                .as_str()
                .or(operation["description"].as_str());
            assert!(said.is_some(), "{method} {path}");
        }
    }
    assert_eq!(seen.len(), 24);
}

//! The OpenAPI document.

use scheduler_service::http::document;

/// The document that clients generate their code from, as kept beside the other contracts.
const KEPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../proto/openapi/communications.json"
);

#[test]
fn the_kept_document_is_the_one_that_the_code_makes() {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    assert!(
        kept == http_kit::openapi::text(&document()),
        "proto/openapi/communications.json is old: make openapi"
    );
}

//! The OpenAPI document and its page; health.

use audience_service::http::openapi;
use serde_json::Value;

use crate::service::Service;

/// The document that clients generate their code from, as kept beside the other contracts.
const KEPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../proto/openapi/audience.json"
);

fn text() -> String {
    http_kit::openapi::text(&openapi::document())
}

#[test]
fn the_kept_document_is_the_one_that_the_code_makes() {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    assert!(
        kept == text(),
        "proto/openapi/audience.json is old: make openapi"
    );
}

#[test]
fn every_operation_is_described() {
    let document: Value = serde_json::from_str(&text()).unwrap();
    let mut seen = std::collections::HashSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(!path.contains("/api/v1/api"), "{path}");
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(name), "{name} twice");
            let said = operation["summary"]
                .as_str()
                .or(operation["description"].as_str());
            assert!(said.is_some(), "{method} {path}");
        }
    }
    for path in [
        "/list",
        "/list/{audience_id}",
        "/create",
        "/api/v1/audiences/{id}/contacts/lookup",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn document_page_and_health_are_served_to_anybody() {
    let service = Service::start().await;
    let get = async |path: &str| {
        service
            .call("GET", path)
            .workspace("")
            .header("userId", "")
            .send()
            .await
    };
    let document = get("/api/v1/openapi.json").await;
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.body["openapi"], "3.1.0");
    for path in ["/", "/docs"] {
        let reply = get(path).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (302, "/docs/"),
            "{path}"
        );
    }
    let page = get("/docs/").await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"));
    assert!(!page.text.contains("https://"), "assets come from here");
    let start = get("/docs/swagger-initializer.js").await;
    assert!(
        start.text.contains("/api/v1/openapi.json"),
        "{}",
        start.text
    );
    assert_eq!(get("/docs/swagger-ui-bundle.js").await.status, 200);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(get(path).await.status, 200, "{path}");
    }
    for path in [
        "/",
        "/docs",
        "/docs/",
        "/docs/index.html",
        "/livez",
        "/metrics",
    ] {
        let refused = service.call("POST", path).send().await;
        assert_eq!(refused.status, 405, "{path}");
        assert_eq!(refused.header("allow"), "GET, HEAD", "{path}");
        assert_eq!(refused.body["code"], "method_not_allowed", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_the_bus_are_measured() {
    let service = Service::start().await;
    let list = service.list("Lista", &["1"]).await;
    service.recycled(&list, "Nova").await;
    let expected = [
        "plateia_http_request_duration_seconds_count{method=\"POST\",route=\"/create\",status=\"201\"} 1",
        "plateia_bus_published_total{event=\"plateia.operation.finished.v1\"} 1",
        "plateia_bus_handled_total{end=\"done\",event=\"plateia.operation.finished.v1\",\
         subscription=\"audience.notifications\"} 1",
        "plateia_bus_outbox_events{service=\"audiences\"} 0",
        "plateia_bus_outbox_oldest_seconds{service=\"audiences\"} 0",
    ];
    let begun = std::time::Instant::now();
    loop {
        let metrics = service.get("/metrics").await.text;
        let missing = expected.iter().find(|line| !metrics.contains(*line));
        let Some(line) = missing else { return };
        let waited = begun.elapsed() > std::time::Duration::from_secs(30);
        assert!(!waited, "no {line} in\n{metrics}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

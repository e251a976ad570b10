//! V1: what customers did.

use serde_json::{Value, json};

use crate::{customers::results, service::Service};

const EVENTS: &str = "/api/v1/events";

/// A service with one customer.
async fn with_customer() -> Service {
    let service = Service::start().await;
    let body = json!({"data": [{"external_id": "a", "document": "1"}]});
    service.post("/api/v1/customers", body).await.ok(200);
    service
}

/// An instant so many minutes ago.
fn ago(minutes: i64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the service runs by the real clock"
    )]
    let now = chrono::Utc::now();
    (now - chrono::TimeDelta::minutes(minutes)).to_rfc3339()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_recorded_once_with_a_result_for_each() {
    let service = with_customer().await;
    let paid = json!({
        "id": "o-1", "external_id": "a", "name": "order.paid", "time": ago(5),
        "properties": {"items": [{"sku": "x"}]}, "amount": "129.90",
    });
    let items = json!([
        paid,
        {"customer_id": 1, "name": "seen", "time": ago(9)},
        {"document": "1", "name": "seen", "time": ago(1)},
        {"external_id": "b", "name": "seen", "time": ago(1)},
        {"customer_id": 1, "name": "seen", "time": ago(-120)},
        {"customer_id": 1, "name": "seen", "time": "1999-01-01T00:00:00Z"},
        paid,
    ]);
    let answer = service.post(EVENTS, json!({"data": items})).await.ok(200);
    assert_eq!(
        results(&answer),
        [
            "recorded", "recorded", "rejected", "rejected", "rejected", "rejected", "repeated"
        ]
    );
    let codes: Vec<_> = (2..6)
        .map(|n| answer["results"][n]["error"]["code"].as_str().unwrap())
        .collect();
    // A document that is no identity names nobody: people are not merged.
    assert_eq!(
        codes,
        [
            "unknown_customer",
            "unknown_customer",
            "in_the_future",
            "too_old"
        ]
    );
    assert_eq!(
        (
            &answer["recorded"],
            &answer["repeated"],
            &answer["rejected"]
        ),
        (&json!(2), &json!(1), &json!(4))
    );

    let listed = service
        .get("/api/v1/customers/1/events?limit=1")
        .await
        .ok(200);
    let event = &listed["data"][0];
    assert_eq!(
        (
            &event["id"],
            &event["name"],
            &event["amount"],
            &event["customer_id"]
        ),
        (
            &json!("o-1"),
            &json!("order.paid"),
            &json!("129.9"),
            &json!(1)
        )
    );
    assert_eq!(event["properties"], json!({"items": [{"sku": "x"}]}));
    let cursor = listed["next_cursor"].as_str().unwrap();
    let next = format!("/api/v1/customers/1/events?cursor={cursor}");
    let next = service.get(&next).await.ok(200);
    assert_eq!(
        (&next["data"][0]["name"], &next["next_cursor"]),
        (&json!("seen"), &Value::Null)
    );
    let paid = service
        .get("/api/v1/customers/1/events?name=order.paid")
        .await
        .ok(200);
    assert_eq!(paid["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_a_key_counts_once() {
    let service = with_customer().await;
    let body = json!({"data": [{"customer_id": 1, "name": "seen", "time": ago(1)}]});
    for _ in 0..2 {
        let call = service.call("POST", EVENTS).header("Idempotency-Key", "k");
        let answer = call.json(&body).send().await.ok(200);
        assert_eq!(results(&answer), ["recorded"]);
    }
    let listed = service.get("/api/v1/customers/1/events").await.ok(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_none_are_refused() {
    let service = with_customer().await;
    let many = json!({"data": vec![json!(1); 1001]});
    service.post(EVENTS, many).await.refused(413, "too_large");
    service
        .post(EVENTS, json!({"data": 1}))
        .await
        .refused(422, "validation_failed");
    let page = |path: &str| format!("/api/v1/customers/{path}");
    service
        .get(&page("9/events"))
        .await
        .refused(404, "not_found");
    service
        .get(&page("1/events?cursor=x"))
        .await
        .refused(400, "invalid_cursor");
    let name = service.get(&page("1/events?name=A")).await;
    assert_eq!(name.refused(422, "validation_failed"), "/name");
}

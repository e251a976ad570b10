//! V1: who is not to be written to.

use serde_json::{Value, json};
use test_kit::http::{Reply, text};

use crate::{customers::results, service::Service};

const ALL: &str = "/api/v1/suppressions";

async fn add(service: &Service, items: Value) -> Value {
    let body = json!({"suppressions": items});
    service.post(ALL, body).await.ok(200)
}

async fn remove(service: &Service, items: Value) -> Value {
    let call = service.call("DELETE", ALL);
    call.json(&json!({"suppressions": items}))
        .send()
        .await
        .ok(200)
}

/// The reasons why people are suppressed, in order; empty for whoever is not.
async fn reasons(service: &Service, items: Value) -> Vec<String> {
    let path = format!("{ALL}/lookup");
    let found = service
        .post(&path, json!({"suppressions": items}))
        .await
        .ok(200);
    let results = found["results"].as_array().unwrap();
    let reason = |one: &Value| match &one["suppression"] {
        Value::Null => String::new(),
        found => text(found, "reason"),
    };
    results.iter().map(reason).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_suppressed_with_a_result_for_each_item() {
    let service = Service::start().await;
    let answer = add(
        &service,
        json!([
            {"phone": "(11) 98765-4321", "reason": "unsubscribed"},
            {"email": "BIA@x.co"},
            {"document": "529.982.247-25"},
            {"phone": "+5511987654321"},
            {"phone": "12"},
            {"email": "a@b.co", "document": "1"},
            {"email": "a@b.co", "reason": "erasure"},
        ]),
    )
    .await;
    let (added, rejected) = ("added", "rejected");
    assert_eq!(
        results(&answer),
        [
            added,
            added,
            added,
            "unchanged",
            rejected,
            rejected,
            rejected
        ]
    );
    let count = |name: &str| answer[name].as_i64().unwrap();
    assert_eq!(
        [
            "received",
            "added",
            "unchanged",
            "rejected",
            "removed",
            "absent"
        ]
        .map(count),
        [7, 3, 1, 3, 0, 0]
    );
    let of = |n: usize| &answer["results"][n];
    assert_eq!(of(0)["id"], of(3)["id"]);
    let error = |n: usize| {
        (
            text(&of(n)["error"], "field"),
            text(&of(n)["error"], "code"),
        )
    };
    let named = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    assert_eq!(
        [error(4), error(5), error(6)],
        [
            named("phone", "invalid_phone"),
            named("", "one_expected"),
            named("reason", "unknown_value"),
        ]
    );
    let asked = json!([{"phone": "11987654321"}, {"email": "bia@X.co"}, {"document": "1"}]);
    assert_eq!(
        reasons(&service, asked).await,
        ["unsubscribed", "manual", ""]
    );
    // No value is kept, whatever is looked at.
    for file in std::fs::read_dir(service.path("")).unwrap() {
        let path = file.unwrap().path();
        let Ok(bytes) = std::fs::read(path) else {
            continue;
        };
        for value in ["52998224725", "bia@x.co", "11987654321"] {
            assert!(
                !bytes
                    .windows(value.len())
                    .any(|part| part == value.as_bytes())
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn suppressions_are_listed_and_taken_back() {
    let service = Service::start().await;
    add(
        &service,
        json!([{"phone": "11987654321"}, {"email": "a@b.co", "reason": "bounce"}]),
    )
    .await;
    add(&service, json!([{"document": "D1"}])).await;
    let kinds = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().unwrap();
        data.iter().map(|one| text(one, "kind")).collect()
    };
    let page = service.get(&format!("{ALL}?limit=2")).await.ok(200);
    assert_eq!(kinds(&page), ["document", "email"]);
    let cursor = text(&page, "next_cursor");
    let next = service.get(&format!("{ALL}?limit=2&cursor={cursor}")).await;
    assert_eq!(kinds(&next.ok(200)), ["phone"]);
    let bounced = service.get(&format!("{ALL}?reason=bounce")).await.ok(200);
    assert_eq!(kinds(&bounced), ["email"]);
    assert_eq!(bounced["data"][0]["created_by"], "ana");
    for (query, pointer) in [("kind=fax", "/kind"), ("reason=x", "/reason")] {
        let refused = service.get(&format!("{ALL}?{query}")).await;
        assert_eq!(refused.refused(422, "validation_failed"), pointer);
    }
    let foreign = async |method: &str, path: &str| -> Reply {
        service.call(method, path).workspace("ws_2").send().await
    };
    assert_eq!(foreign("GET", ALL).await.ok(200)["data"], json!([]));
    let one = format!("{ALL}/{}", text(&bounced["data"][0], "id"));
    foreign("DELETE", &one).await.refused(404, "not_found");
    service.call("DELETE", &one).send().await.ok(204);
    service
        .call("DELETE", &one)
        .send()
        .await
        .refused(404, "not_found");
    let asked = json!([{"email": "a@b.co"}, {"phone": "11987654321"}, {"phone": "1"}]);
    let removed = remove(&service, asked.clone()).await;
    assert_eq!(results(&removed), ["absent", "removed", "rejected"]);
    assert_eq!(reasons(&service, asked).await, ["", "", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_file_are_suppressed() {
    let service = Service::start().await;
    let csv = "telefone;e-mail\n(11) 98765-4321;bia@x.co\n12;caio@x.co\n11987654321;\n";
    let call = service
        .call("POST", "/api/v1/uploads")
        .body("text/csv", csv);
    let upload = call.send().await.ok(201);
    let body = json!({"upload_id": upload["id"], "reason": "complaint"});
    let call = service.call("POST", ALL).header("Prefer", "wait=20");
    let operation = call.json(&body).send().await.ok(200);
    assert_eq!(operation["state"], "succeeded", "{operation}");
    assert_eq!(operation["result"], "partial");
    let count = |name: &str| operation["report"][name].as_i64().unwrap();
    assert_eq!(
        ["received", "created", "unchanged", "rejected"].map(count),
        [3, 1, 1, 1]
    );
    // Of a row at fault too, whoever can be read.
    let asked = json!([{"phone": "11987654321"}, {"email": "bia@x.co"}, {"email": "caio@x.co"}]);
    assert_eq!(reasons(&service, asked).await, ["complaint"; 3]);
    let rejected = format!("/api/v1/operations/{}/rejected", text(&operation, "id"));
    let rejected = service.get(&rejected).await;
    assert!(rejected.text.contains("invalid_phone"), "{}", rejected.text);
    for (body, pointer) in [
        (json!({}), "/suppressions"),
        (
            json!({"suppressions": [], "reason": "bounce"}),
            "/suppressions",
        ),
        (json!({"upload_id": "x"}), "/upload_id"),
        (json!({"upload_id": "upl_1"}), "/upload_id"),
        (
            json!({"upload_id": upload["id"], "reason": "erasure"}),
            "/reason",
        ),
        (
            json!({"upload_id": upload["id"], "mapping": {"telefone": "", "e-mail": ""}}),
            "/mapping",
        ),
    ] {
        let refused = service.post(ALL, body).await;
        assert_eq!(refused.refused(422, "validation_failed"), pointer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_suppresses_once() {
    let service = Service::start().await;
    let keyed = || {
        let call = service.call("POST", ALL).header("Idempotency-Key", "k1");
        call.json(&json!({"suppressions": [{"document": "D1"}]}))
            .send()
    };
    let first = keyed().await.ok(200);
    assert_eq!(results(&first), ["added"]);
    remove(&service, json!([{"document": "D1"}])).await;
    let again = keyed().await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.ok(200), first);
    let many: Vec<Value> = (0..1001)
        .map(|n| json!({"document": n.to_string()}))
        .collect();
    let body = json!({"suppressions": many});
    service.post(ALL, body).await.refused(413, "too_large");
    let body = json!({"data": []});
    service
        .post(ALL, body)
        .await
        .refused(422, "validation_failed");
}

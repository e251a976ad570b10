//! V1: customers.

use serde_json::{Value, json};

use test_kit::http::Reply;

use crate::service::Service;

const ALL: &str = "/api/v1/customers";

/// The numbers of a listed page.
fn numbers(page: &Value) -> Vec<i64> {
    let data = page["data"].as_array().unwrap();
    data.iter().map(|c| c["id"].as_i64().unwrap()).collect()
}

/// The results of a bulk write, in order.
pub fn results(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap();
    results
        .iter()
        .map(|r| r["result"].as_str().unwrap())
        .collect()
}

async fn put(service: &Service, path: &str, body: Value) -> Reply {
    service.call("PUT", path).json(&body).send().await
}

async fn upsert(service: &Service, items: Value) -> Value {
    service.post(ALL, json!({"data": items})).await.ok(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_written_with_a_result_for_each_item() {
    let service = Service::start().await;
    let items = json!([
        {"external_id": 7, "name": "Ana", "phone": "(11) 98765-4321", "plan": "gold"},
        {"document": "123.456.789-09", "email": "BIA@x.co"},
        {"name": "nobody"},
        {"external_id": "7", "name": "Ana Maria"},
        {"id": 99, "name": "X"},
        {"external_id": "1", "client_id": "clt_1"},
        7,
        {"document": "12345678909", "tags": [""]},
        {"document": "12345678909"},
    ]);
    let answer = upsert(&service, items).await;
    assert_eq!(
        results(&answer),
        [
            "created",
            "created",
            "rejected",
            "updated",
            "rejected",
            "rejected",
            "rejected",
            "rejected",
            "unchanged"
        ]
    );
    let count = |name: &str| answer[name].as_i64().unwrap();
    assert_eq!(
        ["received", "created", "updated", "unchanged", "rejected"].map(count),
        [9, 2, 1, 1, 5]
    );
    let of = |n: usize| &answer["results"][n];
    assert_eq!(
        (&of(0)["id"], &of(3)["id"], &of(2)["id"]),
        (&json!(1), &json!(1), &Value::Null)
    );
    assert_eq!(of(2)["error"]["code"], "identity_missing");
    assert_eq!(of(4)["error"]["code"], "unknown_customer");
    assert_eq!(of(5)["error"]["code"], "unknown_customer");
    assert_eq!(of(7)["error"]["field"], "tags/0");

    let ana = service.get(&format!("{ALL}/1")).await;
    assert_eq!(ana.header("etag"), "\"v2\"");
    let ana = ana.ok(200);
    assert_eq!(
        (
            &ana["name"],
            &ana["external_id"],
            &ana["client_id"],
            &ana["attributes"]
        ),
        (
            &json!("Ana Maria"),
            &json!("7"),
            &Value::Null,
            &json!({"plan": "gold"})
        )
    );
    assert_eq!(
        (&ana["phone"], &ana["phone_valid"], &ana["raw"]["phone"]),
        (
            &json!("+5511987654321"),
            &json!(true),
            &json!("(11) 98765-4321")
        )
    );
    // What was read can be sent back.
    let again = upsert(&service, json!([ana])).await;
    assert_eq!(results(&again), ["unchanged"]);
    for nobody in ["0", "99", "x", "-1", "1.0", "9007199254740993"] {
        let reply = service.get(&format!("{ALL}/{nobody}")).await;
        reply.refused(404, "not_found");
    }
    let other = service.call("GET", &format!("{ALL}/1")).workspace("ws_2");
    other.send().await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_writes_all_or_nothing_and_a_key_writes_once() {
    let service = Service::start().await;
    let items = json!([{"external_id": "a"}, {"external_id": "b", "phone": true}, {"id": 5}]);
    let refused = service
        .post(ALL, json!({"data": items, "strict": true}))
        .await;
    assert_eq!(refused.refused(422, "validation_failed"), "/data/1/phone");
    assert_eq!(refused.body["errors"][1]["pointer"], "/data/2");
    assert_eq!(
        service.get(&format!("{ALL}/count")).await.ok(200)["total"],
        0
    );

    let keyed = |body: Value| {
        let call = service.call("POST", ALL).header("Idempotency-Key", "k1");
        call.json(&body).send()
    };
    let body = json!({"data": [{"external_id": "a"}]});
    let first = keyed(body.clone()).await;
    let again = keyed(body).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(
        (results(&first.ok(200)), results(&again.ok(200))),
        (vec!["created"], vec!["created"])
    );
    let other = keyed(json!({"data": []})).await;
    other.refused(422, "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_none_are_refused() {
    let service = Service::start().await;
    let many: Vec<_> = (0..1001).map(|n| json!({"external_id": n})).collect();
    service
        .post(ALL, json!({"data": many}))
        .await
        .refused(413, "too_large");
    service
        .post(ALL, json!({"data": {}}))
        .await
        .refused(422, "validation_failed");
    service
        .post(ALL, json!({"customers": []}))
        .await
        .refused(422, "validation_failed");
    service
        .call("POST", ALL)
        .text("{")
        .send()
        .await
        .refused(400, "malformed_json");
    upsert(&service, json!([{"external_id": "a"}])).await;
    for (query, pointer) in [
        ("source=crm", "/source"),
        ("consent=sms", "/consent"),
        ("consent=fax:denied", "/consent"),
        ("client_id=a%20b", "/client_id"),
        ("tag=%00", "/tag"),
        ("limit=0", "/limit"),
    ] {
        let reply = service.get(&format!("{ALL}?{query}")).await;
        assert_eq!(
            reply.refused(422, reply.body["code"].as_str().unwrap()),
            pointer,
            "{query}"
        );
    }
    service
        .get(&format!("{ALL}?cursor=x"))
        .await
        .refused(400, "invalid_cursor");
    service
        .get(&format!("{ALL}?name=x"))
        .await
        .refused(400, "invalid_query");
    for body in [
        json!({}),
        json!({"phone": "1", "email": "a"}),
        json!({"client_id": "c"}),
    ] {
        let reply = service.post(&format!("{ALL}/lookup"), body).await;
        reply.refused(422, "validation_failed");
    }
    let one = format!("{ALL}/1");
    let patch = |body: Value| service.call("PATCH", &one).json(&body).send();
    assert_eq!(
        patch(json!({"name": true}))
            .await
            .refused(422, "validation_failed"),
        "/name"
    );
    let consent = |channel: &str| format!("{one}/consents/{channel}");
    put(&service, &consent("fax"), json!({"status": "granted"}))
        .await
        .refused(404, "not_found");
    for body in [
        json!({}),
        json!({"status": "yes"}),
        json!({"status": "denied", "by": "me"}),
    ] {
        let reply = put(&service, &consent("sms"), body).await;
        reply.refused(422, "validation_failed");
    }
    let removed = service.call("DELETE", &one).send().await;
    assert_eq!(removed.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_walked_filtered_counted_and_looked_up() {
    let service = Service::start().await;
    let items: Vec<_> = (1..=5)
        .map(|n| {
            let tags = if n % 2 == 0 {
                json!(["Par", "todos"])
            } else {
                json!(["TODOS"])
            };
            json!({"external_id": n, "phone": "11987654321", "tags": tags})
        })
        .collect();
    upsert(&service, json!(items)).await;
    let mut seen = Vec::new();
    let mut path = format!("{ALL}?limit=2");
    loop {
        let page = service.get(&path).await.ok(200);
        seen.extend(numbers(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{ALL}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    let page = service.get(&format!("{ALL}?limit=2")).await.ok(200);
    let foreign = format!("{ALL}?cursor={}", page["next_cursor"].as_str().unwrap());
    let foreign = service.call("GET", &foreign).workspace("ws_2").send().await;
    foreign.refused(400, "invalid_cursor");

    let listed = async |query: &str| numbers(&service.get(&format!("{ALL}?{query}")).await.ok(200));
    assert_eq!(listed("tag=PAR").await, [2, 4]);
    assert!(listed("source=import").await.is_empty());
    let tags = service.get(&format!("{ALL}/tags?limit=1")).await.ok(200);
    assert_eq!(tags["data"], json!([{"tag": "Par", "customers": 2}]));
    let next = format!(
        "{ALL}/tags?cursor={}",
        tags["next_cursor"].as_str().unwrap()
    );
    let tags = service.get(&next).await.ok(200);
    assert_eq!(tags["data"], json!([{"tag": "TODOS", "customers": 5}]));
    assert_eq!(tags["next_cursor"], Value::Null);
    let count = service.get(&format!("{ALL}/count")).await.ok(200);
    assert_eq!(count, json!({"total": 5, "by_client": []}));
    let found = service
        .post(
            &format!("{ALL}/lookup"),
            json!({"phone": "(11) 98765 4321"}),
        )
        .await;
    assert_eq!(numbers(&found.ok(200)), [1, 2, 3, 4, 5]);
    let found = service
        .post(&format!("{ALL}/lookup"), json!({"external_id": 3}))
        .await;
    assert_eq!(numbers(&found.ok(200)), [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_is_changed_at_the_version_it_was_read() {
    let service = Service::start().await;
    upsert(
        &service,
        json!([{"external_id": "a", "name": "Ana", "plan": "gold"}]),
    )
    .await;
    let one = format!("{ALL}/1");
    let patch = |etag: &str, body: Value| {
        let call = service.call("PATCH", &one).header("If-Match", etag);
        call.json(&body).send()
    };
    let changed = patch("\"v1\"", json!({"name": null, "city": "Recife"})).await;
    assert_eq!(changed.header("etag"), "\"v2\"");
    let changed = changed.ok(200);
    assert_eq!(changed["name"], Value::Null);
    assert_eq!(
        changed["attributes"],
        json!({"plan": "gold", "city": "Recife"})
    );
    patch("\"v1\"", json!({"name": "Bia"}))
        .await
        .refused(412, "stale_version");
    let same = patch("*", json!({"city": "Recife"})).await;
    assert_eq!(same.header("etag"), "\"v2\"", "nothing changed");

    let tags = put(
        &service,
        &format!("{one}/tags"),
        json!({"tags": ["a", "A", "b"]}),
    )
    .await;
    assert_eq!(tags.ok(200)["tags"], json!(["a", "b"]));
    let wrong = put(&service, &format!("{one}/tags"), json!({"tags": [" "]})).await;
    assert_eq!(wrong.refused(422, "validation_failed"), "/tags/0");
    let nobody = put(&service, &format!("{ALL}/9/tags"), json!({"tags": []})).await;
    nobody.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_last_about_a_channel_counts() {
    let service = Service::start().await;
    upsert(&service, json!([{"external_id": "a"}])).await;
    let path = format!("{ALL}/1/consents/sms");
    let said = async |status: &str, at: &str| {
        let body = json!({"status": status, "source": "form", "at": at});
        let answer = put(&service, &path, body).await.ok(200);
        answer["consents"]["sms"]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(said("granted", "2026-01-02T00:00:00Z").await, "granted");
    assert_eq!(
        said("denied", "2026-01-01T00:00:00Z").await,
        "granted",
        "said before"
    );
    assert_eq!(
        said("denied", "2026-01-02T00:00:00Z").await,
        "denied",
        "said at once"
    );
    assert_eq!(said("granted", "2026-01-02T00:00:00Z").await, "denied");
    let listed = async |consent: &str| {
        let page = service.get(&format!("{ALL}?consent={consent}")).await;
        numbers(&page.ok(200)).len()
    };
    assert_eq!(listed("sms:denied").await, 1);
    assert_eq!(listed("sms:granted").await, 0);
    // A bulk write that says nothing of it leaves it alone.
    upsert(
        &service,
        json!([{"external_id": "a", "name": "Ana", "consents": {}}]),
    )
    .await;
    assert_eq!(listed("sms:denied").await, 1);
    let body = json!({"status": "granted"});
    let now = put(&service, &path, body).await.ok(200);
    assert_eq!(now["consents"]["sms"]["source"], "api");
    assert_eq!(now["consents"]["sms"]["status"], "granted");
}

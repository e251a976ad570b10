//! V1: segments.

use serde_json::{Value, json};
use test_kit::http::Reply;

use crate::service::Service;

/// Three customers: Ana in Recife who bought twice, Bia in Recife, Caio in Natal who bought once.
async fn people(service: &Service) {
    let items = json!([
        {"document": "A1", "name": "Ana", "city": "Recife", "tags": ["vip"],
         "consents": {"email": {"status": "denied"}}},
        {"document": "B1", "name": "Bia", "city": "Recife"},
        {"external_id": "c1", "name": "Caio", "city": "Natal"},
    ]);
    service
        .post("/api/v1/customers", json!({"data": items}))
        .await
        .ok(200);
    let event = |id: &str, document: Option<&str>, amount: &str| {
        let mut event = json!({"id": id, "name": "order.paid", "amount": amount, "time": "2026-01-10T10:00:00Z"});
        match document {
            Some(document) => event["document"] = document.into(),
            None => event["external_id"] = "c1".into(),
        }
        event
    };
    let events = json!([
        event("1", Some("A1"), "10.50"),
        event("2", Some("A1"), "20"),
        event("3", None, "99.90"),
    ]);
    service
        .post("/api/v1/events", json!({"data": events}))
        .await
        .ok(200);
}

pub fn property(field: &str, operator: &str, value: &str) -> Value {
    json!({"kind": "property", "field": field, "operator": operator, "value": value})
}

fn bought(times: u32) -> Value {
    json!({"kind": "event", "name": "order.paid", "occurrence": {"op": "at_least", "count": times}})
}

pub fn groups(conditions: Value) -> Value {
    json!({"groups": [{"conditions": conditions}]})
}

pub async fn audience(service: &Service, name: &str) -> String {
    let body = json!({"name": name, "status": "draft"});
    let made = service.post("/api/v1/audiences", body).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

pub async fn define(service: &Service, id: &str, body: Value) -> Reply {
    let path = format!("/api/v1/audiences/{id}/segment");
    service.call("PUT", &path).json(&body).send().await
}

pub async fn publish(service: &Service, id: &str) {
    let path = format!("/api/v1/audiences/{id}");
    let body = json!({"status": "active"});
    service
        .call("PATCH", &path)
        .json(&body)
        .send()
        .await
        .ok(200);
}

pub async fn refresh_now(service: &Service, id: &str) -> Value {
    let path = format!("/api/v1/audiences/{id}/refresh");
    let call = service.call("POST", &path).header("prefer", "wait=30");
    call.send().await.ok(200)
}

async fn members(service: &Service, id: &str) -> Vec<String> {
    let path = format!("/api/v1/audiences/{id}/contacts");
    let page = service.get(&path).await.ok(200);
    let data = page["data"].as_array().unwrap();
    data.iter()
        .map(|c| c["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_takes_long_is_the_report_of_an_operation() {
    let service = Service::start().await;
    people(&service).await;
    let body = groups(json!([property("city", "equals", "Recife")]));
    let path = "/api/v1/segments/preview";
    let at_once = service.post(path, body.clone()).await.ok(200);
    let call = service.call("POST", path).header("prefer", "wait=0");
    let started = call.json(&body).send().await.ok(202);
    assert_eq!(
        (&started["kind"], &started["audience_id"]),
        (&json!("preview"), &Value::Null)
    );
    let operation = format!("/api/v1/operations/{}", started["id"].as_str().unwrap());
    let mut ended = loop {
        let stands = service.get(&operation).await.ok(200);
        if !stands["finished_at"].is_null() {
            break stands;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(ended["state"], "succeeded");
    let report = ended["report"].as_object_mut().unwrap();
    assert!(report.remove("took_ms").is_some_and(|took| took.is_u64()));
    let mut expected = at_once;
    expected.as_object_mut().unwrap().remove("took_ms");
    assert_eq!(ended["report"], expected);
    // What is wrong is said at once, and nothing is begun.
    let wrong = groups(json!([{"kind": "tag", "operator": "is"}]));
    let call = service.call("POST", path).header("prefer", "wait=0");
    call.json(&wrong).send().await.ok(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_counts_and_stores_nothing() {
    let service = Service::start().await;
    people(&service).await;
    let body = groups(json!([property("city", "equals", "Recife"), bought(2)]));
    let preview = service.post("/api/v1/segments/preview", body).await.ok(200);
    assert_eq!(
        (&preview["count"], &preview["exact"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        preview["by_condition"],
        json!([
            {"pointer": "/groups/0/conditions/0", "count": 2},
            {"pointer": "/groups/0/conditions/1", "count": 1},
        ])
    );
    assert_eq!(
        preview["sample"],
        json!([{"customer_id": 1, "document": "**"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_is_resolved_and_follows_its_customers() {
    let service = Service::start().await;
    people(&service).await;
    let id = audience(&service, "Recife").await;
    let defined = define(
        &service,
        &id,
        groups(json!([property("city", "equals", "Recife")])),
    )
    .await;
    let defined = defined.ok(200);
    assert_eq!(defined["status"], "draft");
    assert_eq!(defined["audience_type"], json!({"type": "static"}));
    let mut never = groups(json!([property("city", "equals", "Recife")]));
    never["audience_type"] = json!({"type": "scheduled", "cron": "0 0 30 2 *"});
    let refused = define(&service, &id, never).await;
    let pointer = refused.refused(422, "validation_failed");
    assert_eq!(pointer, "/audience_type/cron");
    let path = format!("/api/v1/audiences/{id}/refresh");
    service
        .post(&path, json!({}))
        .await
        .refused(409, "audience_is_draft");
    publish(&service, &id).await;
    let done = refresh_now(&service, &id).await;
    assert_eq!(done["state"], "succeeded");
    assert_eq!(
        done["report"],
        json!({"size": 2, "entered": 2, "left": 0, "changed": 0, "unsubscribed": 1})
    );
    assert_eq!(members(&service, &id).await, ["Ana", "Bia"]);
    let items = json!([
        {"document": "A1", "city": "Natal"},
        {"document": "B1", "name": "Beatriz"},
        {"external_id": "c1", "city": "Recife"},
    ]);
    service
        .post("/api/v1/customers", json!({"data": items}))
        .await
        .ok(200);
    let done = refresh_now(&service, &id).await;
    assert_eq!(
        done["report"],
        json!({"size": 2, "entered": 1, "left": 1, "changed": 1, "unsubscribed": 0})
    );
    assert_eq!(members(&service, &id).await, ["Beatriz", "Caio"]);
    let again = refresh_now(&service, &id).await;
    assert_eq!(
        again["report"],
        json!({"size": 2, "entered": 0, "left": 0, "changed": 0, "unsubscribed": 0})
    );
    let audience = service
        .get(&format!("/api/v1/audiences/{id}"))
        .await
        .ok(200);
    assert_eq!(
        (&audience["contacts"], &audience["kind"]),
        (&json!(2), &json!("dynamic"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_other_audiences_can_be_asked_for() {
    let service = Service::start().await;
    people(&service).await;
    let body = json!({"name": "List", "data": [{"document": "A1"}, {"document": "Z9"}]});
    let list = service.post("/api/v1/audiences", body).await.ok(201);
    let buyers = audience(&service, "Buyers").await;
    define(&service, &buyers, groups(json!([bought(1)])))
        .await
        .ok(200);
    let id = audience(&service, "Others").await;
    let member =
        |operator: &str, id: &Value| json!({"kind": "audience", "operator": operator, "value": id});
    let body = groups(json!([
        member("member_of", &json!(buyers)),
        member("not_member_of", &list["id"])
    ]));
    let preview = service.post("/api/v1/segments/preview", body.clone()).await;
    let preview = preview.ok(200);
    assert_eq!(
        (&preview["count"], &preview["exact"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(preview["sample"][0]["customer_id"], 3);
    assert_eq!(preview["by_condition"][1]["count"], 2);
    define(&service, &id, body).await.ok(200);
    publish(&service, &id).await;
    refresh_now(&service, &id).await;
    assert_eq!(members(&service, &id).await, ["Caio"]);
    let path = format!("/api/v1/audiences/{id}/explain");
    let why = service.post(&path, json!({"document": "A1"})).await.ok(200);
    assert_eq!(
        (&why["member"], &why["matches"]),
        (&json!(false), &json!(false))
    );
    let held: Vec<&Value> = why["groups"][0]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["matches"])
        .collect();
    assert_eq!(held, [&json!(true), &json!(false)]);
    let circle = groups(json!([member("member_of", &json!(id))]));
    let refused = define(&service, &buyers, circle).await.ok(422);
    assert_eq!(refused["errors"][0]["code"], "audience_cycle");
    let unknown = groups(json!([member("member_of", &json!("aud_1"))]));
    let refused = define(&service, &buyers, unknown).await.ok(422);
    assert_eq!(
        (
            &refused["errors"][0]["code"],
            &refused["errors"][0]["pointer"]
        ),
        (
            &json!("unknown_audience"),
            &json!("/groups/0/conditions/0/value")
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_shows_what_was_compared() {
    let service = Service::start().await;
    people(&service).await;
    let id = audience(&service, "Big").await;
    let sum = json!({"kind": "metric", "name": "order.paid", "metric": "sum", "operator": "greater", "value": "30"});
    define(
        &service,
        &id,
        groups(json!([property("city", "equals", "Recife"), sum])),
    )
    .await
    .ok(200);
    publish(&service, &id).await;
    refresh_now(&service, &id).await;
    let path = format!("/api/v1/audiences/{id}/explain");
    let why = service.post(&path, json!({"customer_id": 1})).await.ok(200);
    let conditions = &why["groups"][0]["conditions"];
    assert_eq!(
        (&why["member"], &why["matches"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&conditions[0]["value"], &conditions[1]["value"]),
        (&json!("Recife"), &json!("30.5"))
    );
    service
        .post(&path, json!({"customer_id": 77}))
        .await
        .refused(404, "not_found");
    service
        .post(&path, json!({}))
        .await
        .refused(422, "validation_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_may_be_incomplete_and_nothing_may_be_wrong() {
    let service = Service::start().await;
    let id = audience(&service, "Draft").await;
    define(&service, &id, groups(json!([{"kind": "event"}])))
        .await
        .ok(200);
    let refused = define(
        &service,
        &id,
        groups(json!([{"kind": "event", "name": "A b"}])),
    )
    .await;
    let refused = refused.ok(422);
    assert_eq!(
        refused["errors"][0]["pointer"],
        "/groups/0/conditions/0/name"
    );
    let path = format!("/api/v1/audiences/{id}");
    let body = json!({"status": "active"});
    let refused = service.call("PATCH", &path).json(&body).send().await;
    let refused = refused.ok(422);
    assert_eq!(refused["errors"][0]["code"], "incomplete");
    let preview = service
        .post(
            "/api/v1/segments/preview",
            groups(json!([{"kind": "event"}])),
        )
        .await;
    let preview = preview.ok(422);
    assert_eq!(preview["errors"][0]["code"], "incomplete");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_the_members_of_a_segment() {
    let service = Service::start().await;
    people(&service).await;
    let id = audience(&service, "Closed").await;
    define(&service, &id, groups(json!([bought(1)])))
        .await
        .ok(200);
    let path = format!("/api/v1/audiences/{id}/contacts");
    let contacts = json!({"data": [{"document": "X"}]});
    service
        .post(&path, contacts)
        .await
        .refused(409, "audience_is_segment");
    let body = json!({"snowflake_id": id.trim_start_matches("aud_"), "data": [{"document": "X"}]});
    service
        .post("/insert", body)
        .await
        .refused(409, "audience_is_segment");
    let clear = format!("/api/v1/audiences/{id}/clear");
    service
        .post(&clear, json!({}))
        .await
        .refused(409, "audience_is_segment");
    let recycle = format!("/api/v1/audiences/{id}/recycle");
    let rules = json!({"rules": {"documents": ["A1"]}});
    service
        .post(&recycle, rules)
        .await
        .refused(409, "audience_is_segment");
}

/// Ten buyers: the later, the oftener and the more; the last two are equal in everything.
async fn buyers(service: &Service) {
    let people: Vec<Value> = (1..=10)
        .map(|n| json!({"document": format!("D{n:02}"), "name": format!("P{n:02}")}))
        .collect();
    service
        .post("/api/v1/customers", json!({"data": people}))
        .await
        .ok(200);
    let mut events = Vec::new();
    for n in 1..=10 {
        let rank = n.min(9);
        for time in 1..=rank {
            events.push(json!({"id": format!("{n}-{time}"), "document": format!("D{n:02}"), "name": "bought",
                "amount": rank.to_string(), "time": format!("2026-01-{rank:02}T{time:02}:00:00Z")}));
        }
    }
    service
        .post("/api/v1/events", json!({"data": events}))
        .await
        .ok(200);
}

/// Scores them.
async fn score(service: &Service) -> Value {
    let refresh = service
        .call("POST", "/api/v1/rfm/refresh")
        .header("prefer", "wait=30");
    refresh.send().await.ok(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_have_scores_that_can_be_asked_for() {
    let service = Service::start().await;
    let settings = service.get("/api/v1/rfm").await.ok(200);
    assert_eq!(
        (&settings["event"], &settings["window_days"]),
        (&json!("order.paid"), &json!(365))
    );
    let body = json!({"event": "bought", "window_days": 3650});
    let set = service
        .call("PUT", "/api/v1/rfm")
        .json(&body)
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&set["event"], &set["scored_at"]),
        (&json!("bought"), &Value::Null)
    );
    buyers(&service).await;
    let done = score(&service).await;
    assert_eq!(
        (&done["kind"], &done["report"]["size"]),
        (&json!("score"), &json!(10))
    );
    let grid = service.get("/api/v1/rfm/grid").await.ok(200);
    assert_eq!(
        (&grid["customers"], &grid["money"]),
        (&json!(10), &json!("366"))
    );
    let cell = |name: &str| {
        let cells = grid["cells"].as_array().unwrap();
        cells.iter().find(|cell| cell["cell"] == name).unwrap()["customers"].clone()
    };
    assert_eq!(
        (cell("champions"), cell("lost"), cell("new")),
        (json!(2), json!(2), json!(0))
    );
    let from = |score: &str, value: u8| {
        let all = grid["cut_offs"].as_array().unwrap();
        all.iter()
            .find(|c| c["score"] == score && c["value"] == value)
            .unwrap()["from"]
            .clone()
    };
    assert_eq!(
        (from("frequency", 5), from("monetary", 5)),
        (json!("9"), json!("81"))
    );
    assert_eq!(from("recency", 5), "2026-01-09T09:00:00.000Z");
    for wrong in [
        json!({"event": "A b", "window_days": 1}),
        json!({"event": "a", "window_days": 0}),
    ] {
        service
            .call("PUT", "/api/v1/rfm")
            .json(&wrong)
            .send()
            .await
            .refused(422, "validation_failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_ask_for_scores() {
    let service = Service::start().await;
    let body = json!({"event": "bought", "window_days": 3650});
    service
        .call("PUT", "/api/v1/rfm")
        .json(&body)
        .send()
        .await
        .ok(200);
    buyers(&service).await;
    score(&service).await;
    let id = audience(&service, "Champions").await;
    let champions =
        json!({"kind": "rfm", "field": "cell", "operator": "equals", "value": "champions"});
    define(&service, &id, groups(json!([champions])))
        .await
        .ok(200);
    publish(&service, &id).await;
    refresh_now(&service, &id).await;
    assert_eq!(members(&service, &id).await, ["P09", "P10"]);
    let why = service
        .post(
            &format!("/api/v1/audiences/{id}/explain"),
            json!({"document": "D09"}),
        )
        .await
        .ok(200);
    assert_eq!(why["groups"][0]["conditions"][0]["value"], "555 champions");
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_of_another_workspace_are_not_found() {
    let service = Service::start().await;
    people(&service).await;
    let id = audience(&service, "Mine").await;
    for (method, path) in [
        ("GET", format!("/api/v1/audiences/{id}/segment")),
        ("PUT", format!("/api/v1/audiences/{id}/segment")),
        ("POST", format!("/api/v1/audiences/{id}/refresh")),
        ("POST", format!("/api/v1/audiences/{id}/explain")),
    ] {
        let body = match method {
            "PUT" => groups(json!([bought(1)])),
            _ => json!({}),
        };
        let body = if path.ends_with("explain") {
            json!({"customer_id": 1})
        } else {
            body
        };
        let call = service
            .call(method, &path)
            .workspace("ws_other")
            .json(&body);
        call.send().await.refused(404, "not_found");
    }
    let preview = service
        .call("POST", "/api/v1/segments/preview")
        .workspace("ws_other");
    let preview = preview
        .json(&groups(json!([bought(1)])))
        .send()
        .await
        .ok(200);
    assert_eq!(preview["count"], 0);
}

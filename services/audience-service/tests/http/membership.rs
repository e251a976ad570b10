//! V1: who was a member of a segment, and refreshes that wait to be confirmed.

use serde_json::{Value, json};

use crate::{
    segments::{audience, define, groups, property, publish, refresh_now},
    service::Service,
};

async fn live_in(service: &Service, people: &[(&str, &str)]) {
    let item = |(document, city): &(&str, &str)| json!({"document": document, "city": city});
    let items: Vec<Value> = people.iter().map(item).collect();
    let body = json!({"data": items});
    service.post("/api/v1/customers", body).await.ok(200);
}

/// An active audience of those in Recife.
async fn in_recife(service: &Service) -> String {
    let id = audience(service, "Recife").await;
    let recife = json!([property("city", "equals", "Recife")]);
    define(service, &id, groups(recife)).await.ok(200);
    publish(service, &id).await;
    refresh_now(service, &id).await;
    id
}

async fn members_at(service: &Service, id: &str, at: &str) -> Vec<String> {
    let at = at.replace('+', "%2B");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/audiences/{id}/members?at={at}&limit=1{cursor}");
        let page = service.get(&path).await.ok(200);
        let documents = page["data"].as_array().unwrap().iter();
        found.extend(documents.map(|c| c["document"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_segment_can_be_read() {
    let service = Service::start().await;
    live_in(&service, &[("A1", "Recife"), ("B1", "Natal")]).await;
    let id = in_recife(&service).await;
    live_in(&service, &[("A1", "Natal"), ("B1", "Recife")]).await;
    refresh_now(&service, &id).await;

    let path = format!("/api/v1/audiences/{id}/refreshes");
    let all = service.get(&path).await.ok(200);
    let all = all["data"].as_array().unwrap();
    assert!(all.len() >= 2);
    let (last, first) = (&all[0], &all[all.len() - 1]);
    assert_eq!(
        (&last["entered"], &last["left"], &last["size"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(last["cause"], "requested");
    let page = service.get(&format!("{path}?limit=1")).await.ok(200);
    assert_eq!(page["data"][0], *last);
    let next = page["next_cursor"].as_str().unwrap();
    let page = service
        .get(&format!("{path}?limit=1000&cursor={next}"))
        .await
        .ok(200);
    assert_eq!(page["data"].as_array().unwrap().len(), all.len() - 1);

    let then = first["shown_at"].as_str().unwrap();
    assert_eq!(members_at(&service, &id, then).await, ["A1"]);
    let now = last["shown_at"].as_str().unwrap();
    assert_eq!(members_at(&service, &id, now).await, ["B1"]);
    assert_eq!(
        members_at(&service, &id, "2020-01-01T00:00:00Z").await,
        [""; 0]
    );

    let path = format!("/api/v1/audiences/{id}/membership?customer_id=1");
    let ana = service.get(&path).await.ok(200);
    assert_eq!(ana["member"], false);
    assert_eq!(ana["periods"][0]["entered"]["shown_at"], *then);
    assert_eq!(ana["periods"][0]["left"], *last);
    let path = format!("/api/v1/audiences/{id}/membership?customer_id=2");
    let bia = service.get(&path).await.ok(200);
    assert_eq!(
        (&bia["member"], &bia["periods"][0]["left"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_others_and_of_lists_is_refused() {
    let service = Service::start().await;
    live_in(&service, &[("A1", "Recife")]).await;
    let segment = in_recife(&service).await;
    let list = service.list("List", &["A1"]).await;
    for (path, status) in [
        ("members?at=yesterday", 422),
        ("members?cursor=x", 400),
        ("membership", 422),
        ("membership?customer_id=x", 422),
        ("membership?customer_id=9", 404),
        ("refreshes?limit=0", 422),
        ("refreshes?cursor=x", 400),
    ] {
        let path = format!("/api/v1/audiences/{segment}/{path}");
        assert_eq!(service.get(&path).await.status, status, "{path}");
    }
    for path in ["members", "membership?customer_id=1", "refreshes"] {
        let of_list = service
            .get(&format!("/api/v1/audiences/{list}/{path}"))
            .await;
        let status = if path == "refreshes" { 200 } else { 409 };
        assert_eq!(of_list.status, status, "{path}");
        let path = format!("/api/v1/audiences/{segment}/{path}");
        let call = service.call("GET", &path).workspace("ws_other");
        assert_eq!(call.send().await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_guarded_is_confirmed() {
    let service = Service::with(|settings| settings.segments.guard_from = 1).await;
    live_in(
        &service,
        &[("A1", "Recife"), ("B1", "Recife"), ("C1", "Recife")],
    )
    .await;
    let id = in_recife(&service).await;
    live_in(&service, &[("A1", "Natal"), ("B1", "Natal")]).await;
    let path = format!("/api/v1/audiences/{id}/refresh");
    let begun = service.post(&path, json!({})).await.ok(202);
    let operation = format!("/api/v1/operations/{}", begun["id"].as_str().unwrap());
    let waits = loop {
        let stands = service.get(&operation).await.ok(200);
        if stands["state"] == "waiting" {
            break stands;
        }
        assert!(stands["finished_at"].is_null(), "{stands}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(
        (&waits["reason"], &waits["report"]["left"]),
        (&json!("size_guard"), &json!(2))
    );
    let confirm = format!("{operation}/confirm");
    let call = service.call("POST", &confirm).header("prefer", "wait=30");
    let ended = call.send().await.ok(200);
    assert_eq!(
        (&ended["state"], &ended["report"]["size"]),
        (&json!("succeeded"), &json!(1))
    );
    let again = service.post(&confirm, json!({})).await;
    assert_eq!(again.ok(409)["code"], "nothing_to_confirm");
    for body in [
        json!({"guard_percent": -1}),
        json!({"guard_percent": 2_000_000}),
        json!({"x": 1}),
    ] {
        assert_eq!(service.post(&path, body).await.status, 422);
    }
}

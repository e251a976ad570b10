//! Recycling, operations and notifications over HTTP, against a whole service.

mod service;

use serde_json::{Value, json};

use service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn a_recycling_is_tried_carried_out_and_undone() {
    let service = Service::start().await;
    let audience = service
        .audience("Base", &["52998224725", "A-2", "A-3"])
        .await;
    let rules = json!({"documents": ["529.982.247-25", "A-9"]});
    let path = format!("{audience}/recycle");

    let dry = service
        .post(&path, json!({"rules": rules, "dry_run": true}))
        .await;
    assert_eq!(dry.status, 200, "{}", dry.body);
    assert_eq!(dry.body["total"], 3);
    assert_eq!(dry.body["removed"], 1);
    assert_eq!(dry.body["kept"], 2);
    assert_eq!(dry.body["by_reason"], json!({"documents": 1}));
    let sample = json!([{"document": "********725", "reasons": ["documents"]}]);
    assert_eq!(dry.body["sample"], sample);

    let other = service.audience("Other", &["A-2"]).await;
    let foreign = json!({"rules": rules, "plan": dry.body["plan"]});
    let refused = service
        .post(&format!("{other}/recycle"), foreign.clone())
        .await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.body["errors"][0]["code"], "invalid_plan");

    let done = service.recycle(&audience, foreign).await;
    assert_eq!(
        (&done["state"], &done["result"]),
        (&json!("succeeded"), &json!("complete"))
    );
    assert_eq!(done["report"]["removed"], 1);
    assert!(done.get("params").is_none());
    assert_eq!(service.get(&audience).await.body["contacts"], 2);

    let operation = done["links"]["self"].as_str().unwrap();
    let late = service
        .post(&format!("{operation}/cancel"), Value::Null)
        .await;
    assert_eq!(
        (late.status, &late.body["code"]),
        (409, &json!("operation_ended"))
    );
    let retried = service.post(&format!("{operation}/retry"), json!({})).await;
    assert_eq!(retried.status, 409);
    for _ in 0..2 {
        let undone = service
            .post(done["links"]["undo"].as_str().unwrap(), Value::Null)
            .await;
        assert_eq!(undone.status, 200, "{}", undone.body);
        assert!(undone.body["undone_at"].is_string());
        assert!(undone.body["links"].get("undo").is_none());
    }
    assert_eq!(service.get(&audience).await.body["contacts"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recycling_to_a_new_audience_names_it() {
    let service = Service::start().await;
    let audience = service.audience("Base", &["A-1", "A-2", "A-3"]).await;
    let body = json!({"rules": {"documents": ["A-1"]}, "target": {"type": "new"}});
    let done = service.recycle(&audience, body).await;
    let target = done["target_audience_id"].as_str().unwrap();
    let made = service
        .get(&format!("/api/v1/audiences/{target}"))
        .await
        .body;
    assert_eq!(
        (&made["name"], &made["contacts"]),
        (&json!("Base REC 2"), &json!(2))
    );
    assert_eq!(service.get(&audience).await.body["contacts"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_by_name() {
    let service = Service::start().await;
    let audience = service.audience("Base", &["A-1"]).await;
    let recycle = format!("{audience}/recycle");
    for (body, pointer, code) in [
        (json!({}), "/rules", "no_rules"),
        (json!({"rules": {"documents": []}}), "/rules", "no_rules"),
        (
            json!({"rules": {"audience_ids": ["5"]}}),
            "/rules/audience_ids/0",
            "unknown_audience",
        ),
        (
            json!({"rules": {"upload_id": "upl_5"}}),
            "/rules/upload_id",
            "unknown_upload",
        ),
        (json!({"rules": {"x": 1}}), "/rules/x", "unknown_member"),
    ] {
        let reply = service.post(&recycle, body.clone()).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.body);
        assert_eq!(reply.body["errors"][0]["pointer"], pointer, "{body}");
        assert_eq!(reply.body["errors"][0]["code"], code, "{body}");
    }
    for (path, status) in [
        ("/api/v1/operations?kind=x", 422),
        ("/api/v1/operations?kind=purge", 422),
        ("/api/v1/operations?state=Running", 422),
        ("/api/v1/operations?audience_id=x", 422),
        ("/api/v1/operations?limit=0", 422),
        ("/api/v1/operations?cursor=x", 400),
        ("/api/v1/operations?stat=running", 400),
        ("/api/v1/operations/op_1", 404),
        ("/api/v1/operations/x", 404),
        ("/api/v1/operations/op_1/events", 404),
        ("/api/v1/operations/op_1/cancel", 405),
        ("/api/v1/notifications?unread=1", 422),
        ("/api/v1/notifications?limit=1001", 422),
        ("/api/v1/notifications?cursor=x", 400),
    ] {
        let reply = service.get(path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        let media_type = reply.header("content-type");
        assert_eq!(media_type, "application/problem+json", "{path}");
    }
    for path in [
        "/api/v1/operations/op_1/cancel",
        "/api/v1/operations/op_1/retry",
        "/api/v1/operations/x/undo",
        "/api/v1/notifications/ntf_1/read",
        "/api/v1/notifications/x/read",
        "/api/v1/audiences/aud_5/recycle",
    ] {
        let reply = service.post(path, json!({})).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
    }
    let done = service
        .recycle(&audience, json!({"rules": {"opted_out": true}}))
        .await;
    let own = done["links"]["self"].as_str().unwrap();
    let reply = service.call("GET", own).workspace("ws_2").send().await;
    assert_eq!(reply.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_listed_newest_first_page_by_page() {
    let service = Service::start().await;
    let audience = service.audience("Base", &["A-1", "A-2", "A-3"]).await;
    let mut made = Vec::new();
    for document in ["A-1", "A-2", "A-3"] {
        let rules = json!({"rules": {"documents": [document]}});
        made.insert(0, service.recycle(&audience, rules).await["id"].clone());
    }
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/operations?kind=recycle&state=succeeded&limit=2{cursor}");
        let page = service.get(&path).await.body;
        listed.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|o| o["id"].clone()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, made);
    let all = service.get("/api/v1/operations").await.body;
    let kinds = all["data"].as_array().unwrap().iter().map(|o| &o["kind"]);
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["recycle"; 3],
        "housekeeping does not show"
    );
    let none = service
        .get("/api/v1/operations?kind=recycle&state=failed")
        .await
        .body;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operations_events_end_with_its_end() {
    let service = Service::start().await;
    let audience = service.audience("Base", &["A-1"]).await;
    let body = json!({"rules": {"documents": ["A-1"]}});
    let begun = service.post(&format!("{audience}/recycle"), body).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let path = begun.body["links"]["events"].as_str().unwrap();
    for _ in 0..2 {
        let mut events = service.follow(path, "").await;
        let mut last = Value::Null;
        while let Some((_, kind, data)) = events.next().await {
            assert_eq!(kind, "operation");
            assert_ne!(last["state"], "succeeded", "nothing follows the end");
            last = data;
        }
        assert_eq!(last["state"], "succeeded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_followed_resumed_and_marked() {
    let service = Service::start().await;
    let audience = service.audience("Base", &["A-1", "A-2", "A-3"]).await;
    let stream = "/api/v1/notifications/stream";
    let mut live = service.follow(stream, "").await;
    let mut told = Vec::new();
    for document in ["A-1", "A-2", "A-3"] {
        let done = service
            .recycle(&audience, json!({"rules": {"documents": [document]}}))
            .await;
        let (id, kind, data) = live.next().await.unwrap();
        assert_eq!(
            (kind.as_str(), &data["operation_id"]),
            ("notification", &done["id"])
        );
        assert_eq!(
            (&data["state"], &data["report"]["removed"]),
            (&json!("succeeded"), &json!(1))
        );
        told.push((id.unwrap(), data));
    }

    let resume = async |id: &str| service.follow(stream, id).await;
    let mut resumed = resume(&told[0].0).await;
    for (id, data) in &told[1..] {
        let again = resumed.next().await.unwrap();
        assert_eq!(
            again,
            (Some(id.clone()), "notification".to_owned(), data.clone())
        );
    }
    for lost in ["x", "99", "-1"] {
        let mut events = resume(lost).await;
        let (id, kind, _) = events.next().await.unwrap();
        assert_eq!(
            (id.as_ref(), kind.as_str()),
            (Some(&told[2].0), "reset"),
            "{lost}"
        );
    }

    let list = service.get("/api/v1/notifications?unread=true").await.body;
    let bare = service.get("/api/v1/notifications?unread").await.body;
    assert_eq!(bare, list);
    assert_eq!(list["data"].as_array().unwrap().len(), 3);
    assert_eq!(list["data"][0], told[2].1);
    let first = list["data"][2]["id"].as_str().unwrap();
    let read = service
        .post(&format!("/api/v1/notifications/{first}/read"), Value::Null)
        .await;
    assert_eq!(read.body, json!({"id": first, "read": true}));
    let unread = "/api/v1/notifications/unread_count";
    assert_eq!(service.get(unread).await.body, json!({"unread": 2}));
    let stranger = service.call("GET", unread).header("userId", "rui");
    let stranger = stranger.send().await;
    assert_eq!(stranger.body, json!({"unread": 0}));
    let all = service
        .post("/api/v1/notifications/read_all", Value::Null)
        .await;
    assert_eq!(all.body, json!({"marked": 2}));
    assert_eq!(service.get(unread).await.body, json!({"unread": 0}));
    let page = service.get("/api/v1/notifications?limit=1").await.body;
    assert!(page["data"][0]["read_at"].is_string() && page["next_cursor"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_streams_are_open_than_allowed() {
    let service = Service::with_streams(1).await;
    let stream = "/api/v1/notifications/stream";
    let open = service.follow(stream, "").await;
    let refused = service.get(stream).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(service.get("/api/v1/notifications").await.status, 200);
    drop(open);
}

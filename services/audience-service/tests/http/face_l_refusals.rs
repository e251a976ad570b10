//! Face L: what it refuses, and how it says so.

use serde_json::{Value, json};

use crate::service::{BODY_LIMIT, ITEM_LIMIT, Service, people};

const CHANGES: [(&str, &str); 5] = [
    ("POST", "/create"),
    ("POST", "/insert"),
    ("DELETE", "/delete"),
    ("DELETE", "/drop"),
    ("POST", "/restore"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_command_refuses_what_it_cannot_read() {
    let service = Service::start().await;
    for (method, path) in CHANGES {
        for text in ["{", "[", "{\"name\": \u{1}}", "nul", "{} {}", " "] {
            let reply = service.call(method, path).text(text).send().await;
            reply.refused(400, "malformed_json");
        }
        let deep = format!("{{\"name\": {}{}}}", "[".repeat(500), "]".repeat(500));
        service
            .call(method, path)
            .text(&deep)
            .send()
            .await
            .refused(400, "malformed_json");
        for text in [
            "[]",
            "7",
            "null",
            "\"x\"",
            "[null, \"A\", [], false, false, null]",
            "{\"payload\": 5}",
            // JSON, although no number here is as large, and no text half of a pair.
            "{\"data\": [1e999]}",
            "{\"payload\": \"\\ud800\"}",
        ] {
            let reply = service.call(method, path).text(text).send().await;
            reply.refused(400, "validation_failed");
        }
        let typed = service
            .call(method, path)
            .text("{}")
            .header("Content-Type", "text/plain");
        typed.send().await.refused(415, "unsupported_media_type");
        let length = (BODY_LIMIT + 1).to_string();
        let large = service
            .call(method, path)
            .header("Content-Type", "application/json");
        large
            .header("Content-Length", &length)
            .send()
            .await
            .refused(413, "too_large");
        let other = if method == "POST" { "DELETE" } else { "POST" };
        let wrong = service.call(other, path).text("{}").send().await;
        wrong.refused(405, "method_not_allowed");
        assert_eq!(wrong.header("allow"), method);
        let nobody = service
            .call(method, path)
            .text("{}")
            .workspace("")
            .send()
            .await;
        nobody.refused(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_are_named() {
    let service = Service::start().await;
    let id = service.list("Base", &[]).await;
    let long = "x".repeat(256);
    for (body, place, code) in [
        (json!({"data": []}), "/name", "required"),
        (json!({"name": null, "data": []}), "/name", "required"),
        (json!({"name": 5, "data": []}), "/name", "invalid_type"),
        (json!({"name": " ", "data": []}), "/name", "name_empty"),
        (json!({"name": long, "data": []}), "/name", "name_too_long"),
        (json!({"name": "a\0b", "data": []}), "/name", "name_invalid"),
        (json!({"name": "A"}), "/data", "required"),
        (json!({"name": "A", "data": {}}), "/data", "invalid_type"),
        (
            json!({"name": "A", "data": [], "strict": "yes"}),
            "/strict",
            "invalid_type",
        ),
    ] {
        for (base, body) in [("", body.clone()), ("/payload", json!({"payload": body}))] {
            let reply = service.post("/create", body.clone()).await;
            assert_eq!(
                reply.refused(400, "validation_failed"),
                format!("{base}{place}"),
                "{body}"
            );
            assert_eq!(reply.body["errors"][0]["code"], code, "{body}");
        }
    }
    for bad in [
        json!(5),
        json!("aud_5"),
        json!("-5"),
        json!(""),
        json!("99999999999999999999"),
        json!("5.0"),
        json!(null),
        json!([]),
    ] {
        for (method, path) in &CHANGES[1..] {
            let body = json!({"payload": {"snowflake_id": bad, "data": []}});
            let reply = service.call(method, path).json(&body).send().await;
            assert_eq!(
                reply.refused(400, "validation_failed"),
                "/payload/snowflake_id",
                "{path} {bad}"
            );
        }
    }
    for (method, path) in &CHANGES[2..] {
        let reply = service.call(method, path).send().await;
        assert_eq!(reply.refused(400, "validation_failed"), "/snowflake_id");
        for query in [
            "snowflake_id=x".to_owned(),
            format!("snowflake_id={id}&snowflake_id={id}"),
        ] {
            let reply = service
                .call(method, &format!("{path}?{query}"))
                .send()
                .await;
            assert_eq!(reply.status, 400, "{}", reply.text);
        }
        let both = service.call(method, &format!("{path}?snowflake_id=5"));
        both.json(&json!({"snowflake_id": id}))
            .send()
            .await
            .refused(400, "validation_failed");
        let garbage = service.call(method, &format!("{path}?snowflake_id=x"));
        garbage
            .json(&json!({"snowflake_id": id}))
            .send()
            .await
            .refused(400, "validation_failed");
    }
    assert_eq!(
        service.get("/list").await.body.as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_is_all_or_nothing() {
    let service = Service::start().await;
    let half = json!([{"document": "1"}, {"document": ""}]);
    let strict = json!({"payload": {"name": "Strict", "data": half, "strict": true}});
    let reply = service.post("/create", strict).await;
    assert_eq!(
        reply.refused(422, "validation_failed"),
        "/payload/data/1/document"
    );
    assert_eq!(service.get("/list").await.text, "[]");

    let none =
        json!({"name": "Loose", "data": [{"document": ""}, {"document": "\0"}, {"document": 5}]});
    let made = service.post("/create", none.clone()).await.ok(201);
    assert_eq!(
        (&made["rejected"], &made["contacts"]),
        (&json!(3), &json!(0))
    );
    let id = made["id"].clone();
    let mut again = none;
    again["snowflake_id"] = id.clone();
    let added = service.post("/insert", again.clone()).await.ok(200);
    assert_eq!(
        (&added["received"], &added["rejected"]),
        (&json!(3), &json!(3))
    );
    again["strict"] = json!(true);
    let reply = service.post("/insert", again).await;
    assert_eq!(reply.refused(422, "validation_failed"), "/data/0/document");
    assert_eq!(reply.body["errors"].as_array().map(Vec::len), Some(3));

    let checked = json!({"snowflake_id": id, "require_valid_document": true, "data": people(&["12345678900", "52998224725"])});
    let added = service.post("/insert", checked).await.ok(200);
    assert_eq!(
        (&added["inserted"], &added["errors"][0]["code"]),
        (&json!(1), &json!("document_invalid"))
    );

    let many: Vec<Value> = vec![json!({"document": "1"}); ITEM_LIMIT + 1];
    service
        .post("/insert", json!({"snowflake_id": id, "data": many}))
        .await
        .refused(413, "too_large");
    let many = json!({"name": "Many", "data": many});
    service
        .post("/create", many)
        .await
        .refused(413, "too_large");
    service
        .post("/create", json!({"name": " LOOSE", "data": []}))
        .await
        .refused(409, "name_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_read_like_a_small_one() {
    let service = Service::start().await;
    let person = |n: usize| json!({"document": format!("D-{n}"), "note": "x".repeat(500)});
    let data: Vec<Value> = (0..ITEM_LIMIT).map(person).collect();
    let body = json!({"payload": {"name": "Large", "data": data}}).to_string();
    assert!(body.len() > BODY_LIMIT / 2);
    let broken = service
        .call("POST", "/create")
        .text(&body[..body.len() - 1]);
    broken.send().await.refused(400, "malformed_json");
    let made = service.call("POST", "/create").text(&body).send().await;
    assert_eq!(made.ok(201)["inserted"], ITEM_LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_api_made_is_changed_and_only_by_its_workspace() {
    let service = Service::start().await;
    let id = service.list("Base", &["1"]).await;
    let panel = service.recycled(&id, "Recycled").await;
    for (method, path) in &CHANGES[1..] {
        let body = json!({"snowflake_id": panel, "data": people(&["2"])});
        let reply = service.call(method, path).json(&body).send().await;
        reply.refused(403, "audience_not_api_managed");
        let stranger = service
            .call(method, path)
            .json(&body)
            .workspace("ws_2")
            .send()
            .await;
        stranger.refused(404, "not_found");
        let body = json!({"snowflake_id": "5", "data": people(&["2"])});
        service
            .call(method, path)
            .json(&body)
            .send()
            .await
            .refused(404, "not_found");
    }
    assert_eq!(
        service.get(&format!("/list/{panel}")).await.ok(200)["total"],
        1
    );

    service
        .delete("/drop", json!({"snowflake_id": id}))
        .await
        .ok(200);
    service.list("base", &[]).await;
    let back = service.post("/restore", json!({"snowflake_id": id})).await;
    back.refused(409, "name_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletes_id_may_come_by_query_alone() {
    let service = Service::start().await;
    let id = service.list("Base", &["1"]).await;
    for path in ["/delete", "/drop"] {
        let call = service.call("DELETE", &format!("{path}?snowflake_id={id}"));
        assert_eq!(call.send().await.ok(200)["id"], id);
        let declared = service.call("DELETE", &format!("{path}?snowflake_id={id}&x=1"));
        let declared = declared
            .header("Content-Type", "application/json")
            .header("Content-Length", "0");
        assert_eq!(declared.send().await.ok(200)["id"], id);
    }
    let call = service.call("POST", &format!("/restore?snowflake_id={id}"));
    assert_eq!(call.send().await.ok(200)["deleted_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_refuses_what_is_no_page_and_no_list() {
    let service = Service::start().await;
    let id = service.list("Base", &["1"]).await;
    for bad in [
        "0",
        "-1",
        "x",
        "",
        "2147483648",
        "9223372036854775808",
        "1.5",
        "%00",
    ] {
        let page = service.get(&format!("/list/{id}?page={bad}")).await;
        assert_eq!(page.refused(400, "validation_failed"), "/page", "{bad}");
        let size = service.get(&format!("/list/{id}?per_page={bad}")).await;
        assert_eq!(size.refused(400, "validation_failed"), "/per_page", "{bad}");
    }
    service
        .get(&format!("/list/{id}?per_page=1001"))
        .await
        .refused(400, "validation_failed");
    service
        .get(&format!("/list/{id}?page=1&page=2"))
        .await
        .refused(400, "invalid_query");
    for bad in ["x", "aud_5", "%00", "99999999999999999999", "-1", "+5"] {
        let reply = service.get(&format!("/list/{bad}")).await;
        assert_eq!(
            reply.refused(400, "validation_failed"),
            "/audience_id",
            "{bad}"
        );
    }
    service.get("/list/5").await.refused(404, "not_found");
    let stranger = service
        .call("GET", &format!("/list/{id}"))
        .workspace("ws_2")
        .send()
        .await;
    stranger.refused(404, "not_found");
    service.get("/lists").await.refused(404, "not_found");
    service.get("/list/5/x").await.refused(404, "not_found");
    service
        .call("POST", "/list")
        .send()
        .await
        .refused(405, "method_not_allowed");
    let half = service
        .call("GET", "/list")
        .header("userId", "")
        .send()
        .await;
    half.refused(401, "unauthorized");
}

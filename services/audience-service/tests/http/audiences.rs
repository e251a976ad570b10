//! V1: audiences.

use serde_json::{Value, json};

use crate::service::{Service, people};

const ALL: &str = "/api/v1/audiences";

/// The names of a listed page.
fn names(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().unwrap();
    data.iter().map(|a| a["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_is_created_read_and_changed() {
    let service = Service::start().await;
    let body =
        json!({"name": "Base", "tags": ["vip"], "data": [{"document": "1"}, {"document": ""}]});
    let made = service.post(ALL, body).await;
    let path = made.header("location").to_owned();
    let (etag, made) = (made.header("etag").to_owned(), made.ok(201));
    assert_eq!(path, format!("{ALL}/{}", made["id"].as_str().unwrap()));
    assert_eq!(
        (&made["received"], &made["inserted"], &made["rejected"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(
        (&made["kind"], &made["status"], &made["source_id"]),
        (&json!("static"), &json!("active"), &json!("api"))
    );
    assert_eq!(
        (&made["tags"], &made["contacts"], &made["created_by"]),
        (&json!(["vip"]), &json!(1), &json!("ana"))
    );

    let read = service.get(&path).await;
    assert_eq!(read.header("etag"), etag);
    let bare = path.replace("aud_", "");
    assert_eq!(service.get(&bare).await.text, read.text);

    let patch = |etag: &str, body: Value| {
        service
            .call("PATCH", &path)
            .header("If-Match", etag)
            .json(&body)
            .send()
    };
    let changed = patch(
        &etag,
        json!({"name": "Base 2", "status": "draft", "tags": []}),
    )
    .await;
    let newer = changed.header("etag").to_owned();
    assert_ne!(newer, etag);
    let changed = changed.ok(200);
    assert_eq!(
        (&changed["name"], &changed["status"], &changed["tags"]),
        (&json!("Base 2"), &json!("draft"), &json!([]))
    );
    patch(&etag, json!({"name": "Base 3"}))
        .await
        .refused(412, "stale_version");
    patch("W/\"v2\"", json!({}))
        .await
        .refused(412, "stale_version");
    assert_eq!(
        patch("*", json!({})).await.header("etag"),
        newer,
        "nothing changed"
    );
    assert_eq!(
        patch("", json!({"name": "BASE 2"})).await.ok(200)["name"],
        "BASE 2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_is_deleted_and_restored() {
    let service = Service::start().await;
    let made = service.post(ALL, json!({"name": "Base"})).await;
    let path = made.header("location").to_owned();
    let stale = service
        .call("DELETE", &path)
        .header("If-Match", "\"v7\"")
        .send()
        .await;
    stale.refused(412, "stale_version");
    let deleted = service.call("DELETE", &path).send().await.ok(200);
    assert_eq!(
        service.call("DELETE", &path).send().await.ok(200)["deleted_at"],
        deleted["deleted_at"]
    );
    let change = service.call("PATCH", &path).json(&json!({"name": "X"}));
    change.send().await.refused(409, "audience_deleted");
    service.post(ALL, json!({"name": "base"})).await.ok(201);
    service
        .post(&format!("{path}/restore"), json!({}))
        .await
        .refused(409, "name_taken");
    let other = service.get(&format!("{ALL}?search=base")).await.ok(200);
    let other = other["data"][0]["id"].as_str().unwrap();
    service
        .call("DELETE", &format!("{ALL}/{other}"))
        .send()
        .await
        .ok(200);
    for _ in 0..2 {
        let back = service
            .call("POST", &format!("{path}/restore"))
            .send()
            .await
            .ok(200);
        assert_eq!(back["deleted_at"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_is_copied_and_emptied() {
    let service = Service::start().await;
    let id = service.list("Base", &["1", "2"]).await;
    let path = format!("{ALL}/{id}");
    let copy = service
        .call("POST", &format!("{path}/duplicate"))
        .json(&json!({"name": "Copy"}));
    let done = copy.header("Prefer", "wait=30").send().await;
    assert_eq!(done.header("preference-applied"), "wait=30");
    assert!(
        done.header("location")
            .starts_with("/api/v1/operations/op_")
    );
    assert_eq!(done.ok(200)["state"], "succeeded");
    let copies = service.get(&format!("{ALL}?search=copy")).await.ok(200);
    assert_eq!(
        (
            &copies["data"][0]["contacts"],
            &copies["data"][0]["source_id"]
        ),
        (&json!(2), &json!("api"))
    );
    let taken = service
        .post(&format!("{path}/duplicate"), json!({"name": "copy"}))
        .await;
    taken.refused(409, "name_taken");
    let begun = service
        .post(&format!("{path}/duplicate"), json!({"name": "Copy 2"}))
        .await;
    begun.ok(202);

    let emptied = service
        .call("POST", &format!("{path}/clear"))
        .send()
        .await
        .ok(200);
    assert_eq!(emptied["contacts"], 0);
    let undo = format!(
        "/api/v1/operations/{}/undo",
        emptied["operation_id"].as_str().unwrap()
    );
    service.post(&undo, json!({})).await.ok(200);
    assert_eq!(service.get(&path).await.ok(200)["contacts"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn audiences_are_filtered_sorted_and_walked() {
    let service = Service::start().await;
    for (name, tags, status) in [
        ("Delta", json!(["Vip"]), "active"),
        ("alpha", json!(["vip", "north"]), "draft"),
        ("Charlie", json!([]), "active"),
        ("bravo", json!(["south"]), "active"),
    ] {
        service
            .post(ALL, json!({"name": name, "tags": tags, "status": status}))
            .await
            .ok(201);
    }
    let gone = service.list("Echo", &[]).await;
    service
        .call("DELETE", &format!("{ALL}/{gone}"))
        .send()
        .await
        .ok(200);
    for (query, expected) in [
        ("", &["Delta", "alpha", "Charlie", "bravo"][..]),
        ("sort=-created_at", &["bravo", "Charlie", "alpha", "Delta"]),
        ("sort=name", &["alpha", "bravo", "Charlie", "Delta"]),
        (
            "sort=-name&deleted=any",
            &["Echo", "Delta", "Charlie", "bravo", "alpha"],
        ),
        ("deleted=true", &["Echo"]),
        ("status=draft", &["alpha"]),
        ("kind=dynamic", &[]),
        ("search=AR", &["Charlie"]),
        ("search=south", &["bravo"]),
        ("search=%25", &[]),
        ("tag=north", &["alpha"]),
    ] {
        let page = service.get(&format!("{ALL}?{query}")).await.ok(200);
        assert_eq!(names(&page), expected, "{query}");
    }
    for sort in ["created_at", "-created_at", "name", "-name"] {
        let whole = service.get(&format!("{ALL}?sort={sort}")).await.ok(200);
        let mut walked = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = service
                .get(&format!("{ALL}?sort={sort}&limit=1{cursor}"))
                .await
                .ok(200);
            walked.extend(page["data"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            assert!(!next.contains("alpha"));
            cursor = format!("&cursor={next}");
        }
        assert_eq!(json!(walked), whole["data"], "{sort}");
    }
    let cursor = service.get(&format!("{ALL}?limit=1")).await.ok(200);
    let cursor = cursor["next_cursor"].as_str().unwrap();
    let foreign = service
        .call("GET", &format!("{ALL}?cursor={cursor}"))
        .workspace("ws_2")
        .send()
        .await;
    foreign.refused(400, "invalid_cursor");
    for bad in [
        format!("{ALL}?cursor={cursor}A"),
        format!("{ALL}?cursor={cursor}&sort=name"),
        format!("{ALL}?cursor="),
    ] {
        service.get(&bad).await.refused(400, "invalid_cursor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_by_name() {
    let service = Service::start().await;
    let id = service.list("Base", &[]).await;
    let path = format!("{ALL}/{id}");
    let many_tags: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
    for (body, place) in [
        (json!({}), "/name"),
        (json!({"name": 5}), "/name"),
        (json!({"name": ""}), "/name"),
        (json!({"name": "x".repeat(256)}), "/name"),
        (json!({"name": "a\0b"}), "/name"),
        (json!({"name": "A", "nome": 1}), "/nome"),
        (json!({"name": "A", "tags": "x"}), "/tags"),
        (json!({"name": "A", "tags": ["ok", ""]}), "/tags/1"),
        (json!({"name": "A", "tags": many_tags}), "/tags"),
        (json!({"name": "A", "status": "Active"}), "/status"),
        (
            json!({"name": "A", "data": [{"document": 5}], "strict": true}),
            "/data/0/document",
        ),
        (json!({"name": "A", "upload_id": "upl_5"}), "/upload_id"),
        (json!({"name": "A", "upload_id": "x"}), "/upload_id"),
        (
            json!({"name": "A", "upload_id": "upl_5", "data": []}),
            "/data",
        ),
        (json!(["A", [], null]), ""),
    ] {
        let reply = service.post(ALL, body.clone()).await;
        assert_eq!(reply.refused(422, "validation_failed"), place, "{body}");
    }
    for (body, place) in [
        (json!({"name": ""}), "/name"),
        (json!({"tags": [5]}), "/tags/0"),
        (json!({"status": "gone"}), "/status"),
        (json!({"contacts": 5}), "/contacts"),
        (json!([]), ""),
    ] {
        let reply = service.call("PATCH", &path).json(&body).send().await;
        assert_eq!(reply.refused(422, "validation_failed"), place, "{body}");
    }
    for (query, place) in [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=9223372036854775808", "/limit"),
        ("sort=size", "/sort"),
        ("status=x", "/status"),
        ("kind=x", "/kind"),
        ("deleted=yes", "/deleted"),
        ("search=a%00", "/search"),
        ("tag=%00", "/tag"),
    ] {
        let reply = service.get(&format!("{ALL}?{query}")).await;
        assert_eq!(reply.refused(422, "validation_failed"), place, "{query}");
    }
    for (query, place) in [("x=1", "/x"), ("limit=1&limit=2", "/limit")] {
        let reply = service.get(&format!("{ALL}?{query}")).await;
        assert_eq!(reply.refused(400, "invalid_query"), place, "{query}");
    }
    for (method, path) in [
        ("POST", ALL.to_owned()),
        ("PATCH", path.clone()),
        ("POST", format!("{path}/duplicate")),
    ] {
        service
            .call(method, &path)
            .text("{\"name\":")
            .send()
            .await
            .refused(400, "malformed_json");
        let typed = service
            .call(method, &path)
            .text("{}")
            .header("Content-Type", "text/csv");
        typed.send().await.refused(415, "unsupported_media_type");
    }
    assert_eq!(names(&service.get(ALL).await.ok(200)), ["Base"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let service = Service::start().await;
    let id = service.list("Base", &[]).await;
    let paths = [
        ("GET", "", ""),
        ("PATCH", "", "{\"name\": \"A\"}"),
        ("DELETE", "", ""),
        ("POST", "/restore", ""),
        ("POST", "/duplicate", "{}"),
        ("POST", "/clear", ""),
        ("GET", "/contacts", ""),
        ("GET", "/contacts?page=1", ""),
        ("POST", "/contacts", "{\"data\": []}"),
        ("POST", "/contacts/lookup", "{\"document\": \"1\"}"),
        ("GET", "/contacts/x", ""),
        ("DELETE", "/contacts/x", ""),
    ];
    for (method, rest, body) in paths {
        for bad in [
            "xyz",
            "aud_",
            "aud_x",
            "aud_5",
            "5",
            "op_5",
            "99999999999999999999",
            "%00",
        ] {
            let path = format!("{ALL}/{bad}{rest}");
            service
                .call(method, &path)
                .text(body)
                .send()
                .await
                .refused(404, "not_found");
        }
        let path = format!("{ALL}/{id}{rest}");
        let stranger = service
            .call(method, &path)
            .text(body)
            .workspace("ws_2")
            .send()
            .await;
        stranger.refused(404, "not_found");
        let nobody = service
            .call(method, &path)
            .text(body)
            .workspace("")
            .header("userId", "")
            .send()
            .await;
        nobody.refused(401, "unauthorized");
    }
    for (path, allow) in [
        (ALL.to_owned(), "GET, HEAD, POST"),
        (format!("{ALL}/{id}"), "GET, HEAD, PATCH, DELETE"),
        (format!("{ALL}/{id}/clear"), "POST"),
        (format!("{ALL}/{id}/contacts"), "GET, HEAD, POST"),
        (format!("{ALL}/{id}/contacts/lookup"), "POST"),
        ("/api/v1/openapi.json".to_owned(), "GET, HEAD"),
        ("/".to_owned(), "GET, HEAD"),
    ] {
        let reply = service.call("PUT", &path).text("{}").send().await;
        reply.refused(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), allow, "{path}");
    }
    for path in [
        "/api/v1",
        "/api/v1/x",
        "/api/v2/audiences",
        "/x",
        "/audiences/%00",
    ] {
        service.get(path).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_is_repeated_by_its_key() {
    let service = Service::start().await;
    let create = |body: Value| {
        service
            .call("POST", ALL)
            .header("Idempotency-Key", "k-1")
            .json(&body)
            .send()
    };
    let body = json!({"name": "Once", "data": people(&["1", "2"])});
    let first = create(body.clone()).await;
    let second = create(body).await;
    assert_eq!((first.status, &first.text), (201, &second.text));
    for name in ["location", "etag"] {
        assert_eq!(first.header(name), second.header(name));
    }
    assert_eq!(second.header("idempotent-replayed"), "true");
    create(json!({"name": "Other"}))
        .await
        .refused(422, "idempotency_mismatch");
    assert_eq!(names(&service.get(ALL).await.ok(200)), ["Once"]);
}

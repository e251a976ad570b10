//! Face G: every request and every answer of its clients.

use serde_json::{Value, json};
use test_kit::http::Reply;

use crate::service::Service;

/// Asserts that an answer is an error of this face.
#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    let body = json!({"error": error, "code": status});
    assert_eq!((reply.status, &reply.body), (status, &body));
    assert_eq!(reply.header("content-type"), "application/json");
}

/// Asserts that an answer is the one for reading what is not there.
#[track_caller]
fn nothing(reply: &Reply) {
    let body = json!({"error": "You don't have any List yet.", "code": 404});
    assert_eq!((reply.status, &reply.body), (200, &body));
}

/// A list without its times, which are in the form of this face.
#[track_caller]
fn timeless(mut list: Value) -> Value {
    for name in ["createAt", "lastModifiedAt"] {
        let time = list.as_object_mut().unwrap().remove(name).unwrap();
        let text = time.as_str().unwrap();
        assert!(text.len() == 25 && text.ends_with("+00:00"), "{text}");
        chrono::DateTime::parse_from_rfc3339(text).unwrap();
    }
    list
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_made_and_read() {
    let service = Service::start().await;
    nothing(&service.get("/groups").await);
    nothing(&service.get("/groups/1").await);
    let body = json!({"name": "New list", "icon": "https://cdn.example/i.png"});
    let made = service.post("/groups", body).await.ok(200);
    let expected = json!({
        "id": 1, "name": "New list", "contacts": "0", "status": "active",
        "icon": "https://cdn.example/i.png",
    });
    assert_eq!(timeless(made.clone()), expected);
    let other = service
        .post(
            "/groups",
            json!({"name": "  Another list ", "unknown": [1]}),
        )
        .await
        .ok(200);
    let expected = json!({
        "id": 2, "name": "Another list", "contacts": "0", "status": "active", "icon": null,
    });
    assert_eq!(timeless(other.clone()), expected);
    assert_eq!(service.get("/groups/1").await.ok(200), made);
    let all = service.get("/groups").await.ok(200);
    assert_eq!(all, json!({"count": 2, "items": [made, other]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_icons_that_cannot_be_are_refused() {
    let service = Service::start().await;
    let taken = json!({"name": "Taken name"});
    service.post("/groups", taken).await.ok(200);
    let long = "é".repeat(129);
    let length = |shown: &str| format!("The name \"{shown}\" needs to be between 6 and 128 chars.");
    let icon = "The icon needs to be an http or https URL of at most 2048 chars.".to_owned();
    for (body, error) in [
        (json!({"name": "short"}), length("short")),
        (
            json!({"name": "     short     "}),
            length("     short     "),
        ),
        (json!({"name": long}), length(&"é".repeat(128))),
        (json!({"name": ""}), length("")),
        (json!({"name": null}), length("")),
        (json!({"name": 5}), length("5")),
        (json!({}), length("")),
        (
            json!({"name": "a\u{7}bcdefg"}),
            "The name must not have control characters.".to_owned(),
        ),
        (
            json!({"name": " TAKEN name"}),
            "The name \"TAKEN name\" is already in use.".to_owned(),
        ),
        (json!({"name": "New list", "icon": "URL"}), icon.clone()),
        (json!({"name": "New list", "icon": 7}), icon.clone()),
    ] {
        refused(&service.post("/groups", body).await, 409, &error);
    }
    for good in ["é".repeat(128), "sixsix".to_owned()] {
        let made = service.post("/groups", json!({"name": good, "icon": null}));
        assert_eq!(made.await.ok(200)["name"], good);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_refused_is_refused_in_one_shape() {
    let service = Service::start().await;
    for (method, path) in [
        ("GET", "/groups"),
        ("POST", "/groups"),
        ("GET", "/groups/1"),
    ] {
        let nobody = service
            .call(method, path)
            .text("{}")
            .workspace("")
            .send()
            .await;
        refused(&nobody, 401, "Unauthorized");
        assert_eq!(nobody.header("www-authenticate"), "Bearer");
    }
    let wrong = service.call("PUT", "/groups").send().await;
    let detail = "The resource does not have this method; Allow names those that it has.";
    refused(&wrong, 405, detail);
    assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
    for path in ["/groups/", "/groups/1/contacts"] {
        refused(&service.get(path).await, 404, "Not found.");
    }
    let malformed = service.call("POST", "/groups").text("{").send().await;
    refused(&malformed, 400, "malformed JSON at line 1, column 1.");
    let listed = service.call("POST", "/groups").text("[]").send().await;
    refused(&listed, 409, "Expected an object.");
    let typed = service
        .call("POST", "/groups")
        .body("text/plain", "{}")
        .send()
        .await;
    refused(&typed, 415, "the content type must be application/json.");
    let large = service
        .call("POST", "/groups")
        .header("Content-Length", "2000000");
    let large = large
        .header("Content-Type", "application/json")
        .send()
        .await;
    refused(&large, 413, "the body has more than 1048576 bytes.");
    let post = |body: Value| {
        let call = service
            .call("POST", "/groups")
            .header("Idempotency-Key", "k");
        call.json(&body).send()
    };
    let first = post(json!({"name": "New list"})).await;
    let again = post(json!({"name": "New list"})).await;
    assert_eq!(
        (first.ok(200), again.header("idempotent-replayed")),
        (again.ok(200), "true")
    );
    let other = post(json!({"name": "Other list"})).await;
    refused(
        &other,
        422,
        "this Idempotency-Key was used for other content.",
    );
    let head = service.call("HEAD", "/groups/1").send().await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let elsewhere = service.get("/groupsx").await;
    elsewhere.refused(404, "not_found");
}

/// Registers people under the numbers 1, 2, 3.
async fn register(service: &Service) {
    let people = json!({"data": [
        {"document": "123.456.789-09", "name": "Ana", "phone": "(11) 98765-4321", "plan": "gold"},
        {"external_id": "crm-2", "name": "Bia", "email": "BIA@x.co", "tags": ["vip", "novo"]},
        {"document": "3"},
    ]});
    let written = service.post("/api/v1/customers", people).await.ok(200);
    assert_eq!(written["created"], 3);
}

async fn patch(service: &Service, path: &str, body: Value) -> Reply {
    service.call("PATCH", path).json(&body).send().await
}

/// The clients' own examples: requests, each with status and answer; times are left out.
const EXAMPLES: &str = r#"
GET /groups -> 200 {"error": "You don't have any List yet.", "code": 404}
GET /groups/1 -> 200 {"error": "You don't have any List yet.", "code": 404}
POST /groups {"name": "New list", "icon": "http://URL"} -> 200 {"id": 1, "name": "New list", "contacts": "0", "status": "active", "icon": "http://URL"}
POST /groups {"name": "short"} -> 409 {"error": "The name \"short\" needs to be between 6 and 128 chars.", "code": 409}
PATCH /groups/1 {"name": "New edited list"} -> 200 {"id": 1, "name": "New edited list", "contacts": "0", "status": "active", "icon": "http://URL"}
PATCH /groups/1 {"name": "short"} -> 409 {"error": "The name \"short\" needs to be between 6 and 128 chars.", "code": 409}
PATCH /groups/1 {"contacts": [1, 2]} -> 200 {"id": 1, "name": "New edited list", "contacts": "2", "status": "active", "icon": "http://URL"}
PATCH /groups/1 {"contacts": [2, 1]} -> 200 {"id": 1, "name": "New edited list", "contacts": "2", "status": "active", "icon": "http://URL"}
POST /groups {"name": "New list"} -> 200 {"id": 2, "name": "New list", "contacts": "0", "status": "active", "icon": null}
GET /groups/1 -> 200 {"id": 1, "name": "New edited list", "contacts": "2", "status": "active", "icon": "http://URL"}
DELETE /groups/3 -> 404 {"error": "List not found.", "code": 404}
PATCH /groups/3 {"name": "New edited list"} -> 404 {"error": "List not found.", "code": 404}
DELETE /groups/1 -> 200 {"message": "List deleted succesfully"}
DELETE /groups/1 -> 404 {"error": "List not found.", "code": 404}
GET /groups/1 -> 200 {"error": "You don't have any List yet.", "code": 404}
DELETE /groups/2 -> 200 {"message": "List deleted succesfully"}
GET /groups -> 200 {"error": "You don't have any List yet.", "code": 404}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_clients_is_answered() {
    let service = Service::start().await;
    register(&service).await;
    for example in EXAMPLES.trim().lines() {
        let (request, expected) = example.split_once(" -> ").unwrap();
        let (status, answer) = expected.split_once(' ').unwrap();
        let mut parts = request.splitn(3, ' ');
        let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
        let call = service.call(method, path);
        let call = match parts.next() {
            Some(body) => call.text(body),
            None => call,
        };
        let reply = call.send().await;
        let said = match reply.body.get("createAt") {
            Some(_) => timeless(reply.body.clone()),
            None => reply.body.clone(),
        };
        let expected: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(
            (reply.status.to_string().as_str(), said),
            (status, expected),
            "{example}"
        );
        assert_eq!(reply.header("content-type"), "application/json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_added_with_what_is_known_of_them() {
    let service = Service::start().await;
    register(&service).await;
    let list = service.post("/groups", json!({"name": "New list"})).await;
    let before = list.ok(200);
    let all = service.get("/api/v1/audiences").await.ok(200);
    let path = format!(
        "/api/v1/audiences/{}/contacts",
        all["data"][0]["id"].as_str().unwrap()
    );
    // Who is there already keeps what was written of them.
    let own = json!({"data": [{"document": "12345678909", "name": "Kept"}]});
    service.post(&path, own).await.ok(200);
    let added = patch(&service, "/groups/1", json!({"contacts": [2, 1, 2, 3]})).await;
    assert_eq!(added.ok(200)["contacts"], "3");
    let page = service.get(&path).await.ok(200);
    let contacts = page["data"].as_array().unwrap();
    let seen: Vec<Value> = contacts
        .iter()
        .map(|c| {
            json!([
                c["document"],
                c["name"],
                c["email"],
                c["raw"]["email"],
                c["attributes"]
            ])
        })
        .collect();
    let tags = json!({"tags": "novo, vip"});
    let expected = [
        json!(["12345678909", "Kept", null, null, {}]),
        json!(["3", null, null, null, {}]),
        json!(["CUSTOMER:2", "Bia", "bia@x.co", "BIA@x.co", tags]),
    ];
    assert_eq!(seen, expected);
    // Again: nothing changes, not even when it was changed last.
    let again = patch(&service, "/groups/1", json!({"contacts": [3, 2, 1]})).await;
    assert_eq!(again.body, added.body);
    assert_eq!(again.body["createAt"], before["createAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_refused_changes_nothing() {
    let service = Service::start().await;
    register(&service).await;
    for name in ["New list", "Other list"] {
        service
            .post("/groups", json!({ "name": name }))
            .await
            .ok(200);
    }
    let other = service.call("POST", "/api/v1/customers").workspace("ws_2");
    let people: Vec<_> = (0..9).map(|n| json!({"document": n.to_string()})).collect();
    other.json(&json!({ "data": people })).send().await.ok(200);
    let before = service.get("/groups/1").await.body;
    let many: Vec<i64> = vec![1; 10_001];
    for (contacts, error) in [
        (json!([1, 9, 7, 9]), "Contacts not found: 9, 7."),
        (json!([4]), "Contacts not found: 4."),
        (
            json!([0, -1, 1.5, "2", "x", null, true, [1]]),
            "Contacts not found: 0, -1, 1.5, 2, x, null, true, [1].",
        ),
        (
            json!((10..30).collect::<Vec<_>>()),
            "Contacts not found: 10, 11, 12, 13, 14, 15, 16, 17, 18, 19.",
        ),
        (json!(many), "At most 10000 contacts can be added at once."),
        (json!("1"), "The contacts need to be an array of ids."),
        (json!({"id": 1}), "The contacts need to be an array of ids."),
    ] {
        let body = json!({"name": "Another name", "icon": null, "contacts": contacts});
        refused(&patch(&service, "/groups/1", body).await, 409, error);
    }
    let icon = "The icon needs to be an http or https URL of at most 2048 chars.";
    for (change, error) in [
        (
            json!({"name": "OTHER list"}),
            "The name \"OTHER list\" is already in use.",
        ),
        (
            json!({"name": "short"}),
            "The name \"short\" needs to be between 6 and 128 chars.",
        ),
        (
            json!({"name": "Another name", "icon": "ftp://x.example/"}),
            icon,
        ),
    ] {
        let mut body = change;
        body["contacts"] = json!([1, 2]);
        refused(&patch(&service, "/groups/1", body).await, 409, error);
    }
    for body in [
        json!({}),
        json!({"name": null, "contacts": null}),
        json!({"contacts": []}),
    ] {
        assert_eq!(patch(&service, "/groups/1", body).await.ok(200), before);
    }
    assert_eq!(service.get("/groups/1").await.body, before);
    let icon = json!({"icon": "http://x.example/", "contacts": [3], "name": " Together "});
    let changed = patch(&service, "/groups/1", icon).await.ok(200);
    let seen = [&changed["icon"], &changed["contacts"], &changed["name"]];
    assert_eq!(
        seen,
        [&json!("http://x.example/"), &json!("1"), &json!("Together")]
    );
    let bare = patch(&service, "/groups/1", json!({"icon": null}))
        .await
        .ok(200);
    assert_eq!(
        (&bare["icon"], &bare["name"]),
        (&Value::Null, &json!("Together"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_workspace_and_an_unknown_id_are_answered_alike() {
    let service = Service::start().await;
    register(&service).await;
    service
        .post("/groups", json!({"name": "New list"}))
        .await
        .ok(200);
    let unknown = [
        "2",
        "0",
        "-1",
        "+1",
        "1x",
        "x",
        "%20",
        "9223372036854775808",
    ];
    let foreign = std::iter::once(("ws_2", "1"));
    for (workspace, id) in foreign.chain(unknown.map(|id| ("ws_1", id))) {
        let path = format!("/groups/{id}");
        let call = |method| service.call(method, &path).workspace(workspace);
        nothing(&call("GET").send().await);
        let head = call("HEAD").send().await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        for body in [
            json!({"name": "Other name"}),
            json!({"contacts": [1]}),
            json!({}),
        ] {
            refused(
                &call("PATCH").json(&body).send().await,
                404,
                "List not found.",
            );
        }
        refused(&call("DELETE").send().await, 404, "List not found.");
    }
    nothing(
        &service
            .call("GET", "/groups")
            .workspace("ws_2")
            .send()
            .await,
    );
    // Numbers are the workspace's own, of lists and of people.
    let post = service.call("POST", "/groups").workspace("ws_2");
    let made = post.json(&json!({"name": "New list"})).send().await.ok(200);
    assert_eq!(made["id"], 1);
    let call = service.call("PATCH", "/groups/1").workspace("ws_2");
    let added = call.json(&json!({"contacts": [1]})).send().await;
    refused(&added, 409, "Contacts not found: 1.");
    let own = service.get("/groups/1").await.ok(200);
    assert_eq!(
        (&own["name"], &own["contacts"]),
        (&json!("New list"), &json!("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_its_workspace() {
    let service = Service::start().await;
    let bearer = format!("Bearer {}", service.key());
    let by_key = |method, path| {
        let call = service
            .call(method, path)
            .workspace("")
            .header("userId", "");
        call.header("Authorization", &bearer)
    };
    let body = json!({"name": "New list"});
    let made = by_key("POST", "/groups").json(&body).send().await.ok(200);
    assert_eq!(by_key("GET", "/groups/1").send().await.ok(200), made);
    assert_eq!(by_key("GET", "/groups").send().await.ok(200)["count"], 1);
    let change = by_key("PATCH", "/groups/1").json(&json!({"name": "Other name"}));
    assert_eq!(change.send().await.ok(200)["name"], "Other name");
    by_key("DELETE", "/groups/1").send().await.ok(200);
    for (method, path) in [
        ("GET", "/groups"),
        ("POST", "/groups"),
        ("GET", "/groups/1"),
        ("PATCH", "/groups/1"),
        ("DELETE", "/groups/1"),
    ] {
        let wrong = by_key(method, path).header("Authorization", "Bearer x");
        refused(&wrong.json(&body).send().await, 401, "Unauthorized");
        let foreign = by_key(method, path).workspace("ws_2").json(&body);
        refused(&foreign.send().await, 401, "Unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_every_source_are_listed_by_number() {
    let service = Service::start().await;
    service.list("Api", &["1", "2"]).await;
    let gone = service.list("Gone", &[]).await;
    let source = service.list("Source", &["3"]).await;
    service.recycled(&source, "Recycled").await;
    service
        .post("/groups", json!({"name": "Groups"}))
        .await
        .ok(200);
    service
        .delete("/drop", json!({"snowflake_id": gone}))
        .await
        .ok(200);
    let all = service.get("/groups").await.ok(200);
    let seen: Vec<Value> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| json!([list["id"], list["name"], list["contacts"]]))
        .collect();
    let expected = [
        json!([1, "Api", "2"]),
        json!([3, "Source", "1"]),
        json!([4, "Recycled", "1"]),
        json!([5, "Groups", "0"]),
    ];
    assert_eq!(
        (&all["count"], seen.as_slice()),
        (&json!(4), expected.as_slice())
    );
    for n in 0..500 {
        service.list(&format!("L {n}"), &[]).await;
    }
    let all = service.get("/groups").await.ok(200);
    let ids = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| list["id"].as_i64().unwrap());
    let expected: Vec<i64> = (1..=505).filter(|id| *id != 2).collect();
    assert_eq!(
        (&all["count"], ids.collect::<Vec<_>>()),
        (&json!(504), expected)
    );
}

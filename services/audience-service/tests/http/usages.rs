//! What uses audiences, and what it forbids on every face.

use serde_json::{Value, json};
use test_kit::http::{Reply, text};

use crate::service::Service;

const GATEWAY: &str = "/pt-BR/api/audience";

async fn segment(service: &Service, name: &str, conditions: Value) -> String {
    let body = json!({"name": name, "status": "draft"});
    let made = service.post("/api/v1/audiences", body).await.ok(201);
    let id = text(&made, "id");
    let body = json!({"groups": [{"conditions": conditions}]});
    define(service, &id, body).await.ok(200);
    let active = json!({"status": "active"});
    patch(service, &id, active).await.ok(200);
    id
}

async fn define(service: &Service, id: &str, body: Value) -> Reply {
    let path = format!("/api/v1/audiences/{id}/segment");
    service.call("PUT", &path).json(&body).send().await
}

async fn patch(service: &Service, id: &str, body: Value) -> Reply {
    let path = format!("/api/v1/audiences/{id}");
    service.call("PATCH", &path).json(&body).send().await
}

async fn delete(service: &Service, path: &str) -> Reply {
    service.call("DELETE", path).send().await
}

async fn add(service: &Service, id: &str, usage: Value) -> Reply {
    let path = format!("/api/v1/audiences/{id}/usages");
    service.post(&path, usage).await
}

fn campaign() -> Value {
    json!({"kind": "campaign", "id": "c/1", "name": "Natal"})
}

fn tag(value: &str) -> Value {
    json!([{"kind": "tag", "operator": "has", "value": value}])
}

fn member_of(id: &str) -> Value {
    json!([{"kind": "audience", "operator": "member_of", "value": id}])
}

/// Kind and id of what uses an audience.
async fn users(service: &Service, id: &str) -> Vec<String> {
    let path = format!("/api/v1/audiences/{id}/usages");
    let page = service.get(&path).await.ok(200);
    let data = page["data"].as_array().unwrap();
    let user = |usage: &Value| format!("{} {}", text(usage, "kind"), text(usage, "id"));
    data.iter().map(user).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn usages_are_noted_by_kind_and_id() {
    let service = Service::start().await;
    let id = segment(&service, "Vips", tag("vip")).await;
    let noted = add(&service, &id, campaign()).await.ok(201);
    assert_eq!(
        noted,
        json!({"kind": "campaign", "id": "c/1", "name": "Natal", "resource": false})
    );
    let renamed = json!({"kind": "campaign", "id": "c/1", "name": " Natal 2 ", "resource": true});
    assert_eq!(add(&service, &id, renamed).await.ok(200)["name"], "Natal 2");
    let workflow = json!({"kind": "workflow", "id": "w1", "name": "W"});
    add(&service, &id, workflow).await.ok(201);
    let path = format!("/api/v1/audiences/{id}/usages");
    let first = service.get(&format!("{path}?limit=1")).await.ok(200);
    assert_eq!(first["data"][0]["resource"], true);
    let cursor = text(&first, "next_cursor");
    let second = service
        .get(&format!("{path}?limit=1&cursor={cursor}"))
        .await
        .ok(200);
    assert_eq!(
        (&second["data"][0]["kind"], &second["next_cursor"]),
        (&json!("workflow"), &Value::Null)
    );
    for _ in 0..2 {
        let gone = delete(&service, &format!("{path}/campaign/c%2F1")).await;
        assert_eq!(gone.status, 204);
    }
    assert_eq!(
        delete(&service, &format!("{path}/A%20b/x")).await.status,
        204
    );
    assert_eq!(users(&service, &id).await, ["workflow w1"]);
    for (wrong, at) in [
        (json!({"kind": "audience", "id": "1", "name": "N"}), "/kind"),
        (json!({"kind": "C", "id": "1", "name": "N"}), "/kind"),
        (json!({"kind": "c", "id": " ", "name": "N"}), "/id"),
        (json!({"kind": "c", "id": "1", "name": ""}), "/name"),
        (json!({"kind": "c", "id": "1", "name": "N", "x": 1}), "/x"),
        (json!({"kind": "c", "id": "1"}), "/name"),
    ] {
        let refused = add(&service, &id, wrong).await;
        assert_eq!(refused.refused(422, "validation_failed"), at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usages_of_another_workspace_are_not_found() {
    let service = Service::start().await;
    let id = segment(&service, "Vips", tag("vip")).await;
    add(&service, &id, campaign()).await.ok(201);
    let path = format!("/api/v1/audiences/{id}/usages");
    for (method, path) in [
        ("GET", path.clone()),
        ("POST", path.clone()),
        ("DELETE", format!("{path}/campaign/c%2F1")),
    ] {
        let call = service.call(method, &path).workspace("ws_2");
        let call = match method {
            "POST" => call.json(&campaign()),
            _ => call,
        };
        call.send().await.refused(404, "not_found");
    }
    assert_eq!(users(&service, &id).await, ["campaign c/1"]);
    let unknown = add(&service, "aud_1", campaign()).await;
    unknown.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_is_neither_deleted_nor_defined_anew() {
    let service = Service::start().await;
    let id = segment(&service, "Vips", tag("vip")).await;
    add(&service, &id, campaign()).await.ok(201);
    let path = format!("/api/v1/audiences/{id}");
    let used_by = json!([{"kind": "campaign", "id": "c/1", "name": "Natal"}]);
    let other = json!({"groups": [{"conditions": tag("novo")}]});
    let live = json!({"groups": [{"conditions": tag("vip")}], "audience_type": {"type": "live"}});
    let joined = json!({"groups": [{"conditions": tag("vip")}], "groupType": "and"});
    let draft = json!({"name": "Other", "status": "draft"});
    for refused in [
        delete(&service, &path).await,
        define(&service, &id, other).await,
        define(&service, &id, live).await,
        define(&service, &id, joined).await,
        patch(&service, &id, draft).await,
    ] {
        refused.refused(409, "audience_in_use");
        assert_eq!(refused.body["used_by"], used_by);
    }
    let same = json!({"groups": [{"conditions": tag("vip")}]});
    define(&service, &id, same).await.ok(200);
    let named = patch(&service, &id, json!({"name": "Ouro", "tags": ["a"]})).await;
    assert_eq!(named.ok(200)["name"], "Ouro");
    let refresh = service.call("POST", &format!("{path}/refresh"));
    refresh.header("prefer", "wait=30").send().await.ok(200);
    delete(&service, &format!("{path}/usages/campaign/c%2F1")).await;
    delete(&service, &path).await.ok(200);
    let late = add(&service, &id, campaign()).await;
    late.refused(409, "audience_deleted");
    delete(&service, &path).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_use_the_audiences_that_they_name() {
    let service = Service::start().await;
    let base = segment(&service, "Base", tag("vip")).await;
    let over = segment(&service, "Over", member_of(&base)).await;
    let path = format!("/api/v1/audiences/{base}");
    let refused = delete(&service, &path).await;
    refused.refused(409, "audience_in_use");
    let by = json!([{"kind": "audience", "id": over, "name": "Over"}]);
    assert_eq!(refused.body["used_by"], by);
    assert_eq!(users(&service, &base).await, [format!("audience {over}")]);
    // A draft that lacks something names it as well.
    let draft = json!({"name": "Draft", "status": "draft"});
    let draft = service.post("/api/v1/audiences", draft).await.ok(201);
    let draft = text(&draft, "id");
    let open = json!({"groups": [{"conditions": [member_of(&base)[0], {"kind": "tag"}]}]});
    define(&service, &draft, open).await.ok(200);
    assert_eq!(users(&service, &base).await.len(), 2);
    let unknown = json!({"groups": [{"conditions": [member_of("aud_7")[0], {"kind": "tag"}]}]});
    let unknown = define(&service, &draft, unknown).await.ok(422);
    assert_eq!(unknown["errors"][0]["code"], "unknown_audience");
    define(&service, &draft, json!({"groups": []}))
        .await
        .ok(200);
    // Both at once: nobody who stays uses them.
    let both = json!({"type": "delete-multiple", "selectedAudiences": [base]});
    let call = service.call("DELETE", GATEWAY).json(&both);
    let refused = call.send().await.ok(409);
    assert_eq!(
        refused,
        json!({"message": "Audience is in use", "usedBy": by})
    );
    let both = json!({"type": "delete-multiple", "selectedAudiences": [base, over]});
    let gone = service.call("DELETE", GATEWAY).json(&both).send().await;
    assert_eq!(gone.ok(200)["deleted"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn references_go_over_five_levels_and_never_back() {
    let service = Service::start().await;
    let mut chain = vec![segment(&service, "0", tag("vip")).await];
    for level in 1..=5 {
        let below = chain.last().unwrap();
        chain.push(segment(&service, &level.to_string(), member_of(below)).await);
    }
    let draft = json!({"name": "6", "status": "draft"});
    let draft = service.post("/api/v1/audiences", draft).await.ok(201);
    let draft = text(&draft, "id");
    let of = |id: &str| json!({"groups": [{"conditions": member_of(id)}]});
    let deep = define(&service, &draft, of(&chain[5])).await.ok(422);
    assert_eq!(deep["errors"][0]["code"], "too_many_levels");
    define(&service, &draft, of(&chain[4])).await.ok(200);
    let own = define(&service, &draft, of(&draft)).await.ok(422);
    assert_eq!(own["errors"][0]["code"], "audience_cycle");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_refuses_to_touch_what_is_in_use() {
    let service = Service::start().await;
    let id = segment(&service, "Vips", tag("vip")).await;
    let free = segment(&service, "Free", tag("vip")).await;
    add(&service, &id, campaign()).await.ok(201);
    let expected = json!({
        "message": "Audience is in use",
        "usedBy": [{"kind": "campaign", "id": "c/1", "name": "Natal"}],
    });
    let groups = json!([{"conditions": tag("novo")}]);
    for (method, body) in [
        ("DELETE", json!({"type": "delete-single", "id": id})),
        (
            "DELETE",
            json!({"type": "delete-multiple", "selectedAudiences": [free, id]}),
        ),
        (
            "POST",
            json!({"type": "AUDIENCE_UPDATED", "id": id, "name": "X", "groups": groups}),
        ),
        (
            "POST",
            json!({"type": "AUDIENCE_UPDATED", "id": id, "groupType": "and"}),
        ),
        (
            "POST",
            json!({"type": "AUDIENCE_UPDATED", "id": id, "audienceType": {"type": "live"}}),
        ),
        (
            "POST",
            json!({"type": "AUDIENCE_UPDATED", "id": id, "name": "X", "status": "draft"}),
        ),
        (
            "PUT",
            json!({"type": "update-status", "id": id, "status": "draft"}),
        ),
    ] {
        let refused = service.call(method, GATEWAY).json(&body).send().await;
        assert_eq!(refused.ok(409), expected, "{method} {body}");
    }
    for body in [
        json!({"type": "AUDIENCE_NAME_TAG_UPDATE", "id": id, "name": "Ouro", "tags": ["a"]}),
        json!({"type": "AUDIENCE_UPDATED", "id": id, "tags": ["b"], "status": "active"}),
        json!({"type": "AUDIENCE_UPDATED", "id": id, "groups": [{"conditions": tag("vip")}]}),
    ] {
        let changed = service.post(GATEWAY, body).await.ok(200);
        assert_eq!(changed["name"], "Ouro", "what is refused changes nothing");
    }
    let now = json!({"type": "update-now", "id": id});
    service.call("PUT", GATEWAY).json(&now).send().await.ok(200);
    let free = format!("/api/v1/audiences/{free}");
    assert_eq!(service.get(&free).await.ok(200)["deleted_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_found_by_the_gateway() {
    let service = Service::start().await;
    let id = segment(&service, "Made", tag("vip")).await;
    segment(&service, "Other", tag("vip")).await;
    let found = async |resource: bool| {
        let path = format!("{GATEWAY}?isResourceCreated={resource}");
        let page = service.get(&path).await.ok(200);
        let records = page["records"].as_array().unwrap().clone();
        for record in &records {
            assert_eq!(record["isResourceCreated"], resource);
        }
        let names = records.iter().map(|record| text(record, "name"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(found(true).await, Vec::<String>::new());
    let usage = json!({"kind": "workflow", "id": "1", "name": "W", "resource": true});
    add(&service, &id, usage).await.ok(201);
    assert_eq!(found(true).await, ["Made"]);
    assert_eq!(found(false).await, ["Other"]);
    patch(&service, &id, json!({"tags": ["x"]})).await.ok(200);
    assert_eq!(found(true).await, ["Made"]);
    let path = format!("/api/v1/audiences/{id}/usages/workflow/1");
    delete(&service, &path).await;
    assert_eq!(found(true).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_in_use_are_emptied_and_not_deleted() {
    let service = Service::start().await;
    let list = service.list("Lista", &["1", "2"]).await;
    add(&service, &list, campaign()).await.ok(201);
    let by_id = format!("?snowflake_id={list}");
    let refused = delete(&service, &format!("/drop{by_id}")).await;
    refused.refused(409, "audience_in_use");
    let group = service.get("/groups").await.ok(200)["items"][0]["id"].clone();
    let refused = delete(&service, &format!("/groups/{group}")).await;
    assert_eq!(
        refused.ok(409),
        json!({"error": "The list is in use.", "code": 409})
    );
    let conditions = json!({"groups": [{"conditions": tag("vip")}]});
    delete(&service, &format!("/delete{by_id}")).await.ok(200);
    let refused = define(&service, &list, conditions).await;
    refused.refused(409, "audience_in_use");
    delete(
        &service,
        &format!("/api/v1/audiences/{list}/usages/campaign/c%2F1"),
    )
    .await;
    delete(&service, &format!("/drop{by_id}")).await.ok(200);
    delete(&service, &format!("/drop{by_id}")).await.ok(200);
}

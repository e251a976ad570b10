//! Face A: every request and every answer of its document, and what it leaves open.

use serde_json::{Value, json};
use test_kit::http::Reply;

use crate::service::Service;

const PATH: &str = "/pt-BR/api/audience";

async fn post(service: &Service, body: Value) -> Reply {
    service.post(PATH, body).await
}

async fn put(service: &Service, body: Value) -> Reply {
    service.call("PUT", PATH).json(&body).send().await
}

async fn created(service: &Service, name: &str, tags: &[&str]) -> Value {
    let body = json!({"type": "AUDIENCE_CREATED", "name": name, "tags": tags});
    post(service, body).await.ok(200)
}

fn message(reply: &Reply, status: u16, message: &str) {
    assert_eq!(reply.ok(status)["message"], message);
}

async fn names(service: &Service, query: &str) -> Vec<String> {
    let page = service.get(&format!("{PATH}?{query}")).await.ok(200);
    let records = page["records"].as_array().unwrap();
    let name = |record: &Value| record["name"].as_str().unwrap().to_owned();
    records.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_is_created_as_the_document_shows_it() {
    let service = Service::start().await;
    let body = json!({
        "type": "AUDIENCE_CREATED",
        "name": "Churned Users \u{2014} Last 90 Days",
        "tags": ["churned", "win-back"],
        "groups": [],
        "audienceType": { "type": "static" }
    });
    let made = post(&service, body.clone()).await.ok(200);
    for (member, value) in [
        ("name", json!("Churned Users \u{2014} Last 90 Days")),
        ("tags", json!(["churned", "win-back"])),
        ("workspaceId", json!("ws_1")),
        ("groups", json!([])),
        ("audienceType", json!({"type": "static"})),
        ("isResourceCreated", json!(false)),
        ("deletedAt", Value::Null),
        ("status", json!("draft")),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert!(made["id"].as_str().unwrap().starts_with("aud_"));
    let created = made["createdAt"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.len() == "2025-02-20T09:00:00.000Z".len());
    message(
        &post(&service, body).await,
        400,
        "Audience with the same name already exists.",
    );
    for wrong in [
        json!({"type": "AUDIENCE_CREATED", "tags": []}),
        json!({"type": "AUDIENCE_CREATED", "name": "x"}),
        json!({"type": "AUDIENCE_X", "name": "x", "tags": []}),
        json!({"name": "x", "tags": []}),
        json!([]),
    ] {
        message(&post(&service, wrong).await, 400, "Invalid request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_say_who_calls_is_refused() {
    let service = Service::start().await;
    for (method, status) in [("GET", 401), ("PUT", 401), ("DELETE", 401), ("POST", 400)] {
        let call = service
            .call(method, PATH)
            .header("workSpaceId", "")
            .header("userId", "");
        message(&call.send().await, status, "Invalid request");
    }
    let wrong = service.get("/xx-yy/api/audience").await;
    assert_eq!(wrong.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_flat_and_has_fourteen_members() {
    let service = Service::start().await;
    created(&service, "High Value Customers", &["vip", "high-ltv"]).await;
    let page = service.get(PATH).await.ok(200);
    assert_eq!(page["totalCount"], 1);
    let record = page["records"][0].as_object().unwrap();
    let members: Vec<&String> = record.keys().collect();
    assert_eq!(
        members,
        [
            "activeCustomers",
            "audienceType",
            "groupType",
            "groups",
            "id",
            "isResourceCreated",
            "name",
            "scheduleId",
            "status",
            "tags",
            "totalCustomers",
            "unsubscribedCustomers",
            "updatedAt",
            "workspaceId",
        ]
    );
    let some = service
        .get(&format!("{PATH}?selectFields=name,createdAt"))
        .await
        .ok(200);
    let members: Vec<&String> = some["records"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["createdAt", "id", "name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_sorted() {
    let service = Service::start().await;
    created(&service, "Ação", &["Vip"]).await;
    created(&service, "beta", &["novo"]).await;
    let body = json!({"type": "AUDIENCE_CREATED", "name": "Gamma", "tags": [], "status": "active"});
    post(&service, body).await.ok(200);
    service
        .post(
            "/api/v1/audiences",
            json!({"name": "list", "data": [{"document": "1"}]}),
        )
        .await
        .ok(201);
    assert_eq!(names(&service, "").await, ["list", "Gamma", "beta", "Ação"]);
    assert_eq!(names(&service, "search=ACAO").await, ["Ação"]);
    assert_eq!(names(&service, "search=NOV").await, ["beta"]);
    assert_eq!(
        names(&service, "status=%5B%22draft%22%5D").await,
        ["beta", "Ação"]
    );
    assert_eq!(names(&service, "tab=active").await, ["list", "Gamma"]);
    assert_eq!(
        names(&service, "tab=draft&status=%5B%22active%22%5D").await,
        Vec::<String>::new()
    );
    assert_eq!(names(&service, "tab=rfm").await, Vec::<String>::new());
    assert_eq!(
        names(&service, "tags=%5B%22vip%22,%22NOVO%22%5D").await,
        ["beta", "Ação"]
    );
    assert_eq!(
        names(&service, "type=%5B%22live%22%5D").await,
        Vec::<String>::new()
    );
    assert_eq!(
        names(&service, "isResourceCreated=false&pageSize=2").await,
        ["list", "Gamma"]
    );
    assert_eq!(names(&service, "page=2&pageSize=2").await, ["beta", "Ação"]);
    let sort = "sort=%7B%22totalCustomers%22:%22desc%22,%22name%22:%22asc%22%7D";
    assert_eq!(
        names(&service, sort).await,
        ["list", "Ação", "beta", "Gamma"]
    );
    for wrong in [
        "page=0",
        "pageSize=1001",
        "status=active",
        "status=%5B%22x%22%5D",
        "tab=x",
        "type=%5B%22x%22%5D",
        "tags=%7B%7D",
        "sort=%7B%22x%22:%22asc%22%7D",
        "sort=%7B%22name%22:%22up%22%7D",
        "sort=%5B%5D",
        "selectFields=secret",
        "isResourceCreated=1",
    ] {
        let reply = service.get(&format!("{PATH}?{wrong}")).await;
        message(&reply, 400, "Invalid request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn audiences_are_changed_and_copied() {
    let service = Service::start().await;
    let made = created(&service, "First", &["a"]).await;
    let id = &made["id"];
    let renamed =
        json!({"type": "AUDIENCE_NAME_TAG_UPDATE", "id": id, "name": "Second", "tags": []});
    let renamed = post(&service, renamed).await.ok(200);
    assert_eq!(
        (&renamed["name"], &renamed["tags"]),
        (&json!("Second"), &json!([]))
    );
    let groups = json!([{"conditions": [{"kind": "tag", "operator": "has", "value": "vip"}]}]);
    let body = json!({"type": "AUDIENCE_UPDATED", "id": id, "groups": groups, "groupType": "and",
        "audienceType": {"type": "live"}});
    let updated = post(&service, body).await.ok(200);
    assert_eq!(updated["groups"], groups);
    assert_eq!(
        (&updated["groupType"], &updated["audienceType"]),
        (&json!("and"), &json!({"type": "live"}))
    );
    for name in ["Copy of Second", "Copy of Second (2)"] {
        let copy = json!({"type": "AUDIENCE_DUPLICATED", "id": id});
        let copy = post(&service, copy).await.ok(200);
        assert_eq!(
            (&copy["name"], &copy["status"]),
            (&json!(name), &json!("draft"))
        );
        assert_eq!(copy["groups"], groups);
    }
    let unknown = json!({"type": "AUDIENCE_NAME_TAG_UPDATE", "id": "aud_1", "name": "x"});
    message(&post(&service, unknown).await, 404, "Audience not found");
    let wrong =
        json!({"type": "AUDIENCE_UPDATED", "id": id, "groups": [{"conditions": [{"kind": "x"}]}]});
    let wrong = post(&service, wrong).await.ok(400);
    assert_eq!(wrong["errors"][0]["pointer"], "/groups/0/conditions/0/kind");
    for (cron, code) in [
        ("61 * * * *", "invalid_cron"),
        ("0 0 30 2 *", "cron_never_runs"),
    ] {
        let scheduled = json!({"type": "scheduled", "cron": cron});
        let wrong = json!({"type": "AUDIENCE_UPDATED", "id": id, "audienceType": scheduled});
        let error = &post(&service, wrong).await.ok(400)["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!("/audienceType/cron"), &json!(code))
        );
    }
    let other = service.call("POST", PATH).workspace("ws_2");
    let other = other
        .json(&json!({"type": "AUDIENCE_DUPLICATED", "id": id}))
        .send()
        .await;
    message(&other, 404, "Audience not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn audiences_are_published_and_refreshed() {
    let service = Service::start().await;
    let customers = json!({"data": [{"document": "A1", "tags": ["vip"]}, {"document": "B1"}]});
    service.post("/api/v1/customers", customers).await.ok(200);
    let draft = json!({"type": "AUDIENCE_CREATED", "name": "Vips", "tags": [],
        "groups": [{"conditions": [{"kind": "tag"}]}]});
    let made = post(&service, draft).await.ok(200);
    let id = made["id"].clone();
    let publish = json!({"type": "update-status", "id": id, "status": "active"});
    let refused = put(&service, publish.clone()).await.ok(400);
    assert_eq!(refused["message"], "Please choose a valid rule");
    assert_eq!(
        refused["errors"][0]["pointer"],
        "/groups/0/conditions/0/operator"
    );
    message(
        &put(&service, json!({"type": "update-now", "id": id})).await,
        400,
        "Invalid request",
    );
    let groups = json!([{"conditions": [{"kind": "tag", "operator": "has", "value": "vip"}]}]);
    post(
        &service,
        json!({"type": "AUDIENCE_UPDATED", "id": id, "groups": groups}),
    )
    .await
    .ok(200);
    let check = json!({"type": "check-update-now-status", "id": id});
    assert_eq!(put(&service, check.clone()).await.ok(200)["status"], "idle");
    assert_eq!(
        put(&service, publish).await.ok(200)["status"],
        "in_progress"
    );
    let status = loop {
        let status = put(&service, check.clone()).await.ok(200);
        if status["status"] != "in_progress" {
            break status;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        (&status["status"], &status["totalCustomers"]),
        (&json!("completed"), &json!(1))
    );
    assert_eq!(status["progress"], json!({"done": 1, "total": 1}));
    let begun = put(&service, json!({"type": "update-now", "id": id}))
        .await
        .ok(200);
    assert_eq!(
        (&begun["id"], &begun["status"]),
        (&id, &json!("in_progress"))
    );
    assert!(begun["operationId"].as_str().unwrap().starts_with("op_"));
    message(
        &put(&service, json!({"type": "update-x", "id": id})).await,
        400,
        "Invalid request",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_has_an_id_while_the_audience_is_in_use() {
    let service = Service::start().await;
    let groups = json!([{"conditions": [{"kind": "tag", "operator": "has", "value": "vip"}]}]);
    let scheduled = json!({"type": "scheduled", "cron": "0  6 * * *"});
    let body = json!({"type": "AUDIENCE_CREATED", "name": "Vips", "tags": [], "groups": groups,
        "audienceType": scheduled});
    let made = post(&service, body).await.ok(200);
    let kept = json!({"type": "scheduled", "cron": "0 6 * * *", "timezone": "America/Sao_Paulo"});
    assert_eq!(
        (&made["audienceType"], &made["scheduleId"]),
        (&kept, &Value::Null)
    );
    let id = made["id"].as_str().unwrap();
    let status = |status: &str| json!({"type": "update-status", "id": id, "status": status});
    let active = put(&service, status("active")).await.ok(200);
    let schedule = id.replace("aud_", "sch_");
    assert_eq!(active["scheduleId"], schedule.as_str());
    let page = service.get(PATH).await.ok(200);
    assert_eq!(page["records"][0]["scheduleId"], schedule.as_str());
    let draft = put(&service, status("draft")).await.ok(200);
    assert_eq!(draft["scheduleId"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn audiences_are_deleted_one_by_one_and_together() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for name in ["One", "Two", "Three"] {
        ids.push(created(&service, name, &["vip"]).await["id"].clone());
    }
    let path = format!("{PATH}?id={}", ids[0].as_str().unwrap());
    let body = json!({"type": "delete-single", "status": "active"});
    let deleted = service.delete(&path, body.clone()).await.ok(200);
    assert_eq!(deleted["id"], ids[0]);
    assert!(deleted["deletedAt"].is_string());
    message(
        &service.delete(&path, body).await,
        404,
        "Audience not found",
    );
    let some = json!({"type": "delete-multiple", "selectedAudiences": [ids[1], "aud_1"]});
    message(&service.delete(PATH, some).await, 404, "Audience not found");
    assert_eq!(names(&service, "").await, ["Three", "Two"]);
    let all = json!({"type": "delete-multiple", "selectedAudiences": [ids[1], {"id": ids[2]}],
        "tags": ["vip"]});
    let deleted = service.delete(PATH, all).await.ok(200);
    assert_eq!(deleted["deleted"].as_array().unwrap().len(), 2);
    assert_eq!(deleted["tags"], json!(["vip"]));
    let last = created(&service, "Last", &[]).await["id"].clone();
    let query = format!("{PATH}?type=delete-single&id={}", last.as_str().unwrap());
    assert_eq!(
        service.call("DELETE", &query).send().await.ok(200)["id"],
        last
    );
    message(
        &service.call("DELETE", PATH).send().await,
        400,
        "Invalid request",
    );
}

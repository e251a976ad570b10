//! Clients, runs and imported rows in V1.

use fake_crm::Plan;
use serde_json::{Value, json};

use crate::service::Service;

fn ids(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().unwrap();
    data.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_made_read_changed_and_deactivated_and_its_token_never_shows() {
    let service = Service::start().await;
    let body = json!({
        "slug": "acme", "name": "Acme", "base_url": format!("{}/", service.fake.url),
        "token": "s3cret-of-acme", "requests_per_minute": 55, "schedule": "0 3 * * *",
    });
    let made = service.post("/api/v1/clients", body.clone()).await;
    assert_eq!(made.header("etag"), "\"v1\"");
    let path = made.header("location").to_owned();
    let made = made.ok(201);
    assert_eq!(made["token"], "********");
    assert_eq!(made["tls_verify"], true);
    assert!(made["next_run_at"].is_string());
    assert_eq!(service.get(&path).await.ok(200), made);
    assert_eq!(
        ids(&service.get("/api/v1/clients?slug=acme").await.ok(200)),
        [made["id"].as_str().unwrap()]
    );
    service
        .post("/api/v1/clients", body.clone())
        .await
        .refused(409, "slug_taken");
    let ensured = service.post("/api/v1/clients/ensure", body).await.ok(200);
    assert_eq!(ensured, made);

    let stale = [("If-Match", "\"v7\"")];
    let change = json!({"name": "Acme S/A", "requests_per_minute": null, "schedule": null});
    let refused = service.json("PATCH", &path, &stale, change.clone()).await;
    assert_eq!(refused.status, 412);
    let changed = service
        .json("PATCH", &path, &[("If-Match", "\"v1\"")], change)
        .await
        .ok(200);
    assert_eq!(changed["name"], "Acme S/A");
    assert_eq!(changed["requests_per_minute"], Value::Null);
    assert_eq!(changed["next_run_at"], Value::Null);

    for _ in 0..2 {
        let off = service.send("DELETE", &path, &[], "").await.ok(200);
        assert_eq!(off["active"], false);
    }
    let start = json!({"client_slug": "acme", "import": "tickets"});
    service
        .post("/api/v1/imports", start)
        .await
        .refused(409, "client_inactive");
    let foreign = [("workSpaceId", "ws_2")];
    for method in ["GET", "DELETE"] {
        let reply = service.send(method, &path, &foreign, "").await;
        reply.refused(404, "not_found");
    }
    for text in [
        &service.get(&path).await.text,
        &service.get("/api/v1/clients").await.text,
    ] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}

/// A client that was read and sent back lost its token: the next run was `unauthorized`.
#[tokio::test(flavor = "multi_thread")]
async fn the_mask_sent_back_leaves_the_token_as_it_is() {
    let plan = fake_crm::Plan {
        token: Some("s3cret".to_owned()),
        contacts: 3,
        ..fake_crm::Plan::default()
    };
    let service = Service::with(plan, None).await;
    let body = json!({"slug": "other", "base_url": service.fake.url, "token": "********"});
    let refused = service.post("/api/v1/clients", body).await;
    refused.refused(422, "validation_failed");
    let id = service.client("acme").await;
    let path = format!("/api/v1/clients/{id}");
    let masked = json!({"token": "********", "name": "Acme S/A"});
    let changed = service.json("PATCH", &path, &[], masked).await.ok(200);
    assert_eq!(changed["name"], "Acme S/A");
    let elsewhere = json!({"token": "********", "base_url": "https://crm.example"});
    let refused = service.json("PATCH", &path, &[], elsewhere).await;
    refused.refused(422, "validation_failed");
    let run = service.import(&id, "contacts").await;
    assert_eq!(run["state"], "succeeded", "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_the_member_and_store_nothing() {
    let service = Service::start().await;
    let url = service.fake.url.as_str();
    for (body, pointer) in [
        (json!({"slug": "A", "base_url": url, "token": "t"}), "/slug"),
        (
            json!({"slug": "a", "base_url": "x", "token": "t"}),
            "/base_url",
        ),
        (
            json!({"slug": "a", "base_url": "https://10.0.0.1", "token": "t"}),
            "/base_url",
        ),
        (json!({"slug": "a", "base_url": url, "token": ""}), "/token"),
        (
            json!({"slug": "a", "base_url": url, "token": "t", "requests_per_minute": 0}),
            "/requests_per_minute",
        ),
        (
            json!({"slug": "a", "base_url": url, "token": "t", "schedule": "x"}),
            "/schedule",
        ),
    ] {
        let reply = service.post("/api/v1/clients", body).await;
        assert_eq!(reply.refused(422, "validation_failed"), pointer);
    }
    for body in ["{", "[]", "null"] {
        let headers = [("Content-Type", "application/json")];
        let reply = service
            .send("POST", "/api/v1/clients", &headers, body)
            .await;
        assert!((400..=422).contains(&reply.status), "{}", reply.text);
    }
    assert_eq!(
        service.get("/api/v1/clients").await.ok(200)["data"],
        json!([])
    );
    for (path, status) in [
        ("/api/v1/clients/nothing", 404),
        ("/api/v1/clients/cli_1", 404),
        ("/api/v1/clients?limit=0", 422),
        ("/api/v1/clients?cursor=x", 400),
        ("/api/v1/imports?state=odd", 422),
        ("/api/v1/imports?import=odd", 422),
        ("/api/v1/imports/op_1", 404),
        ("/api/v1/clients/cli_1/tickets", 404),
    ] {
        assert_eq!(service.get(path).await.status, status, "{path}");
    }
    let nobody = [("workSpaceId", ""), ("userId", "")];
    let reply = service.send("GET", "/api/v1/clients", &nobody, "").await;
    assert_eq!(reply.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_a_client_once() {
    let service = Service::start().await;
    let key = [("Idempotency-Key", "k1")];
    let body = json!({"slug": "acme", "base_url": service.fake.url, "token": "t"});
    let first = service
        .json("POST", "/api/v1/clients", &key, body.clone())
        .await
        .ok(201);
    let again = service.json("POST", "/api/v1/clients", &key, body).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.ok(201), first);
}

/// A service whose CRM has 25 tickets with 4 messages each, and 30 contacts.
async fn busy() -> Service {
    let plan = Plan {
        tickets: 25,
        messages_per_ticket: 4,
        contacts: 30,
        ..Plan::default()
    };
    Service::with(plan, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_reports_every_row_and_is_listed() {
    let service = busy().await;
    let client = service.client("acme").await;
    let run = service.import(&client, "tickets").await;
    assert_eq!(
        (&run["state"], &run["result"]),
        (&json!("succeeded"), &json!("complete"))
    );
    assert_eq!(run["report"]["tickets"]["created"], 25);
    assert_eq!(run["report"]["messages"]["created"], 100);
    let report = &run["report"];
    let sum: u64 = ["created", "updated", "unchanged", "quarantined"]
        .iter()
        .map(|member| report[member].as_u64().unwrap())
        .sum();
    assert_eq!(report["received"], sum);
    let contacts = service.import(&client, "contacts").await;
    assert_eq!(contacts["report"]["contacts"]["received"], 30);
    let runs = service.get("/api/v1/imports?import=tickets").await.ok(200);
    assert_eq!(ids(&runs), [run["id"].as_str().unwrap()]);
    let first = service.get("/api/v1/imports?limit=1").await.ok(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = service
        .get(&format!("/api/v1/imports?limit=1&cursor={cursor}"))
        .await
        .ok(200);
    assert_eq!(ids(&second), ids(&runs));
    assert_eq!(second["next_cursor"], Value::Null);
    let ended = format!("/api/v1/imports/{}", run["id"].as_str().unwrap());
    service
        .post(&format!("{ended}/cancel"), json!({}))
        .await
        .refused(409, "operation_ended");
    let foreign = [("workSpaceId", "ws_2")];
    let reply = service.send("GET", &ended, &foreign, "").await;
    reply.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_rows_are_read_by_cursor_and_filter() {
    let service = busy().await;
    let client = service.client("acme").await;
    service.import(&client, "tickets").await;
    let tickets = format!("/api/v1/clients/{client}/tickets");
    let mut seen = Vec::new();
    let mut path = format!("{tickets}?limit=10");
    loop {
        let page = service.get(&path).await.ok(200);
        seen.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{tickets}?limit=10&cursor={cursor}");
    }
    assert_eq!(seen.len(), 25);
    let at = |row: &Value| row["updated_at"].as_str().unwrap().to_owned();
    assert!(seen.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])));
    let from = at(&seen[20]);
    let late = service.get(&format!("{tickets}?from={from}")).await.ok(200);
    assert_eq!(late["data"].as_array().unwrap().len(), 5);
    let none = service
        .get(&format!("{tickets}?status=no-such-status"))
        .await
        .ok(200);
    assert_eq!(none["data"], json!([]));
    let ticket = seen[0]["id"].as_str().unwrap();
    let messages = service
        .get(&format!("{tickets}/{ticket}/messages?limit=3"))
        .await
        .ok(200);
    assert_eq!(messages["data"].as_array().unwrap().len(), 3);
    assert!(messages["next_cursor"].is_string());
    let other = seen[1]["id"].as_str().unwrap();
    let cursor = messages["next_cursor"].as_str().unwrap();
    let mixed = service
        .get(&format!("{tickets}/{other}/messages?cursor={cursor}"))
        .await;
    mixed.refused(400, "invalid_cursor");
    service
        .get(&format!("{tickets}/none/messages"))
        .await
        .refused(404, "not_found");
    let foreign = [("workSpaceId", "ws_2")];
    let reply = service.send("GET", &tickets, &foreign, "").await;
    reply.refused(404, "not_found");
}

//! V1: contacts.

use audience_service::{contact::read::ContactCursor, http::cursors::Walks};
use domain::shared::{AudienceId, WorkspaceId};
use serde_json::{Value, json};

use crate::service::{BODY_LIMIT, ITEM_LIMIT, Service, documents, people};

async fn contacts_of(service: &Service, members: &[&str]) -> String {
    let id = service.list("Base", members).await;
    format!("/api/v1/audiences/aud_{id}/contacts")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_of_a_write_is_accounted_for() {
    let service = Service::start().await;
    let path = contacts_of(&service, &["52998224725"]).await;
    let data = json!([
        {"document": "529.982.247-25", "email": "not one", "phone": "12"},
        {"document": "A-1"},
        {"document": "a-1", "name": "Later"},
        {"document": "A-2", "tags": ["x"]},
        "text",
    ]);
    let written = service.post(&path, json!({"data": data})).await.ok(200);
    assert_eq!(
        ["received", "inserted", "updated", "unchanged", "rejected"]
            .map(|n| written[n].as_i64().unwrap()),
        [5, 1, 2, 0, 2]
    );
    let results = written["results"].as_array().unwrap();
    let statuses: Vec<_> = results
        .iter()
        .map(|r| r["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        ["updated", "inserted", "updated", "rejected", "rejected"]
    );
    assert!(
        results
            .iter()
            .enumerate()
            .all(|(index, r)| r["index"] == index)
    );
    assert_eq!(results[1]["contact_id"], results[2]["contact_id"]);
    assert_eq!(results[3]["errors"][0]["pointer"], "/data/3/tags");
    assert_eq!(results[4]["errors"][0]["pointer"], "/data/4");

    let one = format!("{path}/{}", results[0]["contact_id"].as_str().unwrap());
    let contact = service.get(&one).await.ok(200);
    assert_eq!(
        (&contact["document"], &contact["document_valid"]),
        (&json!("52998224725"), &json!(true))
    );
    assert_eq!(
        (&contact["name"], &contact["email"], &contact["email_valid"]),
        (&Value::Null, &json!("not one"), &json!(false))
    );
    assert_eq!(
        (&contact["phone"], &contact["phone_valid"]),
        (&json!("12"), &json!(false))
    );

    let strict =
        json!({"data": [{"document": "B-1"}, {"document": "B-2", "a~b/c": []}], "strict": true});
    let reply = service.post(&path, strict).await;
    assert_eq!(reply.refused(422, "validation_failed"), "/data/1/a~0b~1c");
    assert_eq!(
        service.get(&format!("{path}?page=1")).await.ok(200)["total"],
        2
    );
    let checked = json!({"data": people(&["12345678900"]), "require_valid_document": true});
    let checked = service.post(&path, checked).await.ok(200);
    assert_eq!(
        checked["results"][0]["errors"][0]["code"],
        "document_invalid"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_found_removed_and_written_again() {
    let service = Service::start().await;
    let path = contacts_of(&service, &["52998224725", "A-1"]).await;
    let lookup = format!("{path}/lookup");
    let look = |document: &str| service.post(&lookup, json!({"document": document}));
    let found = look("529.982.247-25").await.ok(200);
    assert_eq!(
        (&found["status"], &found["removed_by"]),
        (&json!("member"), &Value::Null)
    );
    let one = format!(
        "{path}/{}",
        found["contact"]["contact_id"].as_str().unwrap()
    );
    assert_eq!(service.get(&one).await.ok(200), found["contact"]);
    service.call("DELETE", &one).send().await.ok(204);
    service.get(&one).await.refused(404, "not_found");
    service
        .call("DELETE", &one)
        .send()
        .await
        .refused(404, "not_found");
    let removed = look("52998224725").await;
    assert!(
        removed.status == 404 || removed.body["status"] == "removed",
        "{}",
        removed.text
    );
    assert_eq!(documents(&service.get(&path).await.ok(200)), ["A-1"]);
    service
        .post(&path, json!({"data": people(&["52998224725"])}))
        .await
        .ok(200);
    assert_eq!(look("52998224725").await.ok(200)["status"], "member");

    let recycle = path.replace("contacts", "recycle");
    let body = json!({"rules": {"documents": ["A-1"]}});
    let done = service
        .call("POST", &recycle)
        .header("Prefer", "wait=30")
        .json(&body)
        .send()
        .await
        .ok(200);
    let removed = look("a-1").await.ok(200);
    assert_eq!(
        (&removed["status"], &removed["contact"]),
        (&json!("removed"), &Value::Null)
    );
    let by = &removed["removed_by"];
    assert_eq!(
        (&by["operation_id"], &by["reasons"]),
        (&done["id"], &json!(["documents"]))
    );
    assert!(by["removed_at"].is_string());
    look("A-9").await.refused(404, "not_found");
    for bad in ["", " ", "\0", &"x".repeat(65)] {
        assert_eq!(
            look(bad).await.refused(422, "validation_failed"),
            "/document"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_walked_by_cursor_and_by_page() {
    let service = Service::start().await;
    let path = contacts_of(&service, &["a", "b", "c", "d", "e"]).await;
    let first = service.get(&format!("{path}?limit=2")).await.ok(200);
    assert_eq!(documents(&first), ["A", "B"]);
    assert!(first.get("total").is_none(), "{first}");
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    let recycle = path.replace("contacts", "recycle");
    let body = json!({"rules": {"documents": ["C"]}});
    service
        .call("POST", &recycle)
        .header("Prefer", "wait=30")
        .json(&body)
        .send()
        .await
        .ok(200);
    let second = service
        .get(&format!("{path}?limit=2&cursor={cursor}"))
        .await
        .ok(200);
    assert_eq!(documents(&second), ["C", "D"], "as when the walk began");
    let page = service
        .get(&format!("{path}?page=2&per_page=3"))
        .await
        .ok(200);
    assert_eq!(documents(&page), ["E"]);
    assert_eq!(
        (&page["page"], &page["last_page"], &page["total"]),
        (&json!(2), &json!(2), &json!(4))
    );

    let other = service.list("Other", &["a"]).await;
    let flipped = if cursor.starts_with('A') { "B" } else { "A" };
    for bad in [
        format!("/api/v1/audiences/{other}/contacts?cursor={cursor}"),
        format!("{path}?cursor={flipped}{}", &cursor[1..]),
        format!("{path}?cursor={}", &cursor[..cursor.len() - 1]),
        format!("{path}?cursor="),
        format!("{path}?cursor=%00"),
    ] {
        service.get(&bad).await.refused(400, "invalid_cursor");
    }
    for (query, place) in [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("page=0", "/page"),
        ("page=9223372036854775808", "/page"),
        ("per_page=1001", "/per_page"),
        ("page=1&cursor=x", "/cursor"),
    ] {
        let reply = service.get(&format!("{path}?{query}")).await;
        assert_eq!(reply.refused(422, "validation_failed"), place, "{query}");
    }
    service
        .get(&format!("{path}?pages=1"))
        .await
        .refused(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_by_cursor_lasts_a_day() {
    let service = Service::start().await;
    let id = service.list("Base", &["a", "b", "c"]).await;
    let path = format!("/api/v1/audiences/{id}/contacts");
    let page = service.get(&format!("{path}?limit=1")).await.ok(200);
    let (sealer, workspace) = (service.sealer(), WorkspaceId::parse("ws_1").unwrap());
    let audience: AudienceId = id.parse().unwrap();
    let cursor = page["next_cursor"].as_str().unwrap();
    let walks = Walks::new(&sealer, &workspace, audience);
    let cursor = walks.open(Some(cursor)).unwrap().unwrap();
    for (hours, status) in [(23, 200), (25, 410)] {
        let older = ContactCursor {
            began_at: cursor.began_at - chrono::TimeDelta::hours(hours),
            ..cursor.clone()
        };
        let older = walks.seal(&older).unwrap();
        for path in [&path, &format!("/list/{id}")] {
            let reply = service.get(&format!("{path}?cursor={older}")).await;
            assert_eq!(reply.status, status, "{}", reply.text);
            if status == 410 {
                reply.refused(410, "cursor_expired");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_id_opens_nothing_elsewhere() {
    let service = Service::start().await;
    let path = contacts_of(&service, &["A-1"]).await;
    let page = service.get(&path).await.ok(200);
    let contact = page["data"][0]["contact_id"].as_str().unwrap().to_owned();
    let theirs = service.call("POST", "/create").workspace("ws_2");
    let theirs = theirs
        .json(&json!({"name": "Base", "data": people(&["A-1"])}))
        .send()
        .await
        .ok(201);
    let there = format!(
        "/api/v1/audiences/{}/contacts/{contact}",
        theirs["id"].as_str().unwrap()
    );
    service
        .call("GET", &there)
        .workspace("ws_2")
        .send()
        .await
        .refused(404, "not_found");
    let flipped = if contact.starts_with('A') { "B" } else { "A" };
    for bad in [
        format!("{flipped}{}", &contact[1..]),
        "x".into(),
        "%00".into(),
        "A-1".into(),
        "lookup".into(),
    ] {
        let reply = service
            .call("DELETE", &format!("{path}/{bad}"))
            .send()
            .await;
        assert!(matches!(reply.status, 404 | 405), "{bad}: {}", reply.text);
    }
    assert_eq!(documents(&service.get(&path).await.ok(200)), ["A-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_writes_are_refused_by_name() {
    let service = Service::start().await;
    let path = contacts_of(&service, &[]).await;
    for (body, place) in [
        (json!({}), "/data"),
        (json!({"data": {}}), "/data"),
        (json!({"data": [], "strict": 1}), "/strict"),
        (json!({"data": [], "Data": []}), "/Data"),
        (json!([[]]), ""),
    ] {
        let reply = service.post(&path, body.clone()).await;
        assert_eq!(reply.refused(422, "validation_failed"), place, "{body}");
    }
    for (body, place) in [
        (json!({}), "/document"),
        (json!({"document": 5}), "/document"),
        (json!({"document": "1", "x": 1}), "/x"),
    ] {
        let reply = service.post(&format!("{path}/lookup"), body.clone()).await;
        assert_eq!(reply.refused(422, "validation_failed"), place, "{body}");
    }
    let many = json!({"data": vec![json!({"document": "1"}); ITEM_LIMIT + 1]});
    service.post(&path, many).await.refused(413, "too_large");
    let length = (BODY_LIMIT + 1).to_string();
    let large = service
        .call("POST", &path)
        .header("Content-Type", "application/json");
    large
        .header("Content-Length", &length)
        .send()
        .await
        .refused(413, "too_large");
    service
        .call("POST", &path)
        .text("{\"data\": [")
        .send()
        .await
        .refused(400, "malformed_json");
    let empty = service.post(&path, json!({"data": []})).await.ok(200);
    assert_eq!(
        (&empty["received"], &empty["results"]),
        (&json!(0), &json!([]))
    );
    let dropped = path.trim_end_matches("/contacts");
    service.call("DELETE", dropped).send().await.ok(200);
    service
        .post(&path, json!({"data": people(&["1"])}))
        .await
        .refused(409, "audience_deleted");
    assert_eq!(service.get(&path).await.ok(200)["data"], json!([]));
}

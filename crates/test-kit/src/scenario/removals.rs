use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::{client::Service, lists::audience, uploads::upload};
use crate::{blocking::until, http::text};

fn documents(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|n| format!("P{n:06}")).collect()
}

fn recycle(service: &Service, audience: &str, body: &Value) -> Value {
    let path = format!("/api/v1/audiences/{audience}/recycle");
    let accepted = service.json("POST", &path, body).ok(202);
    let ended = service.ended(&accepted);
    assert_eq!(ended["state"], "succeeded", "{ended}");
    ended
}

fn notified(service: &Service, operation: &str) -> usize {
    let told = service.get("/api/v1/notifications?limit=1000");
    let told = told["data"].as_array().unwrap();
    told.iter()
        .filter(|n| n["operation_id"] == operation)
        .count()
}

/// Before or after, never in between; told once; undone at once.
pub fn recycled_and_undone(service: &Service) {
    let id = audience(service, "Recycled", 0..2_000);
    let list = format!("document\n{}\n", documents(0..700).join("\n"));
    let rules = json!({ "upload_id": upload(service, &list) });
    let path = format!("/api/v1/audiences/{id}/recycle");
    let dry = service.json("POST", &path, &json!({ "rules": rules, "dry_run": true }));
    let dry = dry.ok(200);
    assert_eq!(
        [&dry["total"], &dry["removed"], &dry["kept"]],
        [2_000, 700, 1_300],
        "{dry}"
    );
    let stop = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let seen = service.count(&id);
                assert!([2_000, 1_300].contains(&seen), "saw {seen}");
                let seen = service.walk(&id).len();
                assert!([2_000, 1_300].contains(&seen), "walked {seen}");
            }
        });
        let body = json!({ "rules": rules, "plan": dry["plan"] });
        let ended = recycle(service, &id, &body);
        stop.store(true, Ordering::Relaxed);
        ended
    });
    assert_eq!(ended["report"]["removed"], 700, "{ended}");
    assert_eq!(service.walk(&id), documents(700..2_000));
    let operation = text(&ended, "id");
    until("a notification", || {
        (notified(service, &operation) > 0).then_some(())
    });
    let undo = format!("/api/v1/operations/{operation}/undo");
    for _ in 0..2 {
        service.json("POST", &undo, &json!({})).ok(200);
        assert_eq!(service.count(&id), 2_000);
    }
    assert_eq!(service.walk(&id).len(), 2_000);
    assert_eq!(notified(service, &operation), 1);
}

/// A round of its own, under the next name.
pub fn into_a_new_round(service: &Service) {
    let id = audience(service, "Rounds", 0..400);
    let body = json!({ "rules": { "documents": documents(0..100) }, "target": { "type": "new" } });
    let ended = recycle(service, &id, &body);
    let made = service.get(&format!(
        "/api/v1/audiences/{}",
        text(&ended, "audience_id")
    ));
    let copy = match made["name"].as_str() {
        Some("Rounds REC 2") => made,
        _ => by_name(service, "Rounds REC 2"),
    };
    assert_eq!(service.walk(&text(&copy, "id")), documents(100..400));
    assert_eq!(service.count(&id), 400);
}

fn by_name(service: &Service, name: &str) -> Value {
    let all = service.get("/api/v1/audiences?limit=1000");
    let all = all["data"].as_array().unwrap();
    let found = all.iter().find(|a| a["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}")).clone()
}

/// Emptied at once, and back again.
pub fn cleared_and_brought_back(service: &Service) {
    let id = audience(service, "Cleared", 0..300);
    let path = format!("/api/v1/audiences/{id}/clear");
    let cleared = service.json("POST", &path, &json!({})).ok(200);
    assert_eq!(service.count(&id), 0);
    let undo = format!("/api/v1/operations/{}/undo", text(&cleared, "operation_id"));
    service.json("POST", &undo, &json!({})).ok(200);
    assert_eq!(service.walk(&id).len(), 300);
}

/// Who listens on one replica hears of what another one did.
pub fn told_on_a_stream(service: &Service) {
    let id = audience(service, "Streamed", 0..50);
    let stream = |_| service.events("/api/v1/notifications/stream");
    let mut streams: Vec<_> = (0..service.replicas()).map(stream).collect();
    let ended = recycle(
        service,
        &id,
        &json!({ "rules": { "documents": documents(0..10) } }),
    );
    for next in &mut streams {
        while next()["operation_id"] != ended["id"] {}
    }
}

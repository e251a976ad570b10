use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::{Service, documents_of};
use crate::{
    blocking::{until, wait},
    http::text,
};

/// `{"document": …}` for each number.
pub fn items(numbers: impl IntoIterator<Item = u32>) -> Vec<Value> {
    let item = |n| json!({ "document": format!("P{n:06}"), "name": format!("Pessoa {n}") });
    numbers.into_iter().map(item).collect()
}

/// A new audience of these people.
pub fn audience(service: &Service, name: &str, numbers: impl IntoIterator<Item = u32>) -> String {
    let body = json!({ "name": name, "data": items(numbers) });
    let made = service.json("POST", "/api/v1/audiences", &body);
    text(&made.ok(201), "id")
}

/// The seed's life of a list, bare and wrapped in `payload`.
pub fn face_l(service: &Service) {
    let mut data = items([1, 2, 3, 2]);
    data.push(json!({ "name": "without a document" }));
    let made = service.json(
        "POST",
        "/create",
        &json!({ "name": "Face L", "data": data }),
    );
    let made = made.ok(201);
    assert_eq!(
        [
            &made["received"],
            &made["inserted"],
            &made["updated"],
            &made["rejected"]
        ],
        [5, 3, 1, 1],
        "{made}"
    );
    let id = text(&made, "id");
    let more = json!({ "payload": { "snowflake_id": id, "data": items([3, 4]) } });
    let added = service.json("POST", "/insert", &more).ok(200);
    assert_eq!([&added["inserted"], &added["updated"]], [1, 1], "{added}");
    // At most five seconds behind writes, on every replica.
    for _ in 0..service.replicas() {
        until("four contacts on the page", || {
            let page = service.get(&format!("/list/{id}?page=1&per_page=100"));
            (page["total"] == 4 && documents_of(&page).len() == 4).then_some(())
        });
    }
    let name_it = json!({ "snowflake_id": id });
    assert_eq!(
        service.json("DELETE", "/delete", &name_it).ok(200)["contacts"],
        0
    );
    assert!(service.walk(&id).is_empty());
    service.json("DELETE", "/drop", &name_it).ok(200);
    let refused = service.json("POST", "/insert", &more).ok(409);
    assert_eq!(refused["code"], "audience_deleted");
    let restored = service.json("POST", "/restore", &name_it).ok(200);
    assert_eq!(restored["deleted_at"], Value::Null);
    let listed = service.get("/list");
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.iter().filter(|a| a["id"] == id.as_str()).count(), 1);
}

/// A key makes a repetition harmless, whichever replica it reaches.
pub fn repeated_requests(service: &Service) {
    let body = json!({ "name": "Once", "data": items([1, 2]) });
    let first = service.once("/api/v1/audiences", "scenario-once", &body);
    let again = service.once("/api/v1/audiences", "scenario-once", &body);
    assert_eq!(first.ok(201), again.ok(201));
    assert_eq!(again.header("Idempotent-Replayed"), "true");
    let other = json!({ "name": "Another", "data": [] });
    let refused = service.once("/api/v1/audiences", "scenario-once", &other);
    assert_eq!(refused.ok(422)["code"], "idempotency_mismatch");
    let taken = service.json(
        "POST",
        "/api/v1/audiences",
        &json!({ "name": " ONCE ", "data": [] }),
    );
    assert_eq!(taken.ok(409)["code"], "name_taken");
}

/// Two writers at once, through every replica: each report balances, the count is exact, and the
/// page and the walk show the same people.
pub fn two_writers(service: &Service) {
    let id = audience(service, "Two writers", []);
    let path = format!("/api/v1/audiences/{id}/contacts");
    let inserted: u64 = std::thread::scope(|scope| {
        let writer = |from: u32| {
            let path = &path;
            scope.spawn(move || -> u64 {
                let write = |round: u32| {
                    let first = from + round * 25;
                    let body = json!({ "data": items(first..first + 50) });
                    let report = service.json("POST", path, &body).ok(200);
                    assert_eq!(report["received"], 50, "{report}");
                    report["inserted"].as_u64().unwrap()
                };
                (0..20).map(write).sum()
            })
        };
        let writers = [writer(0), writer(300), writer(100)];
        writers.into_iter().map(|w| w.join().unwrap()).sum()
    });
    let expected: Vec<String> = (0..825).map(|n| format!("P{n:06}")).collect();
    assert_eq!(inserted, 825);
    for _ in 0..service.replicas() {
        assert_eq!(service.count(&id), 825);
        assert_eq!(service.walk(&id), expected);
    }
    until("every page", || {
        let seen: BTreeSet<String> = (1..=9)
            .flat_map(|page| {
                documents_of(&service.get(&format!("{path}?page={page}&per_page=100")))
            })
            .collect();
        (seen.len() == 825).then_some(())
    });
}

/// Names, tags and versions.
pub fn metadata(service: &Service) {
    let id = audience(service, "Metadata", [1]);
    let path = format!("/api/v1/audiences/{id}");
    let seen = service.send("GET", &path);
    let etag = seen.header("ETag").to_owned();
    let rename = |etag: &str, name: &str| {
        let body = json!({ "name": name, "tags": ["a"] });
        let call = service.call("PATCH", &path).header("If-Match", etag);
        wait(call.json(&body).send())
    };
    assert_eq!(rename(&etag, "Metadata 2").ok(200)["name"], "Metadata 2");
    assert_eq!(rename(&etag, "Metadata 3").status, 412);
    let copy = json!({ "name": "Metadata, a copy" });
    let copied = service.json("POST", &format!("{path}/duplicate"), &copy);
    assert!([201, 202].contains(&copied.status), "{}", copied.status);
    service.get("/livez");
    service.get("/readyz");
    let unknown = service.send("GET", "/api/v1/audiences/aud_1");
    assert_eq!(unknown.ok(404)["code"], "not_found");
}

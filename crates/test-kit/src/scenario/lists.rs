use std::collections::BTreeSet;

use api_types::{
    ProblemBody,
    audiences::{AudienceChange, AudienceCopy, AudienceJson, CreatedJson, NewAudience},
    contacts::{ContactsJson, NewContacts, WrittenJson},
};
use serde_json::{Value, json};

use super::client::Service;
use crate::{
    blocking::{until, wait},
    http::{Reply, text},
};

const ALL: &str = "/api/v1/audiences";

/// `{"document": …}` for each number.
pub fn items(numbers: impl IntoIterator<Item = u32>) -> Vec<Value> {
    let item = |n| json!({ "document": format!("P{n:06}"), "name": format!("Pessoa {n}") });
    numbers.into_iter().map(item).collect()
}

/// A new audience of these people.
pub fn audience(service: &Service, name: &str, numbers: impl IntoIterator<Item = u32>) -> String {
    let made = service.json("POST", ALL, &new(name, items(numbers)));
    let made: CreatedJson = made.read(201);
    made.audience.id
}

fn new(name: &str, data: Vec<Value>) -> NewAudience {
    NewAudience {
        name: name.to_owned(),
        data: Some(data),
        ..NewAudience::default()
    }
}

/// That a request was refused for this reason.
#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    let problem: ProblemBody = reply.read(status);
    assert_eq!(problem.code, code, "{problem:?}");
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
            let page: Value = service.get(&format!("/list/{id}?page=1&per_page=100"));
            let shown = page["data"].as_array().unwrap().len();
            (page["total"] == 4 && shown == 4).then_some(())
        });
    }
    let name_it = json!({ "snowflake_id": id });
    assert_eq!(
        service.json("DELETE", "/delete", &name_it).ok(200)["contacts"],
        0
    );
    assert!(service.walk(&id).is_empty());
    service.json("DELETE", "/drop", &name_it).ok(200);
    let late = service.json("POST", "/insert", &more);
    refused(&late, 409, "audience_deleted");
    let restored = service.json("POST", "/restore", &name_it).ok(200);
    assert_eq!(restored["deleted_at"], Value::Null);
    let listed: Value = service.get("/list");
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.iter().filter(|a| a["id"] == id.as_str()).count(), 1);
}

/// A key makes a repetition harmless, whichever replica it reaches.
pub fn repeated_requests(service: &Service) {
    let body = new("Once", items([1, 2]));
    let first = service.once(ALL, "scenario-once", &body);
    let again = service.once(ALL, "scenario-once", &body);
    assert_eq!(first.ok(201), again.ok(201));
    assert_eq!(again.header("Idempotent-Replayed"), "true");
    let other = service.once(ALL, "scenario-once", &new("Another", Vec::new()));
    refused(&other, 422, "idempotency_mismatch");
    let taken = service.json("POST", ALL, &new(" ONCE ", Vec::new()));
    refused(&taken, 409, "name_taken");
}

/// Two writers at once, through every replica: each report balances, the count is exact, and the
/// page and the walk show the same people.
pub fn two_writers(service: &Service) {
    let id = audience(service, "Two writers", []);
    let path = format!("/api/v1/audiences/{id}/contacts");
    let inserted: i64 = std::thread::scope(|scope| {
        let writer = |from: u32| {
            let path = &path;
            scope.spawn(move || -> i64 {
                let write = |round: u32| {
                    let first = from + round * 25;
                    let body = NewContacts {
                        data: items(first..first + 50),
                        ..NewContacts::default()
                    };
                    let report: WrittenJson = service.json("POST", path, &body).read(200);
                    assert_eq!(report.received, 50, "{report:?}");
                    report.inserted
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
                let path = format!("{path}?page={page}&per_page=100");
                service.get::<ContactsJson>(&path).data
            })
            .map(|contact| contact.document)
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
        let body = AudienceChange {
            name: Some(name.to_owned()),
            tags: Some(vec!["a".to_owned()]),
            status: None,
        };
        let call = service.call("PATCH", &path).header("If-Match", etag);
        wait(call.json(&body).send())
    };
    let renamed: AudienceJson = rename(&etag, "Metadata 2").read(200);
    assert_eq!(renamed.name, "Metadata 2");
    assert_eq!(rename(&etag, "Metadata 3").status, 412);
    let copy = AudienceCopy {
        name: Some("Metadata, a copy".to_owned()),
    };
    let copied = service.json("POST", &format!("{path}/duplicate"), &copy);
    assert!([201, 202].contains(&copied.status), "{}", copied.status);
    service.send("GET", "/livez").ok(200);
    service.send("GET", "/readyz").ok(200);
    let unknown = service.send("GET", "/api/v1/audiences/aud_1");
    refused(&unknown, 404, "not_found");
}

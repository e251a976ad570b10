//! Audiences that are made of others.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use test_kit::http::{Reply, text};

use crate::service::{Service, documents};

type Keys = BTreeSet<String>;

/// Documents of some people.
fn keys(numbers: impl IntoIterator<Item = u32>) -> Keys {
    numbers.into_iter().map(|n| format!("D{n:04}")).collect()
}

/// Creates a list whose contacts carry its name.
async fn list(service: &Service, name: &str, keys: &Keys) -> String {
    let people = keys
        .iter()
        .map(|key| json!({"document": key, "name": name}));
    let body = json!({"name": name, "data": people.collect::<Vec<_>>()});
    text(&service.post("/api/v1/audiences", body).await.ok(201), "id")
}

async fn derive(service: &Service, body: Value) -> Reply {
    let call = service.call("POST", "/api/v1/audiences");
    call.header("prefer", "wait=30").json(&body).send().await
}

/// Makes one audience; answers its id and the operation.
async fn made(service: &Service, body: Value) -> (String, Value) {
    let done = derive(service, body).await.ok(200);
    assert_eq!(
        (&done["kind"], &done["state"]),
        (&json!("derive"), &json!("succeeded"))
    );
    (text(&done, "audience_id"), done)
}

async fn contacts(service: &Service, id: &str) -> Vec<Value> {
    let path = format!("/api/v1/audiences/{id}/contacts?limit=1000");
    let page = service.get(&path).await.ok(200);
    let audience = service
        .get(&format!("/api/v1/audiences/{id}"))
        .await
        .ok(200);
    let data = page["data"].as_array().unwrap().clone();
    assert_eq!(audience["contacts"], data.len());
    data
}

async fn members(service: &Service, id: &str) -> Keys {
    let data = contacts(service, id).await;
    data.iter()
        .map(|contact| text(contact, "document"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_have_the_members_that_they_should() {
    let service = Service::start().await;
    let (a, b, c) = (keys(0..60), keys(30..90), keys((0..120).step_by(7)));
    let mut ids = Vec::new();
    for (name, keys) in [("A", &a), ("B", &b), ("C", &c)] {
        ids.push(list(&service, name, keys).await);
    }
    let of = |which: &[usize]| which.iter().map(|at| ids[*at].clone()).collect::<Vec<_>>();
    let union: Keys = &(&a | &b) | &c;
    let common: Keys = &(&a & &b) & &c;
    let only: Keys = &(&b - &a) - &c;
    for (name, from, expected, total) in [
        (
            "union",
            json!({"union": of(&[0, 1, 2])}),
            &union,
            union.len(),
        ),
        (
            "common",
            json!({"intersection": of(&[0, 1, 2])}),
            &common,
            a.len(),
        ),
        (
            "only",
            json!({"difference": of(&[1, 0, 2])}),
            &only,
            b.len(),
        ),
        ("copy", json!({"union": of(&[0])}), &a, a.len()),
        (
            "nobody",
            json!({"difference": of(&[0, 0])}),
            &Keys::new(),
            a.len(),
        ),
    ] {
        let body = json!({"name": name, "tags": ["t"], "from": from});
        let (id, done) = made(&service, body).await;
        assert_eq!(&members(&service, &id).await, expected, "{name}");
        let report = json!({
            "total": total, "kept": expected.len(), "removed": total - expected.len(), "by_reason": {},
        });
        assert_eq!(done["report"], report, "{name}");
        let made = service
            .get(&format!("/api/v1/audiences/{id}"))
            .await
            .ok(200);
        assert_eq!(
            (
                &made["name"],
                &made["tags"],
                &made["status"],
                &made["source_id"]
            ),
            (&json!(name), &json!(["t"]), &json!("active"), &json!("api"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contact_of_the_first_list_is_taken() {
    let service = Service::start().await;
    let a = list(&service, "A", &keys([2, 3])).await;
    let b = list(&service, "B", &keys([1, 2])).await;
    let names = async |from: Value, name: &str| {
        let (id, _) = made(&service, json!({"name": name, "from": from})).await;
        let data = contacts(&service, &id).await;
        data.iter().map(|c| text(c, "name")).collect::<String>()
    };
    assert_eq!(names(json!({"union": [a, b]}), "ab").await, "BAA");
    assert_eq!(names(json!({"union": [b, a]}), "ba").await, "BBA");
    assert_eq!(names(json!({"intersection": [b, a]}), "i").await, "B");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_the_same_for_the_same_seed() {
    let service = Service::start().await;
    let of = list(&service, "Base", &keys(0..500)).await;
    let draw = async |name: &str, sample: Value| {
        let mut sample = sample;
        sample["of"] = json!(of);
        let body = json!({"name": name, "from": {"sample": sample}});
        let (id, _) = made(&service, body).await;
        members(&service, &id).await
    };
    let count = draw("1", json!({"count": 40, "seed": "s"})).await;
    assert_eq!(count.len(), 40);
    assert_eq!(count, draw("2", json!({"count": 40, "seed": "s"})).await);
    assert_ne!(count, draw("3", json!({"count": 40, "seed": "t"})).await);
    let more = draw("4", json!({"count": 41, "seed": "s"})).await;
    assert!(count.is_subset(&more) && more.len() == 41);
    assert_eq!(
        draw("5", json!({"count": 9999, "seed": 7})).await.len(),
        500
    );
    let ten = draw("6", json!({"percent": 10, "seed": "s"})).await;
    assert!((25..=75).contains(&ten.len()), "{}", ten.len());
    assert_eq!(
        ten,
        draw("7", json!({"percent": "10.0", "seed": "s"})).await
    );
    let drawn = draw("8", json!({"count": ten.len(), "seed": "s"})).await;
    assert_eq!(ten, drawn, "those who are drawn first");
    // Without a name it is named after its source.
    let body = json!({"from": {"sample": {"of": of, "count": 1, "seed": "s"}}});
    let (id, _) = made(&service, body).await;
    let named = service
        .get(&format!("/api/v1/audiences/{id}"))
        .await
        .ok(200);
    assert_eq!(named["name"], "Base (sample)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_has_the_same_members_for_the_same_seed() {
    let service = Service::start().await;
    let people = keys(0..400);
    let of = list(&service, "Base", &people).await;
    let split = async |prefix: &str, seed: &str| {
        let part = |name: &str, percent: u32| json!({"name": format!("{prefix} {name}"), "percent": percent});
        let parts = json!([part("a", 50), part("b", 30), part("holdout", 10)]);
        let body = json!({"from": {"split": {"of": of, "parts": parts, "seed": seed}}});
        let (first, done) = made(&service, body).await;
        let ids = done["audience_ids"].as_array().unwrap().clone();
        assert_eq!((ids.len(), ids[0].as_str().unwrap()), (3, &*first));
        let mut all = Vec::new();
        for id in &ids {
            all.push(members(&service, id.as_str().unwrap()).await);
        }
        let kept: usize = all.iter().map(Keys::len).sum();
        assert_eq!(
            (&done["report"]["kept"], &done["report"]["total"]),
            (&json!(kept), &json!(400))
        );
        (all, done)
    };
    let (one, _) = split("one", "s").await;
    let everybody: Keys = one.iter().flatten().cloned().collect();
    let kept: usize = one.iter().map(Keys::len).sum();
    assert_eq!(everybody.len(), kept, "parts share nobody");
    assert!(everybody.is_subset(&people) && kept < 400);
    assert!((150..=250).contains(&one[0].len()), "{}", one[0].len());
    let (two, done) = split("two", "s").await;
    assert_eq!(one, two);
    let (three, _) = split("three", "t").await;
    assert_ne!(one, three);
    // Undone, none of the parts is left.
    let undo = format!("/api/v1/operations/{}/undo", text(&done, "id"));
    service.post(&undo, json!({})).await.ok(200);
    let left = service.get("/api/v1/audiences?search=two").await.ok(200);
    assert_eq!(left["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_parts_show_or_none() {
    let service = Service::start().await;
    let of = list(&service, "Base", &keys(0..10)).await;
    let parts = |first: &str, second: &str| {
        let parts = json!([{"name": first, "percent": 50}, {"name": second, "percent": 50}]);
        json!({"from": {"split": {"of": of, "parts": parts, "seed": "s"}}})
    };
    for taken in [parts("New", "base"), parts("New", "NEW")] {
        derive(&service, taken).await.refused(409, "name_taken");
    }
    let all = service.get("/api/v1/audiences").await.ok(200);
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    derive(&service, parts("New", "Newer")).await.ok(200);
    let taken = json!({"name": "NEW", "from": {"union": [of]}});
    derive(&service, taken).await.refused(409, "name_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_must_be_there_and_make_sense() {
    let service = Service::start().await;
    let of = list(&service, "Base", &keys(0..10)).await;
    let dropped = list(&service, "Gone", &keys(0..10)).await;
    let path = format!("/api/v1/audiences/{dropped}");
    service.call("DELETE", &path).send().await.ok(200);
    let named = |from: Value| json!({"name": "N", "from": from});
    derive(&service, named(json!({"union": [of, dropped]})))
        .await
        .refused(409, "audience_deleted");
    derive(&service, named(json!({"union": [of, "aud_7"]})))
        .await
        .refused(404, "not_found");
    let foreign = service.call("POST", "/api/v1/audiences").workspace("ws_2");
    let foreign = foreign.json(&named(json!({"union": [of]}))).send().await;
    foreign.refused(404, "not_found");
    let many = vec![of.clone(); 21];
    let sample = |rest: Value| {
        let mut sample = json!({"of": of, "seed": "s"});
        sample
            .as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        json!({ "sample": sample })
    };
    let split = |percents: &[u32]| {
        let parts = percents
            .iter()
            .map(|p| json!({"name": format!("P{p}"), "percent": p}));
        json!({"from": {"split": {"of": of, "seed": "s", "parts": parts.collect::<Vec<_>>()}}})
    };
    for (body, at) in [
        (json!({"from": {"union": [of]}}), "/name"),
        (named(json!({})), "/from"),
        (named(json!({"union": [of], "difference": [of]})), "/from"),
        (named(json!({"sum": [of]})), "/from/sum"),
        (named(json!({"union": []})), "/from/union"),
        (named(json!({"union": many})), "/from/union"),
        (
            named(json!({"intersection": [of, "x"]})),
            "/from/intersection/1",
        ),
        (named(sample(json!({}))), "/from/sample"),
        (
            named(sample(json!({"count": 1, "percent": 1}))),
            "/from/sample",
        ),
        (named(sample(json!({"count": 0}))), "/from/sample/count"),
        (named(sample(json!({"count": -1}))), "/from/sample/count"),
        (named(sample(json!({"percent": 0}))), "/from/sample/percent"),
        (
            named(sample(json!({"percent": 100.5}))),
            "/from/sample/percent",
        ),
        (
            named(sample(json!({"count": 1, "seed": ""}))),
            "/from/sample/seed",
        ),
        (
            named(sample(json!({"count": 1, "seed": 1.5}))),
            "/from/sample/seed",
        ),
        (split(&[]), "/from/split/parts"),
        (split(&[50, 51]), "/from/split/parts"),
        (split(&[0]), "/from/split/parts/0/percent"),
        (json!({"name": "N", "from": split(&[50])["from"]}), "/name"),
        (
            json!({"name": "N", "from": {"union": [of]}, "data": []}),
            "/data",
        ),
        (
            json!({"name": "N", "from": {"union": [of]}, "upload_id": "upl_1"}),
            "/upload_id",
        ),
        (json!({}), "/name"),
    ] {
        let refused = derive(&service, body.clone()).await;
        assert_eq!(refused.refused(422, "validation_failed"), at, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_nothing_twice() {
    let service = Service::start().await;
    let of = list(&service, "Base", &keys(0..10)).await;
    let body = json!({"name": "Copy", "from": {"union": [of]}});
    let once = async || {
        let call = service.call("POST", "/api/v1/audiences");
        let call = call.header("Idempotency-Key", "k").json(&body);
        call.send().await
    };
    let (one, two) = (once().await, once().await);
    assert_eq!(one.ok(202)["id"], two.ok(202)["id"]);
    assert_eq!(two.header("idempotent-replayed"), "true");
    let location = format!("/api/v1/operations/{}", text(&one.body, "id"));
    assert_eq!(one.header("location"), location);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_segments_take_part() {
    let service = Service::start().await;
    let people = json!({"data": [
        {"document": "A1", "tags": ["vip"]}, {"document": "B1", "tags": ["vip"]}, {"document": "C1"},
    ]});
    service.post("/api/v1/customers", people).await.ok(200);
    let draft = json!({"name": "Vips", "status": "draft"});
    let draft = service.post("/api/v1/audiences", draft).await.ok(201);
    let vips = text(&draft, "id");
    let condition = json!({"kind": "tag", "operator": "has", "value": "vip"});
    let body = json!({"groups": [{"conditions": [condition]}]});
    let path = format!("/api/v1/audiences/{vips}");
    let define = service.call("PUT", &format!("{path}/segment")).json(&body);
    define.send().await.ok(200);
    let active = service
        .call("PATCH", &path)
        .json(&json!({"status": "active"}));
    active.send().await.ok(200);
    let refresh = service.call("POST", &format!("{path}/refresh"));
    refresh.header("prefer", "wait=30").send().await.ok(200);
    let list = service.list("Lista", &["B1"]).await;
    let from = json!({"difference": [vips, list]});
    let (id, _) = made(&service, json!({"name": "N", "from": from})).await;
    let page = service
        .get(&format!("/api/v1/audiences/{id}/contacts"))
        .await;
    assert_eq!(documents(&page.ok(200)), ["A1"]);
}

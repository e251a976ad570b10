//! Settings of a workspace, and what depends on them.

use serde_json::{Value, json};
use test_kit::http::{Reply, text};

use crate::service::Service;

const PATH: &str = "/api/v1/workspace";

async fn patch(service: &Service, body: Value) -> Reply {
    service.call("PATCH", PATH).json(&body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_have_defaults_and_versions() {
    let service = Service::start().await;
    let read = service.get(PATH).await;
    let default = json!({
        "timezone": "America/Sao_Paulo", "locale": "pt-BR", "excluded_audience_id": null,
        "environment_id": "default", "members_changed_events": false, "consent": "opt_out", "quiet_hours": [],
        "frequency_cap": null,
    });
    assert_eq!((read.ok(200), read.header("etag")), (default, "\"v0\""));
    let changed = patch(&service, json!({"timezone": "Europe/Lisbon"})).await;
    assert_eq!(changed.ok(200)["timezone"], "Europe/Lisbon");
    assert_eq!(changed.header("etag"), "\"v1\"");
    let same = patch(
        &service,
        json!({"timezone": "Europe/Lisbon", "locale": "pt-BR"}),
    )
    .await;
    assert_eq!(same.header("etag"), "\"v1\"");
    let stale = service.call("PATCH", PATH).header("If-Match", "\"v0\"");
    let stale = stale.json(&json!({"timezone": "Europe/Madrid"}));
    stale.send().await.refused(412, "stale_version");
    let list = service.list("Lista", &["1"]).await;
    let excluded = json!({"excluded_audience_id": list});
    let excluded = patch(&service, excluded).await.ok(200);
    assert_eq!(excluded["excluded_audience_id"], format!("aud_{list}"));
    assert_eq!(excluded["timezone"], "Europe/Lisbon");
    let told = json!({"members_changed_events": true});
    let told = patch(&service, told).await.ok(200);
    assert_eq!(told["members_changed_events"], true);
    let asked = patch(&service, json!({"consent": "opt_in"})).await.ok(200);
    assert_eq!(asked["consent"], "opt_in");
    let unknown = patch(&service, json!({"consent": "maybe"})).await;
    unknown.refused(422, "validation_failed");
    let other = service.call("GET", PATH).workspace("ws_2").send().await;
    assert_eq!(other.ok(200)["timezone"], "America/Sao_Paulo");
    let put = service.call("PUT", PATH).json(&json!({"locale": "pt-BR"}));
    let put = put.send().await;
    assert_eq!(
        (
            &put.ok(200)["timezone"],
            &put.ok(200)["excluded_audience_id"]
        ),
        (&json!("America/Sao_Paulo"), &Value::Null)
    );
    assert_eq!(put.header("etag"), "\"v5\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_named() {
    let service = Service::start().await;
    let foreign = service.call("POST", "/create").workspace("ws_2");
    let foreign = foreign
        .json(&json!({"name": "Outra", "data": []}))
        .send()
        .await;
    let foreign = text(&foreign.ok(201), "id");
    let dropped = service.list("Lista", &["1"]).await;
    let drop = format!("/drop?snowflake_id={dropped}");
    service.call("DELETE", &drop).send().await.ok(200);
    for (body, code, at) in [
        (
            json!({"timezone": "Mars/Olympus"}),
            "invalid_value",
            "/timezone",
        ),
        (json!({"timezone": "-03:00"}), "invalid_value", "/timezone"),
        (json!({"timezone": 3}), "invalid_type", "/timezone"),
        (json!({"locale": "xx"}), "unknown_value", "/locale"),
        (json!({"mood": "good"}), "unknown_member", "/mood"),
        (
            json!({"excluded_audience_id": "x"}),
            "unknown_audience",
            "/excluded_audience_id",
        ),
        (
            json!({"excluded_audience_id": foreign}),
            "unknown_audience",
            "/excluded_audience_id",
        ),
        (
            json!({"excluded_audience_id": dropped}),
            "unknown_audience",
            "/excluded_audience_id",
        ),
        (
            json!({"environment_id": "e"}),
            "other_environment",
            "/environment_id",
        ),
    ] {
        let refused = patch(&service, body.clone()).await.ok(422);
        let error = &refused["errors"][0];
        assert_eq!(
            (&error["code"], &error["pointer"]),
            (&json!(code), &json!(at)),
            "{body}"
        );
        if code == "unsupported_setting" {
            assert_eq!(refused["code"], code);
        }
    }
    assert_eq!(service.get(PATH).await.header("etag"), "\"v0\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_sending_come_back_as_they_were_set() {
    let service = Service::start().await;
    let night =
        json!({"channel": "sms", "from": "21:30", "to": "08:00", "days": ["fri", "holiday"]});
    let rules = json!({"quiet_hours": [night], "frequency_cap": {"count": 3, "days": 7}});
    let set = patch(&service, rules.clone()).await.ok(200);
    let read = service.get(PATH).await.ok(200);
    assert_eq!(read, set);
    for (member, value) in rules.as_object().unwrap() {
        assert_eq!(&read[member], value);
    }
    let none = patch(&service, json!({"frequency_cap": null}))
        .await
        .ok(200);
    assert_eq!(none["frequency_cap"], json!(null));
    assert_eq!(none["quiet_hours"], rules["quiet_hours"]);
    let windows = |from: &str, to: &str| json!({"quiet_hours": [{"from": from, "to": to}]});
    for (body, code, at) in [
        (
            windows("25:00", "08:00"),
            "invalid_value",
            "/quiet_hours/0/from",
        ),
        (windows("21:00", "8"), "invalid_value", "/quiet_hours/0/to"),
        (windows("08:00", "08:00"), "never_open", "/quiet_hours"),
        (
            json!({"quiet_hours": [{"from": "21:00", "to": "08:00", "days": ["someday"]}]}),
            "unknown_value",
            "/quiet_hours/0/days/0",
        ),
        (
            json!({"quiet_hours": [{"channel": "fax", "from": "21:00", "to": "08:00"}]}),
            "unknown_value",
            "/quiet_hours/0/channel",
        ),
        (
            json!({"frequency_cap": {"count": 0, "days": 1}}),
            "out_of_range",
            "/frequency_cap/count",
        ),
    ] {
        let error = patch(&service, body).await.ok(422)["errors"][0].clone();
        assert_eq!(
            (&error["code"], &error["pointer"]),
            (&json!(code), &json!(at))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_leaves_the_excluded_audience_out() {
    let service = Service::start().await;
    let one = service.list("Um", &["1"]).await;
    service.list("Dois", &["1"]).await;
    let names = async |query: &str| {
        let path = format!("/pt-BR/api/audience?{query}");
        let page = service.get(&path).await.ok(200);
        let records = page["records"].as_array().unwrap().clone();
        assert_eq!(page["totalCount"], records.len());
        let names = records.iter().map(|record| text(record, "name"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(names("excludeAudience=true").await, ["Dois", "Um"]);
    patch(&service, json!({"excluded_audience_id": one}))
        .await
        .ok(200);
    for excluding in [
        "excludeAudience=true",
        "excludeAudience=1",
        "excludeAudience=",
    ] {
        let expected: &[&str] = match excluding {
            "excludeAudience=" => &["Dois", "Um"],
            _ => &["Dois"],
        };
        assert_eq!(names(excluding).await, expected, "{excluding}");
    }
    for all in ["", "excludeAudience=false", "excludeAudience=0"] {
        assert_eq!(names(all).await, ["Dois", "Um"], "{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_read_in_the_zone_of_the_workspace() {
    let service = Service::start().await;
    patch(&service, json!({"timezone": "Asia/Tokyo"}))
        .await
        .ok(200);
    // In Tokyo the third of January lasts from 15:00 of the second to 15:00 of the third, UTC.
    let people = json!({"data": [
        {"document": "A1", "visited": "2026-01-02T16:00:00Z"},
        {"document": "B1", "visited": "2026-01-03T16:00:00Z"},
        {"document": "C1", "visited": "03/01/2026 23:00"},
    ]});
    service.post("/api/v1/customers", people).await.ok(200);
    let events = json!({"data": [
        {"id": "1", "document": "A1", "name": "seen", "time": "2026-01-10T00:00:00Z",
         "properties": {"due": "03/01/2026"}},
    ]});
    service.post("/api/v1/events", events).await.ok(200);
    let count = async |condition: Value| {
        let body = json!({"groups": [{"conditions": [condition]}]});
        let preview = service.post("/api/v1/segments/preview", body).await;
        preview.ok(200)["count"].clone()
    };
    let between = json!(["03/01/2026", "03/01/2026"]);
    let visited =
        json!({"kind": "property", "field": "visited", "operator": "between", "value": between});
    assert_eq!(count(visited).await, 2);
    let due = json!({"field": "due", "operator": "before", "value": "2026-01-02T16:00:00Z"});
    let seen = json!({"kind": "event", "name": "seen", "where": [due]});
    assert_eq!(count(seen).await, 1);
    let list = json!({"name": "L", "data": [
        {"document": "1", "visited": "2026-01-02T16:00:00Z"},
        {"document": "2", "visited": "2026-01-03T16:00:00Z"},
    ]});
    let list = service.post("/api/v1/audiences", list).await.ok(201);
    let condition =
        json!({"kind": "property", "field": "visited", "operator": "after", "value": "03/01/2026"});
    let recycle = json!({"rules": {"where": [{"conditions": [condition]}]}, "dry_run": true});
    let path = format!("/api/v1/audiences/{}/recycle", text(&list, "id"));
    assert_eq!(service.post(&path, recycle).await.ok(200)["removed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn zone_and_locale_stay_once_there_are_customers() {
    let service = Service::start().await;
    let people = json!({"data": [{"document": "A1"}]});
    service.post("/api/v1/customers", people).await.ok(200);
    let refused = patch(&service, json!({"timezone": "Asia/Tokyo"})).await;
    refused.refused(409, "workspace_has_customers");
    let same = json!({"timezone": "America/Sao_Paulo", "excluded_audience_id": null});
    patch(&service, same).await.ok(200);
    let other = service.call("PATCH", PATH).workspace("ws_2");
    let other = other.json(&json!({"timezone": "Asia/Tokyo"})).send().await;
    other.ok(200);
}

//! Communications in V1.

use serde_json::{Value, json};
use test_kit::http::text;

use crate::service::Service;

fn body(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({
        "name": "Offer", "send_at": {"local": "2036-01-02T09:00", "timezone": "America/Sao_Paulo"},
        "recipients": {"customer_ids": [1, 2]}, "channels": ["email", "sms"],
        "message": {"text": "Hi", "variants": {"email": {"subject": "S", "html": "<b>Hi</b>"}}},
        "misfire": {"policy": "send_if_late_by", "seconds": 60},
    });
    change(&mut body);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_communication_is_made_read_listed_and_cancelled() {
    let service = Service::start().await;
    let made = service.post("/api/v1/communications", body(|_| {})).await;
    assert_eq!(made.header("etag"), "\"v1\"");
    let path = made.header("location").to_owned();
    let made = made.ok(201);
    assert_eq!(made["send_at"], "2036-01-02T12:00:00.000Z");
    assert_eq!(made["status"], "scheduled");
    let mut read = service.get(&path).await.ok(200);
    assert_eq!(
        read.as_object_mut().unwrap().remove("totals"),
        Some(json!({}))
    );
    assert_eq!(read, made);
    let list = service.get("/api/v1/communications?status=scheduled").await;
    assert_eq!(list.ok(200)["data"], json!([made]));
    let recipients = service.get(&format!("{path}/recipients")).await.ok(200);
    assert_eq!(recipients["data"], json!([]));
    let occurrences = service.get(&format!("{path}/occurrences")).await.ok(200);
    assert_eq!(occurrences["data"], json!([]));
    for _ in 0..2 {
        let cancelled = service.call("DELETE", &path).send().await.ok(200);
        assert_eq!(cancelled["status"], "cancelled");
    }
    let foreign = |method, path: &str| service.call(method, path).workspace("ws_2");
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{path}/recipients")),
        ("GET", format!("{path}/occurrences")),
    ] {
        let status = foreign(method, &path).send().await.status;
        assert_eq!(status, 404, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_changed_paused_and_resumed() {
    let service = Service::start().await;
    let made = service.post("/api/v1/communications", body(|_| {})).await;
    let path = made.header("location").to_owned();
    let change = async |etag: &str, change: Value| {
        let call = service.call("PATCH", &path).header("If-Match", etag);
        call.json(&change).send().await
    };
    let later = json!({"send_at": "2036-02-03T12:00:00Z", "name": "Later"});
    change("\"v9\"", later.clone())
        .await
        .refused(412, "stale_version");
    let changed = change("\"v1\"", later).await;
    assert_eq!(changed.header("etag"), "\"v2\"");
    let changed = changed.ok(200);
    assert_eq!(
        (&changed["name"], &changed["send_at"]),
        (&json!("Later"), &json!("2036-02-03T12:00:00.000Z"))
    );
    assert_eq!(changed["message"], made.ok(201)["message"]);
    let recurs = json!({"recurrence": {"cron": "0 9 * * *", "timezone": "UTC"}});
    let recurs = change("\"v2\"", recurs).await.ok(200);
    assert_eq!(recurs["recurrence"]["cron"], "0 9 * * *");
    let wrong = change("\"v3\"", json!({"message": {"text": "{{x}}"}}))
        .await
        .ok(422);
    assert_eq!(wrong["errors"][0]["pointer"], "/message/text");
    for (action, status) in [
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "scheduled"),
    ] {
        let done = service
            .post(&format!("{path}/{action}"), json!({}))
            .await
            .ok(200);
        assert_eq!(done["status"], status);
    }
    service.call("DELETE", &path).send().await.ok(200);
    for action in ["pause", "resume"] {
        let refused = service.post(&format!("{path}/{action}"), json!({})).await;
        refused.refused(409, "already_dispatched");
    }
    change("*", json!({"name": "x"}))
        .await
        .refused(409, "already_dispatched");
    for (method, path) in [
        ("PATCH", path.clone()),
        ("POST", format!("{path}/pause")),
        ("POST", format!("{path}/resume")),
    ] {
        let call = service.call(method, &path).workspace("ws_2");
        assert_eq!(
            call.json(&json!({})).send().await.status,
            404,
            "{method} {path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_recurs_waits_for_its_next_time() {
    let service = Service::start().await;
    let body = body(|body| {
        body.as_object_mut().unwrap().remove("send_at");
        body["recurrence"] = json!({"cron": "0 9 1 1 *"});
    });
    let made = service.post("/api/v1/communications", body).await.ok(201);
    let next = text(&made, "send_at");
    assert!(next.ends_with("-01-01T12:00:00.000Z"), "{next}");
    assert_eq!(made["recurrence"]["timezone"], "America/Sao_Paulo");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_named_and_nothing_is_stored() {
    let service = Service::start().await;
    for (pointer, code, member, value) in [
        (
            "/send_at",
            "in_the_past",
            "send_at",
            json!("2020-01-01T09:00:00Z"),
        ),
        ("/send_at", "invalid_instant", "send_at", json!(5)),
        (
            "/send_at/timezone",
            "invalid_timezone",
            "send_at",
            json!({"local": "2036-01-02T09:00", "timezone": "Mars/Base"}),
        ),
        ("/recipients", "required", "recipients", json!({})),
        (
            "/recipients",
            "required",
            "recipients",
            json!({"customer_ids": []}),
        ),
        (
            "/recipients/customer_ids",
            "customers_unknown",
            "recipients",
            json!({"customer_ids": [1, 99]}),
        ),
        (
            "/recipients/audience_id",
            "audience_unknown",
            "recipients",
            json!({"audience_id": "aud_8"}),
        ),
        ("/channels", "required", "channels", json!([])),
        ("/channels/0", "unknown_value", "channels", json!(["fax"])),
        ("/channels", "unknown_value", "channels", json!(["voice"])),
        (
            "/message/variants/sms",
            "no_content",
            "message",
            json!({"variants": {"email": {"text": "x"}}}),
        ),
        (
            "/misfire/seconds",
            "required",
            "misfire",
            json!({"policy": "send_if_late_by"}),
        ),
        (
            "/quiet_hours",
            "unknown_value",
            "quiet_hours",
            json!("maybe"),
        ),
        ("/name", "invalid_name", "name", json!(" ")),
    ] {
        refuses(&service, pointer, code, body(|body| body[member] = value)).await;
    }
    let both = body(|body| body["recurrence"] = json!({"cron": "0 9 * * *"}));
    let refused = service.post("/api/v1/communications", both).await;
    assert_eq!(refused.ok(422)["errors"][0]["code"], "required");
    let list = service.get("/api/v1/communications").await.ok(200);
    assert_eq!(list["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_everybody_leaves_at_its_instant_and_is_reported_in_any_order() {
    let service = Service::start().await;
    let soon = soon();
    let push = json!({"send_at": soon, "recipients": {"broadcast": true}, "channels": ["push"],
        "message": {"text": "Hi"}});
    let made = service.post("/api/v1/communications", push).await.ok(201);
    let path = format!("/api/v1/communications/{}", text(&made, "id"));
    let ended = service
        .once(&path, |read| read["status"] == "completed")
        .await;
    assert_eq!(ended["totals"], json!({"push": {"dispatched": 1}}));
    let refused = service.call("DELETE", &path).send().await;
    refused.refused(409, "already_dispatched");
    let recipients = service.get(&format!("{path}/recipients")).await.ok(200);
    let dispatch = text(&recipients["data"][0], "dispatch_id");
    let report = async |status: &str| {
        let data = json!([
            {"dispatch_id": dispatch, "status": status, "provider_id": "p-1"},
            {"dispatch_id": "dsp_1.1.sms.1", "status": status},
        ]);
        let path = "/api/v1/dispatches/reports";
        service.post(path, json!({"data": data})).await.ok(200)
    };
    let taken = json!({"taken": 1, "unknown": ["dsp_1.1.sms.1"]});
    for (status, stands) in [
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("read", "read"),
    ] {
        assert_eq!(report(status).await, taken);
        let totals = &service.get(&path).await.ok(200)["totals"];
        assert_eq!(totals, &json!({"push": {stands: 1}}));
    }
    let bad = json!({"data": [{"dispatch_id": "x", "status": "sent"}]});
    let refused = service.post("/api/v1/dispatches/reports", bad).await;
    refused.refused(422, "validation_failed");
    let occurrences = service.get(&format!("{path}/occurrences")).await.ok(200);
    assert_eq!(occurrences["data"][0]["status"], "completed");
}

/// An instant that is not yet.
#[expect(
    clippy::disallowed_methods,
    reason = "the service has the clock of the machine"
)]
fn soon() -> String {
    let at = chrono::Utc::now() + chrono::TimeDelta::milliseconds(300);
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_stores_nothing() {
    let service = Service::start().await;
    let asked = body(|body| body["rate_per_minute"] = json!(2));
    let preview = service
        .post("/api/v1/communications/preview", asked.clone())
        .await;
    let preview = preview.ok(200);
    let channel = json!({"dispatches": 1, "held": 0, "skipped": {"no_address": 1}});
    let expected = json!({
        "starts_at": "2036-01-02T12:00:00.000Z", "recipients": 2,
        "channels": {"email": channel, "sms": channel}, "held": [], "duplicates": 0,
        "rate_per_minute": 2, "estimated_end": "2036-01-02T12:01:00.000Z", "complete": true,
        "error": null,
    });
    assert_eq!(preview, expected);
    let list = service.get("/api/v1/communications").await.ok(200);
    assert_eq!(list["data"], json!([]));
    let made = service.post("/api/v1/communications", asked).await;
    let path = format!("{}/preview", made.header("location"));
    let stored = service.call("POST", &path).send().await.ok(200);
    assert_eq!(stored, expected);
    let foreign = service.call("POST", &path).workspace("ws_2").send().await;
    assert_eq!(foreign.status, 404);
    let wrong = body(|body| body["recipients"]["customer_ids"] = json!([99]));
    let wrong = service.post("/api/v1/communications/preview", wrong).await;
    wrong.refused(422, "validation_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_each_change_until_it_has_ended() {
    let service = Service::start().await;
    let made = service.post("/api/v1/communications", body(|_| {})).await;
    let path = made.header("location").to_owned();
    let events = format!("{path}/events");
    let stream = service.get(&events);
    let cancel = async {
        let paused = service.call("POST", &format!("{path}/pause")).send().await;
        paused.ok(200);
        service.call("DELETE", &path).send().await.ok(200);
    };
    let (stream, ()) = tokio::join!(stream, cancel);
    let told = stream.text;
    let last = told.trim_end().lines().next_back().unwrap();
    let last: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(last["status"], "cancelled");
    let foreign = service
        .call("GET", &format!("{path}/events"))
        .workspace("ws_2");
    assert_eq!(foreign.send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_cannot_be_kept_are_refused() {
    let service = Service::start().await;
    for (pointer, code, member, value) in [
        (
            "/on_completion",
            "not_allowed",
            "on_completion",
            json!({"recycle": {"rules": {"outcomes": ["converted"]}}}),
        ),
        (
            "/on_completion/recycle/rules",
            "no_rules",
            "on_completion",
            json!({"recycle": {}}),
        ),
        (
            "/on_completion/recycle/rules/outcomes/0",
            "unknown_value",
            "on_completion",
            json!({"recycle": {"rules": {"outcomes": ["gone"]}}}),
        ),
        (
            "/on_completion/recycle/dry_run",
            "not_allowed",
            "on_completion",
            json!({"recycle": {"rules": {"opted_out": true}, "dry_run": true}}),
        ),
        (
            "/rate_per_minute",
            "out_of_range",
            "rate_per_minute",
            json!(0),
        ),
        (
            "/freshness_minutes",
            "not_allowed",
            "freshness_minutes",
            json!(5),
        ),
    ] {
        refuses(&service, pointer, code, body(|body| body[member] = value)).await;
    }
}

async fn refuses(service: &Service, pointer: &str, code: &str, body: Value) {
    let refused = service.post("/api/v1/communications", body).await;
    let problem = refused.ok(422);
    let errors = problem.pointer("/errors").and_then(Value::as_array);
    let is = |e: &Value| {
        let member = |name: &str| e.get(name).and_then(Value::as_str);
        member("pointer") == Some(pointer) && member("code") == Some(code)
    };
    assert!(
        errors.is_some_and(|all| all.iter().any(is)),
        "{pointer} {code}: {problem}"
    );
}

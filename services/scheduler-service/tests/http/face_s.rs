//! Face S, as seed 002 has it: schedule, consult, cancel.

use serde_json::{Value, json};
use test_kit::http::text;

use crate::service::Service;

fn body(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({
        "data": "2036-01-02 09:00", "mensagem": "Oi {{name}}", "via": "sms", "para": [1, "2", 1],
    });
    change(&mut body);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_scheduled_consulted_and_cancelled() {
    let service = Service::start().await;
    let made = service.post("/agendamento", body(|_| {})).await.ok(201);
    let id = text(&made, "id");
    assert!(id.bytes().all(|b| b.is_ascii_digit()));
    let expected = json!({
        "id": id, "data": "2036-01-02T12:00:00.000Z", "mensagem": "Oi {{name}}", "via": "sms",
        "para": [1, 2], "status": "AGENDADA",
    });
    assert_eq!(made, expected);
    let path = format!("/agendamento/{id}");
    let read = service.get(&path).await.ok(200);
    let none = json!({"total": 0, "enviados": 0, "falhas": 0, "ignorados": 0});
    assert_eq!(read["destinatarios"], none);
    assert_eq!(read["status"], "AGENDADA");
    for _ in 0..2 {
        let cancelled = service.call("DELETE", &path).send().await;
        assert_eq!(cancelled.status, 204);
        assert_eq!(service.get(&path).await.ok(200)["status"], "CANCELADA");
    }
    for method in ["PUT", "PATCH"] {
        let refused = service.call(method, &path).json(&body(|_| {})).send().await;
        assert_eq!(refused.status, 405);
    }
    for unknown in ["/agendamento/123", "/agendamento/x"] {
        assert_eq!(service.get(unknown).await.status, 404);
        assert_eq!(service.call("DELETE", unknown).send().await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_an_audience_and_everybody_are_named_as_they_were_sent() {
    let service = Service::start().await;
    for (via, para, kept) in [
        ("email", json!(3), json!(3)),
        ("whatsapp", json!("4"), json!(4)),
        (
            "sms",
            json!({"audience_id": "aud_7"}),
            json!({"audience_id": "aud_7"}),
        ),
        ("push", Value::Null, Value::Null),
    ] {
        let body = body(|body| {
            body["via"] = json!(via);
            body["para"] = para;
        });
        let made = service.post("/agendamento", body).await.ok(201);
        assert_eq!((&made["via"], &made["para"]), (&json!(via), &kept));
    }
    let without = json!({"data": "2036-01-02T09:00:00-03:00", "mensagem": "Oi", "via": "push"});
    service.post("/agendamento", without).await.ok(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_named_and_nothing_is_stored() {
    let service = Service::start().await;
    let many: Vec<i64> = (21..40).collect();
    for (pointer, code, member, value) in [
        ("/data", "in_the_past", "data", json!("2020-01-01 09:00")),
        ("/data", "too_far", "data", json!("9999-01-01 09:00")),
        (
            "/data",
            "invalid_instant",
            "data",
            json!("2036-02-30 09:00"),
        ),
        ("/data", "invalid_instant", "data", json!("amanhã")),
        ("/mensagem", "no_content", "mensagem", json!("  ")),
        (
            "/mensagem",
            "unknown_placeholder",
            "mensagem",
            json!("{{nome}}"),
        ),
        (
            "/mensagem",
            "too_long",
            "mensagem",
            json!("x".repeat(1_000_000)),
        ),
        ("/via", "unknown_value", "via", json!("fax")),
        ("/para", "required", "para", Value::Null),
        ("/para", "required", "para", json!([])),
        ("/para", "invalid_id", "para", json!([1, "x"])),
        ("/para", "invalid_id", "para", json!(1.5)),
        ("/para", "invalid_id", "para", json!({"audience_id": 7})),
        ("/para", "customers_unknown", "para", json!(many)),
        (
            "/para",
            "audience_unknown",
            "para",
            json!({"audience_id": "aud_8"}),
        ),
        ("/para", "push_is_broadcast", "via", json!("push")),
    ] {
        let body = body(|body| body[member] = value);
        let refused = service.post("/agendamento", body).await;
        let problem = refused.ok(400);
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!(code))
        );
    }
    let unknown = service
        .post("/agendamento", body(|b| b["para"] = json!(many)))
        .await;
    let detail = unknown.ok(400)["detail"].as_str().unwrap().to_owned();
    assert_eq!(
        detail,
        "there is no customer 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 and 9 more"
    );
    assert_eq!(service.get("/agendamento").await.ok(200), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_page_by_page_and_workspaces_are_apart() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let made = service.post("/agendamento", body(|_| {})).await.ok(201);
        ids.insert(0, text(&made, "id"));
    }
    let (mut path, mut walked) = ("/agendamento?limit=2".to_owned(), Vec::new());
    loop {
        let page = service.get(&path).await;
        let link = page.header("link").to_owned();
        let page = page.ok(200);
        walked.extend(page.as_array().unwrap().iter().map(|one| text(one, "id")));
        let Some((next, rest)) = link.strip_prefix('<').and_then(|link| link.split_once('>'))
        else {
            break;
        };
        assert_eq!(rest, "; rel=\"next\"");
        path = next.to_owned();
    }
    assert_eq!(walked, ids);
    let foreign = |method, path: &str| service.call(method, path).workspace("ws_2");
    let path = format!("/agendamento/{}", ids[0]);
    assert_eq!(foreign("GET", &path).send().await.status, 404);
    assert_eq!(foreign("DELETE", &path).send().await.status, 404);
    let list = foreign("GET", "/agendamento").send().await.ok(200);
    assert_eq!(list, json!([]));
    assert_eq!(service.get(&path).await.ok(200)["status"], "AGENDADA");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_schedules_once() {
    let service = Service::start().await;
    let send = || {
        let call = service.call("POST", "/agendamento");
        call.header("Idempotency-Key", "k")
            .json(&body(|_| {}))
            .send()
    };
    let first = send().await.ok(201);
    assert_eq!(send().await.ok(201), first);
    let all = service.get("/agendamento").await.ok(200);
    assert_eq!(all.as_array().unwrap().len(), 1);
}

//! One person, one value: the same through every way in.

use serde_json::{Value, json};

use crate::service::Service;

const CPF: &str = "12345678909";
/// Ways to write it, as they come out of spreadsheets, web pages and messengers.
const WRITTEN: [&str; 5] = [
    "123.456.789-09",
    "\u{200b}12345678909",
    "\u{202a}123.456.789\u{2010}09\u{202c}",
    "１２３.456.789-09",
    "123\u{a0}456\u{a0}789\u{a0}09",
];
const SHORTENED: &str = "1,23457E+10";

fn outcome(document: &str) -> Value {
    json!({"data": [{
        "document": document, "channel": "voice", "outcome": "busy",
        "occurred_at": "2026-03-01T12:00:00Z",
    }]})
}

async fn dry_run(service: &Service, audience: &str, rules: Value) -> Value {
    let body = json!({"rules": rules, "dry_run": true});
    let path = format!("/api/v1/audiences/aud_{audience}/recycle");
    service.post(&path, body).await.ok(200)
}

async fn dry_run_where(service: &Service, audience: &str, condition: [Value; 3]) -> (Value, Value) {
    let [field, operator, value] = condition;
    let condition =
        json!({"kind": "property", "field": field, "operator": operator, "value": value});
    let rules = json!({"where": [{"conditions": [condition]}], "opted_out": false});
    let plan = dry_run(service, audience, rules).await;
    (plan["removed"].clone(), plan["unreadable_values"].clone())
}

async fn list_of(service: &Service, people: Value) -> String {
    let id = service.list("Base", &[]).await;
    let path = format!("/api/v1/audiences/aud_{id}/contacts");
    let written = service.post(&path, json!({ "data": people })).await.ok(200);
    assert_eq!(written["rejected"], 0);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_one_document_through_every_door() {
    let service = Service::start().await;
    let id = service.list("Base", &[CPF, "other"]).await;
    let path = format!("/api/v1/audiences/aud_{id}/contacts");
    let person = json!({"data": [{ "document": CPF }]});
    service.post("/api/v1/customers", person).await.ok(200);
    for document in WRITTEN {
        let item = json!({"data": [{ "document": document }]});
        let written = service.post(&path, item.clone()).await.ok(200);
        assert_eq!(written["inserted"], 0, "{document:?}");
        let wanted = json!({ "document": document });
        let found = service
            .post(&format!("{path}/lookup"), wanted.clone())
            .await;
        assert_eq!(found.ok(200)["contact"]["document"], CPF);
        let written = service.post("/api/v1/customers", item).await.ok(200);
        assert_eq!(written["created"], 0, "{document:?}");
        let found = service.post("/api/v1/customers/lookup", wanted).await;
        assert_eq!(found.ok(200)["data"][0]["document"], CPF);
        let reported = service.post("/api/v1/outcomes", outcome(document)).await;
        assert_eq!(reported.ok(200)["rejected"], 0);
        let plan = dry_run(&service, &id, json!({ "documents": [document] })).await;
        assert_eq!(plan["removed"], 1, "{document:?}");
    }
    // All outcomes were of one person, at one time.
    let plan = dry_run(&service, &id, json!({"attempts": {"at_least": 1}})).await;
    assert_eq!(plan["removed"], 1);
    let plan = dry_run(&service, &id, json!({"attempts": {"at_least": 2}})).await;
    assert_eq!(plan["removed"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortened_number_is_nobody_through_every_door() {
    let service = Service::start().await;
    let id = service.list("Base", &[CPF]).await;
    let path = format!("/api/v1/audiences/aud_{id}");
    let item = json!({"data": [{ "document": SHORTENED }]});
    let written = service
        .post(&format!("{path}/contacts"), item.clone())
        .await
        .ok(200);
    assert_eq!(
        written["results"][0]["errors"][0]["code"],
        "shortened_number"
    );
    let written = service.post("/api/v1/customers", item).await.ok(200);
    assert_eq!(written["results"][0]["error"]["code"], "shortened_number");
    let reported = service
        .post("/api/v1/outcomes", outcome(SHORTENED))
        .await
        .ok(200);
    assert_eq!(reported["errors"][0]["code"], "shortened_number");
    for (path, body) in [
        (
            format!("{path}/contacts/lookup"),
            json!({ "document": SHORTENED }),
        ),
        (
            "/api/v1/customers/lookup".to_owned(),
            json!({ "document": SHORTENED }),
        ),
        (
            format!("{path}/recycle"),
            json!({"rules": {"documents": [SHORTENED]}}),
        ),
        (
            format!("{path}/recycle"),
            json!({"rules": {"documents": ["1"]}, "keep": {"documents": [SHORTENED]}}),
        ),
    ] {
        let answer = service.post(&path, body).await;
        answer.refused(422, "validation_failed");
        assert_eq!(
            answer.ok(422)["errors"][0]["code"],
            "shortened_number",
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_those_of_valid_phones_and_emails() {
    let service = Service::start().await;
    let phones = [
        "nao informado",
        "nao informado",
        "0",
        "0",
        "(11) 98765-4321",
        "11987654321",
    ];
    let emails = [
        "x",
        "x",
        "joão@café.com.br",
        "joa\u{303}o@xn--caf-dma.com.br",
        "-",
        "-",
    ];
    let people = phones.iter().zip(emails).enumerate();
    let people = people.map(
        |(n, (phone, email))| json!({"document": format!("D{n}"), "phone": phone, "email": email}),
    );
    let id = list_of(&service, people.collect()).await;
    for (by, removed) in [
        (json!(["phone"]), 1),
        (json!(["email"]), 1),
        (json!(["phone", "email"]), 2),
    ] {
        let rules = json!({"duplicates": {"by": by}, "opted_out": false});
        let plan = dry_run(&service, &id, rules).await;
        assert_eq!(plan["removed"], removed, "{by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_look_the_same_are_equal() {
    let service = Service::start().await;
    let id = list_of(
        &service,
        json!([
            {"document": "A", "plano": "Básico"},
            {"document": "B", "plano": "Ba\u{301}sico"},
            {"document": "C", "plano": "Básico\u{a0}"},
            {"document": "D", "plano": "basico"},
        ]),
    )
    .await;
    for value in ["Básico", "Ba\u{301}sico", " Básico"] {
        let found = dry_run_where(
            &service,
            &id,
            [json!("plano"), json!("equals"), json!(value)],
        );
        assert_eq!(found.await, (json!(3), json!(0)), "{value:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_conditions_cannot_read_is_counted() {
    let service = Service::start().await;
    let id = list_of(
        &service,
        json!([
            {"document": "A", "ultimo": "31/01/2026", "valor": "10,50"},
            {"document": "B", "ultimo": "2026-01-31T12:00:00", "valor": "1.234,56"},
            {"document": "C", "ultimo": "ontem", "valor": "1.234"},
            {"document": "D", "ultimo": " ", "valor": "dez"},
            {"document": "E", "valor": 7},
        ]),
    )
    .await;
    for (field, operator, value, found) in [
        ("ultimo", "after", json!("2026-01-01"), (2, 1)),
        ("ultimo", "after", json!("31/01/2026 11:59"), (1, 1)),
        ("ultimo", "before", json!("01/02/2026"), (2, 1)),
        ("ultimo", "equals", json!("ontem"), (1, 0)),
        ("valor", "greater", json!(10), (3, 1)),
        ("valor", "less_or_equal", json!("10,50"), (2, 1)),
        ("valor", "equals", json!(1234), (1, 0)),
    ] {
        let seen = dry_run_where(&service, &id, [json!(field), json!(operator), value]).await;
        assert_eq!(seen, (json!(found.0), json!(found.1)), "{field} {operator}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_numbers_stay_as_they_were_sent() {
    const LONG: &str = "123456789012345678901234567890";
    let service = Service::start().await;
    let id = service.list("Base", &[CPF]).await;
    let path = format!("/api/v1/audiences/aud_{id}/contacts");
    let body = format!(
        r#"{{"data": [{{"document": "{CPF}", "n": {LONG}, "d": 0.1000000000000000055, "e": 7.50, "x": 1e400}}]}}"#
    );
    let written = service.call("POST", &path).text(&body).send().await.ok(200);
    assert_eq!(written["updated"], 1);
    let page = service.get(&path).await.ok(200);
    let kept = json!({"n": LONG, "d": "0.1000000000000000055", "e": 7.5, "x": "1e400"});
    assert_eq!(page["data"][0]["attributes"], kept);
    let near = "123456789012345678901234567889";
    for (operator, value, removed) in [
        ("greater", near, 1),
        ("greater", LONG, 0),
        ("less_or_equal", LONG, 1),
    ] {
        let rules = format!(
            r#"{{"where": [{{"conditions": [{{"kind": "property", "field": "n", "operator": "{operator}", "value": {value}}}]}}], "opted_out": false}}"#
        );
        let body = format!(r#"{{"rules": {rules}, "dry_run": true}}"#);
        let path = format!("/api/v1/audiences/aud_{id}/recycle");
        let plan = service.call("POST", &path).text(&body).send().await.ok(200);
        assert_eq!(plan["removed"], removed, "{operator} {value}");
    }
    let item = format!(r#"{{"data": [{{"document": {LONG}}}]}}"#);
    let written = service.call("POST", &path).text(&item).send().await.ok(200);
    assert_eq!(
        written["results"][0]["errors"][0]["code"],
        "document_not_a_string"
    );
}

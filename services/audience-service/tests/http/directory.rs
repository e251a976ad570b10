//! What other services of the installation ask.

use kernel::directory::{DIRECTORY_PATH, SERVICE_HEADER, SERVICE_PURPOSE};
use serde_json::{Value, json};
use service_kit::{shared_token, stored_secret};

use crate::service::Service;

fn token(service: &Service) -> String {
    shared_token(&stored_secret(&service.path("")).unwrap(), SERVICE_PURPOSE)
}

async fn ask(service: &Service, token: &str, ask: Value) -> (u16, Value) {
    let question = json!({"workspace": "ws_1", "ask": ask});
    let client = service.stranger();
    let call = client.call("POST", DIRECTORY_PATH);
    let reply = call
        .header(SERVICE_HEADER, token)
        .json(&question)
        .send()
        .await;
    (reply.status, reply.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_told_who_and_what_there_is() {
    let service = Service::start().await;
    let token = token(&service);
    let ana = json!({"document": "52998224725", "name": "Ana", "phone": "11987654321"});
    let made = service
        .post("/api/v1/customers", json!({"data": [ana]}))
        .await;
    made.ok(200);
    let list = service.list("Lista", &["1"]).await;
    let told = async |question: Value| {
        let (status, body) = ask(&service, &token, question).await;
        assert_eq!(status, 200, "{body}");
        body
    };
    assert_eq!(
        told(json!({"unknown_customers": [9, 1, 8]})).await,
        json!([9, 8])
    );
    assert_eq!(
        told(json!({"has_audience": list.parse::<i64>().unwrap()})).await,
        json!(true)
    );
    assert_eq!(told(json!({"has_audience": 1})).await, json!(false));
    assert_eq!(told(json!("time_zone")).await, json!("America/Sao_Paulo"));
    let part = json!({"recipients": {
        "communicationId": "com_1", "channels": ["sms"], "placeholders": ["name"],
        "customers": ["1", "2"],
    }});
    let part = told(part).await;
    let found = &part["found"]["recipients"];
    assert_eq!(found[0]["routes"][0]["address"], "+5511987654321");
    assert_eq!(found[0]["values"], json!({"name": "Ana"}));
    assert_eq!(found[1]["routes"][0]["skipped"], "unknown_customer");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_told() {
    let service = Service::start().await;
    let right = token(&service);
    for token in ["", "wrong", service.key(), right.get(1..).unwrap()] {
        let (status, body) = ask(&service, token, json!("time_zone")).await;
        assert_eq!((status, &body["code"]), (401, &json!("unauthorized")));
    }
    for (question, expected) in [
        (json!("weather"), 422),
        (json!({"has_audience": "x"}), 422),
        (json!(null), 400),
    ] {
        let (status, body) = ask(&service, &right, question).await;
        assert_eq!(status, expected, "{body}");
    }
}

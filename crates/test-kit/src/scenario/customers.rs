use serde_json::{Value, json};

use super::client::Service;
use crate::http::text;

const ALL: &str = "/api/v1/customers";

/// Registered, changed, asked for consent, found again, and what one of them did.
pub fn registered_and_followed(service: &Service) {
    let before = service.get("/api/v1/customers/count")["total"]
        .as_i64()
        .unwrap();
    let person = |n: i64| {
        json!({ "external_id": format!("scenario-{n}"), "name": format!("Pessoa {n}"),
                "phone": format!("119{n:08}"), "tags": ["scenario"], "plan": n % 2 })
    };
    let mut data: Vec<Value> = (0..25).map(person).collect();
    data.push(json!({ "name": "nobody" }));
    let body = json!({ "data": data });
    let written = service.once(ALL, "customers-1", &body).ok(200);
    assert_eq!(
        [&written["created"], &written["rejected"]],
        [25, 1],
        "{written}"
    );
    let again = service.once(ALL, "customers-1", &body).ok(200);
    assert_eq!(again, written);
    let total = service.get("/api/v1/customers/count")["total"].as_i64();
    assert_eq!(total, Some(before + 25));

    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service.get(&format!("{ALL}?tag=SCENARIO&limit=10{cursor}"));
        let data = page["data"].as_array().unwrap();
        ids.extend(data.iter().map(|customer| customer["id"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ids.len(), 25);
    assert!(ids.is_sorted());

    let one = format!("{ALL}/{}", ids[3]);
    let said = json!({ "status": "denied", "source": "call" });
    let path = format!("{one}/consents/sms");
    service.json("PUT", &path, &said).ok(200);
    let denied = service.get(&format!("{ALL}?tag=scenario&consent=sms:denied"));
    assert_eq!(denied["data"].as_array().map(Vec::len), Some(1));
    let changed = json!({ "name": "Outra", "plan": null });
    let changed = service.json("PATCH", &one, &changed).ok(200);
    assert_eq!(changed["attributes"], json!({}));
    assert_eq!(text(&changed["consents"]["sms"], "status"), "denied");

    let at = text(&changed, "updated_at");
    let event = json!({ "id": "scenario-order", "customer_id": ids[3], "name": "order.paid",
                        "time": at, "amount": "129.90", "properties": { "items": 2 } });
    let events = json!({ "data": [event, event, { "customer_id": 0 }] });
    let recorded = service.json("POST", "/api/v1/events", &events).ok(200);
    assert_eq!(
        [
            &recorded["recorded"],
            &recorded["repeated"],
            &recorded["rejected"]
        ],
        [1, 1, 1],
        "{recorded}"
    );
    let did = service.get(&format!("{one}/events"));
    assert_eq!(did["data"][0]["amount"], "129.9");
    let found = json!({ "external_id": "scenario-3" });
    let found = service
        .json("POST", &format!("{ALL}/lookup"), &found)
        .ok(200);
    assert_eq!(found["data"][0]["id"], ids[3]);
}

use api_types::{
    List,
    customers::{
        CountJson, CustomerJson, FoundJson, IntegerOrText, LookUpCustomer, NewConsent, Upsert,
        UpsertedJson,
    },
    events::{EventItem, EventJson, EventsRecordedJson, NewEvents},
};
use serde_json::{Map, Value, json};

use super::client::Service;

const ALL: &str = "/api/v1/customers";

fn total(service: &Service) -> i64 {
    let count: CountJson = service.get(&format!("{ALL}/count"));
    count.total
}

/// Registered, changed, asked for consent, found again, and what one of them did.
pub fn registered_and_followed(service: &Service) {
    let before = total(service);
    let person = |n: i64| {
        json!({ "external_id": format!("scenario-{n}"), "name": format!("Pessoa {n}"),
                "phone": format!("119{n:08}"), "tags": ["scenario"], "plan": n % 2 })
    };
    let mut data: Vec<Value> = (0..25).map(person).collect();
    data.push(json!({ "name": "nobody" }));
    let strict = false;
    let body = Upsert { data, strict };
    let written: UpsertedJson = service.once(ALL, "customers-1", &body).read(200);
    assert_eq!([written.created, written.rejected], [25, 1], "{written:?}");
    let again: UpsertedJson = service.once(ALL, "customers-1", &body).read(200);
    assert_eq!(again, written);
    assert_eq!(total(service), before + 25);

    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: List<CustomerJson> = service.get(&format!("{ALL}?tag=SCENARIO&limit=10{cursor}"));
        ids.extend(page.data.iter().map(|customer| customer.id));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ids.len(), 25);
    assert!(ids.is_sorted());
    one_of_them(service, ids[3]);
}

fn one_of_them(service: &Service, id: i64) {
    let one = format!("{ALL}/{id}");
    let said = NewConsent {
        status: "denied".to_owned(),
        source: Some("call".to_owned()),
        at: None,
    };
    let path = format!("{one}/consents/sms");
    service.json("PUT", &path, &said).ok(200);
    let denied: List<CustomerJson> = service.get(&format!("{ALL}?tag=scenario&consent=sms:denied"));
    assert_eq!(denied.data.len(), 1);
    let changed = json!({ "name": "Outra", "plan": null });
    let changed: CustomerJson = service.json("PATCH", &one, &changed).read(200);
    assert_eq!(changed.attributes, Map::new());
    assert_eq!(changed.consents["sms"].status, "denied");

    let event = EventItem {
        id: Some("scenario-order".into()),
        customer_id: Some(id),
        name: "order.paid".to_owned(),
        time: changed.updated_at,
        amount: Some("129.90".into()),
        properties: json!({ "items": 2 }).as_object().cloned(),
        ..EventItem::default()
    };
    let events = NewEvents {
        data: vec![json!(event), json!(event), json!({ "customer_id": 0 })],
    };
    let recorded: EventsRecordedJson = service.json("POST", "/api/v1/events", &events).read(200);
    assert_eq!(
        [recorded.recorded, recorded.repeated, recorded.rejected],
        [1, 1, 1],
        "{recorded:?}"
    );
    let did: List<EventJson> = service.get(&format!("{one}/events"));
    assert_eq!(did.data[0].amount.as_deref(), Some("129.9"));
    let by = LookUpCustomer {
        external_id: Some(json!(IntegerOrText::Text("scenario-3".to_owned()))),
        ..LookUpCustomer::default()
    };
    let found = service.json("POST", &format!("{ALL}/lookup"), &by);
    let found: FoundJson = found.read(200);
    assert_eq!(found.data[0].id, id);
}

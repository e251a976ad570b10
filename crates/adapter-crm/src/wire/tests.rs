use domain::{
    importing::rows::{Contact, Message, RowKind, Ticket},
    shared::Instant,
};
use serde_json::json;

use super::*;

fn one<T: Wire>(row: Value) -> Result<T, Fault> {
    let mut read = read::<T>(vec![row]);
    match read.take_rows().pop() {
        Some(row) => Ok(row.value),
        None => Err(read.quarantined()[0].fault.clone()),
    }
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

#[test]
fn a_ticket_keeps_all_that_was_sent() {
    let row = json!({
        "uuid": "7f3e", "createdAt": "2026-03-01T10:00:00.123456-03:00",
        "updatedAt": "2026-03-01T14:00:00Z", "status": "open", "companyId": 3,
        "contact": {"id": 9, "name": "Ana", "number": 5_511_987_654_321_u64, "profilePicUrl": null},
        "ticketTrakings": [
            {"id": "1", "createdAt": "2026-03-01T13:00:00Z", "user": {"id": 4, "name": "Rui"}},
            {"createdAt": "2026-03-01T13:00:00Z"},
        ],
    });
    let read = read::<Ticket>(vec![row]);
    let ticket = &read.rows()[0].value;
    assert_eq!(ticket.id.as_str(), "7f3e");
    assert_eq!(ticket.created_at, Some(instant("2026-03-01T13:00:00.123Z")));
    assert_eq!(ticket.updated_at, instant("2026-03-01T14:00:00Z"));
    let party = ticket.contact.as_ref().unwrap();
    assert_eq!(party.number.as_ref().unwrap().as_str(), "5511987654321");
    assert_eq!(ticket.sessions.len(), 1, "the other has no id");
    assert_eq!(ticket.sessions[0].agent.as_ref().unwrap().id.as_str(), "4");
    assert_eq!(ticket.extra.get("companyId"), Some(&json!(3)));
    let [part] = read.quarantined() else {
        panic!("one part")
    };
    assert_eq!(
        (part.kind, part.fault.to_string()),
        (RowKind::Session, "id: missing".to_owned())
    );
}

#[test]
fn instants_come_in_many_forms_and_others_are_quarantined() {
    let at =
        |value: Value| one::<Ticket>(json!({"uuid": 1, "updatedAt": value})).map(|t| t.updated_at);
    let expected = Ok(instant("2026-03-01T12:00:00Z"));
    for same in [
        json!("2026-03-01T12:00:00Z"),
        json!("2026-03-01T09:00:00-03:00"),
        json!("2026-03-01 12:00:00"),
        json!("2026-03-01T12:00:00.000"),
        json!(1_772_366_400),
        json!(1_772_366_400_000_i64),
    ] {
        assert_eq!(at(same.clone()), expected, "{same}");
    }
    for bad in [
        json!("01/03/2026"),
        json!(true),
        json!(1.5),
        json!(i64::MAX),
        json!(""),
    ] {
        let fault = Fault::new("updatedAt", "not_an_instant");
        assert_eq!(at(bad.clone()), Err(fault), "{bad}");
    }
}

#[test]
fn a_row_without_meaning_is_quarantined_with_its_reason() {
    for (row, fault) in [
        (json!("x"), ": not_an_object"),
        (
            json!({"updatedAt": "2026-03-01T12:00:00Z"}),
            "uuid: missing",
        ),
        (json!({"uuid": "a"}), "updatedAt: missing"),
        (json!({"uuid": [], "updatedAt": 1}), "uuid: id_wrong_type"),
        (
            json!({"uuid": "a", "updatedAt": 1, "contact": {"name": "Ana"}}),
            "contact.id: missing",
        ),
        (
            json!({"uuid": "a", "updatedAt": 1, "isGroup": "maybe"}),
            "isGroup: not_a_boolean",
        ),
        (
            json!({"uuid": "a", "updatedAt": 1, "ticketTrakings": {}}),
            "ticketTrakings: not_a_list",
        ),
    ] {
        let read = read::<Ticket>(vec![row.clone()]);
        assert!(read.rows().is_empty() && read.keys().len() == 1, "{row}");
        assert_eq!(read.quarantined()[0].fault.to_string(), fault, "{row}");
        assert!(!format!("{read:?}").contains("Ana"));
    }
}

#[test]
fn of_one_id_in_a_page_the_newest_counts() {
    let row = |id: Value, minute: u32, body: &str| json!({"id": id, "body": body, "createdAt": format!("2026-03-01T12:{minute:02}:00Z")});
    let read = read::<Message>(vec![
        row(json!(1), 5, "new"),
        row(json!("1"), 4, "old"),
        row(json!(2), 1, "first"),
        row(json!(2), 1, "last"),
    ]);
    let bodies: Vec<_> = read
        .rows()
        .iter()
        .map(|row| row.value.body.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(bodies, ["new", "last"]);
    assert_eq!((read.counts(2, 0, 0).received, read.keys().len()), (4, 4));
    assert_eq!(read.keys()[0], read.keys()[1]);
}

#[test]
fn a_contact_has_its_tags_and_no_nul() {
    let contact: Contact = one(json!({
        "id": "8", "name": "A\u{0}na", "number": null, "isGroup": 0,
        "tags": [{"id": 1, "name": "VIP", "color": "#fff"}, {"id": 1, "name": "VIP"}, {"name": "?"}],
    }))
    .unwrap();
    assert_eq!(contact.name.unwrap().as_str(), "A\u{fffd}na");
    assert_eq!(contact.number, None);
    assert_eq!(contact.tags.len(), 1);
    assert!(!contact.is_group);
}

#[test]
fn quarantined_rows_keep_one_key() {
    let key = |row: Value| read::<Contact>(vec![row]).quarantined()[0].key();
    assert_eq!(key(json!({"id": 5, "tags": 1})), "5");
    assert_eq!(key(json!({"a": 1, "b": 2})), key(json!({"b": 2, "a": 1})));
    assert_ne!(key(json!({"a": 1})), key(json!({"a": 2})));
}

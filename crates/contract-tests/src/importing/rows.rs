//! Imported rows.

use domain::{
    importing::{
        ExternalId, Fault, Fingerprint, MessagesRead, Personal,
        rows::{Agent, Contact, Message, Party, Quarantined, Row, RowKind, Session, Tag, Ticket},
    },
    shared::ClientId,
};
use ports::importing::{ImportUnit, RowRepository, Stored, TicketMessages};
use serde_json::{Map, Value, json};

use super::{CLIENT, ImportHarness, begin};
use crate::store::at;

fn id(text: &str) -> ExternalId {
    ExternalId::from_stored(text.to_owned())
}

fn row<T>(value: T, sent: Value) -> Row<T> {
    Row {
        value,
        fingerprint: Fingerprint::of(&sent),
    }
}

fn text(number: u64) -> ExternalId {
    id(&number.to_string())
}

fn personal(text: &str) -> Option<Personal> {
    Some(Personal::new(text.to_owned()))
}

fn extra(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

fn ticket(uuid: &str, status: &str, sessions: &[u64]) -> Row<Ticket> {
    let session = |number: &u64| Session {
        id: text(*number),
        created_at: Some(at(1)),
        started_at: None,
        finished_at: None,
        agent: Some(Agent {
            id: text(1),
            name: personal("Ana"),
            email: None,
        }),
        extra: Map::new(),
    };
    let value = Ticket {
        id: id(uuid),
        created_at: None,
        updated_at: at(5),
        status: Some(status.to_owned()),
        is_group: false,
        contact: Some(Party {
            id: text(3),
            name: personal("Rui"),
            number: personal("5511987654321"),
            email: None,
        }),
        sessions: sessions.iter().map(session).collect(),
        extra: extra("companyId", json!(1)),
    };
    row(value, json!([uuid, status, sessions]))
}

fn contact(number: u64, name: &str, tags: &[u64]) -> Row<Contact> {
    let tag = |number: &u64| Tag {
        id: text(*number),
        name: Some("Tag".to_owned()),
        color: None,
        extra: Map::new(),
    };
    let value = Contact {
        id: text(number),
        name: personal(name),
        number: None,
        email: None,
        is_group: false,
        created_at: None,
        updated_at: None,
        tags: tags.iter().map(tag).collect(),
        extra: Map::new(),
    };
    row(value, json!([number, name, tags]))
}

fn message(number: u64, body: &str) -> Row<Message> {
    let sent = at(number as i64);
    let value = Message {
        id: text(number),
        body: personal(body),
        from_me: Some(true),
        media_url: None,
        media_type: None,
        created_at: sent,
        updated_at: sent,
        extra: Map::new(),
    };
    row(value, json!([number, body]))
}

fn stored(created: &[&str], updated: &[&str]) -> Stored {
    let ids = |texts: &[&str]| texts.iter().map(|text| id(text)).collect();
    Stored {
        created: ids(created),
        updated: ids(updated),
    }
}

async fn put(rows: &mut dyn RowRepository, tickets: &[Row<Ticket>]) -> Stored {
    let mut stored = rows.put_tickets(CLIENT, tickets).await.unwrap();
    stored.created.sort();
    stored.updated.sort();
    stored
}

async fn count(unit: &mut Box<dyn ImportUnit>, kind: RowKind) -> (u64, u64) {
    unit.rows().count(CLIENT, kind).await.unwrap()
}

pub async fn rows_are_created_updated_or_unchanged(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    let mut rows = unit.rows();
    let [a, b] = [ticket("a", "open", &[1]), ticket("b", "open", &[])];
    assert_eq!(
        put(&mut *rows, &[a.clone(), b.clone()]).await,
        stored(&["a", "b"], &[])
    );
    let closed = ticket("b", "closed", &[]);
    let c = ticket("c", "open", &[]);
    let again = [a.clone(), closed.clone(), c];
    assert_eq!(put(&mut *rows, &again).await, stored(&["c"], &["b"]));
    assert_eq!(put(&mut *rows, &again).await, Stored::default());
    let known = rows
        .known_tickets(CLIENT, &[id("b"), id("x")])
        .await
        .unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[&id("b")].fingerprint, closed.fingerprint);
    let messages = [message(1, "x"), message(2, "y")];
    let of = |ticket, messages: &[_]| TicketMessages {
        ticket: id(ticket),
        messages: messages.to_vec(),
    };
    let put = rows.put_messages(CLIENT, &[of("a", &messages)]).await;
    let put = put.unwrap();
    assert_eq!(put.created.len(), 2);
    let edited = [message(1, "x"), message(2, "z")];
    let both = [of("a", &edited), of("b", &edited)];
    let put = rows.put_messages(CLIENT, &both).await.unwrap();
    assert_eq!(put.updated, [id("2")]);
    assert_eq!(put.created.len(), 2, "ids are unique within a ticket only");
    assert_eq!(
        rows.put_tickets(CLIENT, &[]).await.unwrap(),
        Stored::default()
    );
}

pub async fn sessions_and_tags_are_replaced(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    unit.rows()
        .put_tickets(
            CLIENT,
            &[ticket("a", "open", &[1, 2]), ticket("b", "open", &[1])],
        )
        .await
        .unwrap();
    assert_eq!(count(&mut unit, RowKind::Session).await, (3, 0));
    unit.rows()
        .put_tickets(CLIENT, &[ticket("a", "closed", &[2])])
        .await
        .unwrap();
    assert_eq!(count(&mut unit, RowKind::Session).await, (2, 0));
    let contacts = [contact(1, "Ana", &[1, 2]), contact(2, "Rui", &[2, 3])];
    let put = unit.rows().put_contacts(CLIENT, &contacts).await.unwrap();
    assert_eq!(put.created.len(), 2);
    assert_eq!(count(&mut unit, RowKind::Tag).await, (3, 0));
    let put = unit
        .rows()
        .put_contacts(CLIENT, &[contact(1, "Ana", &[3])])
        .await
        .unwrap();
    assert_eq!(put, stored(&[], &["1"]));
    let put = unit
        .rows()
        .put_contacts(CLIENT, &[contact(1, "Ana", &[3])])
        .await
        .unwrap();
    assert_eq!(put, Stored::default());
    assert_eq!(count(&mut unit, RowKind::Contact).await, (2, 0));
}

pub async fn messages_are_owed_until_they_are_read(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    let mut rows = unit.rows();
    let tickets = ["a", "b", "c"].map(|uuid| ticket(uuid, "open", &[]));
    rows.put_tickets(CLIENT, &tickets).await.unwrap();
    assert!(rows.due_tickets(CLIENT, None, 10).await.unwrap().is_empty());
    rows.owe_messages(CLIENT, &[id("a"), id("c")])
        .await
        .unwrap();
    let due = rows.due_tickets(CLIENT, None, 10).await.unwrap();
    assert_eq!(
        due.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(),
        ["a", "c"]
    );
    let after = rows.due_tickets(CLIENT, Some(&id("a")), 1).await.unwrap();
    assert_eq!(after[0].id, id("c"));
    let read = MessagesRead {
        ticket: due[0].fingerprint,
        as_of: at(9),
    };
    rows.messages_read(CLIENT, &[(id("a"), read)])
        .await
        .unwrap();
    let known = rows.known_tickets(CLIENT, &[id("a")]).await.unwrap();
    assert_eq!(known[&id("a")].messages_read, Some(read));
    // The other one changes while its messages are read.
    rows.put_tickets(CLIENT, &[ticket("c", "closed", &[])])
        .await
        .unwrap();
    let stale = MessagesRead {
        ticket: due[1].fingerprint,
        as_of: at(9),
    };
    rows.messages_read(CLIENT, &[(id("c"), stale)])
        .await
        .unwrap();
    let due = rows.due_tickets(CLIENT, None, 10).await.unwrap();
    assert_eq!(due.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["c"]);
}

pub async fn clients_do_not_share_rows(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    let mut rows = unit.rows();
    let other = ClientId::from_raw(8);
    rows.put_tickets(CLIENT, &[ticket("a", "open", &[1])])
        .await
        .unwrap();
    let put = rows
        .put_tickets(other, &[ticket("a", "open", &[1])])
        .await
        .unwrap();
    assert_eq!(put, stored(&["a"], &[]));
    rows.owe_messages(CLIENT, &[id("a")]).await.unwrap();
    assert!(rows.due_tickets(other, None, 10).await.unwrap().is_empty());
    rows.put_contacts(CLIENT, &[contact(1, "Ana", &[1])])
        .await
        .unwrap();
    assert_eq!(rows.count(other, RowKind::Contact).await.unwrap(), (0, 0));
}

/// NUL, which PostgreSQL keeps neither in text nor in JSON, and more than a parameter list has room for.
pub async fn odd_values_are_kept(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    let plain = contact(1, "A\u{fffd}na \"'\\ 🦀", &[]);
    let value = Contact {
        id: id("ç/ü"),
        created_at: Some("2026-03-01T12:00:00.123Z".parse().unwrap()),
        extra: extra("note", json!("x\u{0}y")),
        ..plain.value
    };
    let odd = Row { value, ..plain };
    let put = unit
        .rows()
        .put_contacts(CLIENT, std::slice::from_ref(&odd))
        .await
        .unwrap();
    assert_eq!(put, stored(&["ç/ü"], &[]));
    assert_eq!(
        unit.rows().put_contacts(CLIENT, &[odd]).await.unwrap(),
        Stored::default()
    );
    let many: Vec<_> = (0..5_000).map(|n| contact(n, "Ana", &[n % 7])).collect();
    let put = unit.rows().put_contacts(CLIENT, &many).await.unwrap();
    assert_eq!(put.created.len(), 5_000);
}

pub async fn a_row_is_in_quarantine_once(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    let bad = || {
        let rows = [
            (Some("1"), json!({"id": 1})),
            (Some("1"), json!({"id": 1, "body": "\u{0}"})),
            (None, json!("x")),
            (Some("2"), json!({"id": 2})),
        ];
        rows.map(|(known, raw)| Quarantined {
            kind: RowKind::Message,
            id: known.map(id),
            fault: Fault::new("createdAt", "missing"),
            raw,
        })
    };
    for second in [1, 2] {
        let ticket = id("a");
        unit.rows()
            .quarantine(CLIENT, Some(&ticket), &bad(), at(second))
            .await
            .unwrap();
    }
    assert_eq!(count(&mut unit, RowKind::Message).await, (0, 3));
    unit.rows()
        .quarantine(CLIENT, Some(&id("b")), &bad(), at(3))
        .await
        .unwrap();
    assert_eq!(count(&mut unit, RowKind::Message).await, (0, 6));
    unit.rows()
        .quarantine(CLIENT, None, &[], at(3))
        .await
        .unwrap();
}

pub async fn what_is_not_committed_was_never_there(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    unit.rows()
        .put_tickets(CLIENT, &[ticket("a", "open", &[1])])
        .await
        .unwrap();
    unit.runs().move_cursor(CLIENT, at(5)).await.unwrap();
    drop(unit);
    let mut unit = begin(harness).await;
    assert_eq!(count(&mut unit, RowKind::Ticket).await, (0, 0));
    assert_eq!(unit.runs().cursor(CLIENT).await.unwrap(), None);
}

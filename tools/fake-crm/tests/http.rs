//! The fake as an importer sees it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use fake_crm::{
    Change, Endpoint, Envelope, Fake, Fault, Ids, Misbehaviour, Order, Plan, RetryAfter, Scheduled,
    Tells,
};
use serde_json::Value;

/// The whole answer: head and body.
fn ask(fake: &Fake, target: &str, key: &str) -> (String, Vec<u8>) {
    let address = fake.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {target} HTTP/1.0\r\nHost: x\r\napi-key: {key}\r\n\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let body = bytes.split_off(end + 4);
    (String::from_utf8(bytes).unwrap().to_lowercase(), body)
}

fn get(fake: &Fake, target: &str) -> Value {
    serde_json::from_slice(&ask(fake, target, "").1).unwrap()
}

fn all(fake: &Fake, list: &str, member: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let mut body = get(fake, &format!("{list}?page={page}&limit=20"));
        let Value::Array(mut some) = body[member].take() else {
            panic!("no rows")
        };
        if some.is_empty() {
            return rows;
        }
        rows.append(&mut some);
    }
    rows
}

fn by_id(rows: impl Iterator<Item = Value>, name: &str) -> BTreeMap<String, Value> {
    rows.map(|row| (row[name].to_string(), row)).collect()
}

fn fault(on: Endpoint, misbehaviour: Misbehaviour) -> Fault {
    Fault {
        on: Some(on),
        request: 1,
        times: 1,
        misbehaviour,
    }
}

#[test]
fn the_lists_are_what_the_world_holds() {
    for order in [Order::NewestFirst, Order::OldestFirst, Order::ById] {
        let fake = Fake::start(Plan {
            tickets: 90,
            contacts: 45,
            messages_per_ticket: 3,
            equal_instants: 7,
            order,
            ..Plan::default()
        })
        .unwrap();
        for change in [
            Change::EditTicket { row: 5 },
            Change::DeleteTicket { row: 8 },
            Change::CommitTicketLate { ms: 30_500 },
            Change::AddMessage { ticket: 2 },
            Change::EditContact { row: 44 },
            Change::InsertContact,
        ] {
            fake.change(change);
        }
        let tickets = by_id(all(&fake, "/ticket", "data").into_iter(), "uuid");
        assert_eq!(tickets, by_id(fake.world().tickets(), "uuid"));
        assert_eq!(tickets.len(), 90);
        let contacts = by_id(all(&fake, "/contact", "data").into_iter(), "id");
        assert_eq!(contacts, by_id(fake.world().contacts(), "id"));
        assert_eq!(contacts.len(), 46);
        let (uuid, _) = fake.world().messages().nth(6).unwrap();
        let messages = all(&fake, &format!("/ticket/{uuid}/messages"), "data");
        assert_eq!(messages.len(), 4, "the third ticket got one more");
    }
}

#[test]
fn a_million_rows_are_served_at_any_depth() {
    let fake = Fake::start(Plan {
        tickets: 1_000_000,
        ..Plan::default()
    })
    .unwrap();
    let body = get(&fake, "/ticket?page=19999&limit=50");
    assert_eq!(body["meta"]["totalPages"], 20_000);
    assert_eq!(body["data"].as_array().unwrap().len(), 50);
}

#[test]
fn envelopes_totals_and_ids_vary() {
    let fake = Fake::start(Plan {
        contacts: 30,
        ids: Ids::Mixed,
        ..Plan::default()
    })
    .unwrap();
    let page = |envelope, tells| {
        fake.replan(|plan| (plan.envelope, plan.tells) = (envelope, tells));
        get(&fake, "/contact?page=1&limit=20")
    };
    assert_eq!(
        page(Envelope::Bare, Tells::Nothing)
            .as_array()
            .unwrap()
            .len(),
        20
    );
    let body = page(Envelope::Contacts, Tells::MetaLastPage);
    assert_eq!(
        (&body["meta"]["last_page"], body["contacts"].is_array()),
        (&2.into(), true)
    );
    let body = page(Envelope::Data, Tells::PaginationTotalPages);
    assert_eq!(body["pagination"]["total_pages"], 2);
    assert_eq!(page(Envelope::Messages, Tells::HasMore)["hasMore"], true);
    let ids =
        [1, 2].map(|_| get(&fake, "/contact?page=1&limit=1")["messages"][0]["id"].is_string());
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn it_misbehaves_when_it_should_and_recovers() {
    let fake = Fake::start(Plan::default()).unwrap();
    let answer = |misbehaviour| {
        fake.replan(|plan| plan.faults = vec![fault(Endpoint::Tickets, misbehaviour)]);
        let bad = ask(&fake, "/ticket?page=2&limit=10", "");
        let good = get(&fake, "/ticket?page=2&limit=10");
        assert_eq!(good["data"].as_array().unwrap().len(), 10);
        bad
    };
    let cut = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).is_err();
    let (head, _) = answer(Misbehaviour::Status {
        status: 429,
        retry_after: RetryAfter::Seconds(7),
    });
    assert!(head.contains(" 429 ") && head.contains("retry-after: 7"));
    let (head, _) = answer(Misbehaviour::Status {
        status: 503,
        retry_after: RetryAfter::Date(7),
    });
    assert!(head.contains("gmt"));
    assert!(cut(&answer(Misbehaviour::Truncated).1));
    let (head, body) = answer(Misbehaviour::Cut);
    let length: usize = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap();
    assert!(body.len() < length);
    assert!(answer(Misbehaviour::Html).0.contains("text/html"));
    let (head, _) = answer(Misbehaviour::Redirect {
        to: "http://10.0.0.1/".to_owned(),
    });
    assert!(head.contains("location: http://10.0.0.1/"));
    assert!(answer(Misbehaviour::Huge { bytes: 1 << 20 }).1.len() >= 1 << 20);
    let rows = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["data"].clone();
    let short = rows(&answer(Misbehaviour::Short { rows: 3 }).1);
    assert_eq!(short.as_array().unwrap().len(), 3);
    let same = rows(&answer(Misbehaviour::SamePage).1);
    assert_eq!(same, get(&fake, "/ticket?page=1&limit=10")["data"]);
    let started = Instant::now();
    answer(Misbehaviour::Slow { ms: 1 });
    assert!(started.elapsed() > Duration::from_millis(50));
}

#[test]
fn keys_quotas_and_changes_between_requests_count() {
    let fake = Fake::start(Plan {
        token: Some("secret".to_owned()),
        quota: Some(3),
        changes: vec![Scheduled {
            on: Endpoint::Tickets,
            request: 2,
            times: 1,
            change: Change::InsertTicket,
        }],
        ..Plan::default()
    })
    .unwrap();
    assert!(ask(&fake, "/ticket", "wrong").0.contains(" 401 "));
    let total =
        |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["meta"]["total"].clone();
    assert_eq!(total(&ask(&fake, "/ticket", "secret").1), 101);
    assert_eq!(total(&ask(&fake, "/ticket", "secret").1), 101);
    assert!(ask(&fake, "/ticket", "secret").0.contains(" 429 "));
    let log = fake.log();
    assert_eq!(log.count(Endpoint::Tickets), 4);
    assert_eq!(log.most_in(Duration::from_secs(60)), 4);
    let truth = ask(&fake, "/_control/truth/tickets", "").1;
    let truth = String::from_utf8(truth).unwrap();
    assert_eq!(
        truth.lines().filter(|line| line.starts_with('{')).count(),
        101
    );
}

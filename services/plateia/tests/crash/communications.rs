//! Communications: killed at every point on their way, each recipient gets one dispatch, and the totals are exact.

use std::{collections::BTreeMap, path::Path};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use test_kit::blocking::until;

use crate::{
    HITS, number,
    scenario::copy_dir,
    server::{Client, Server},
};

pub const POINTS: [&str; 10] = [
    "communication.claiming",
    "communication.claimed",
    "recipients.resolving",
    "recipients.resolved",
    "communication.dispatching",
    "communication.dispatched",
    "communication.releasing",
    "communication.released",
    "dispatch.begun",
    "dispatch.sent",
];

/// Points that are tried at once.
const LANES: usize = 3;
/// Customers: two parts of an audience. Every fiftieth has a telephone.
const CUSTOMERS: usize = 1_100;
/// Members who leave once everything has left.
const RECYCLED: [&str; 2] = ["D0000001", "D0001000"];
/// Those who are named by number: more than a part.
const NAMED: usize = 1_050;

fn customer(n: usize) -> Value {
    let phone = format!("1198{n:07}");
    let phone = n.is_multiple_of(50).then_some(phone);
    json!({ "document": format!("D{n:07}"), "name": format!("Person {n}"), "phone": phone })
}

/// Asks for both communications, due in a moment; nothing where the server is gone.
fn ask(client: &Client, audience: &str, at: &str) -> Option<()> {
    let ids: Vec<usize> = (1..=NAMED).collect();
    let all = [
        ("named", json!({ "customer_ids": ids })),
        ("members", json!({ "audience_id": audience })),
    ];
    for (key, recipients) in all {
        let mut body = json!({
            "name": key, "send_at": at, "recipients": recipients, "channels": ["sms"],
            "message": { "text": "Hi {{name}}" }, "rate_per_minute": 6_000,
        });
        if key == "members" {
            let rules = json!({ "documents": RECYCLED });
            body["on_completion"] = json!({ "recycle": { "rules": rules } });
        }
        let (status, body) = client.post("/communications", key, &body)?;
        assert_eq!(status, 201, "{body}");
    }
    Some(())
}

/// An instant that is not yet.
#[expect(
    clippy::disallowed_methods,
    reason = "the process has the clock of the machine"
)]
fn soon() -> String {
    let at = Utc::now() + TimeDelta::seconds(4);
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Both, once every dispatch has been reported.
fn ended(client: &Client) -> Option<Vec<Value>> {
    let list = client.get("/communications")?["data"].clone();
    let mut all = Vec::new();
    for one in list.as_array().unwrap() {
        let one = client.get(&format!("/communications/{}", one["id"].as_str().unwrap()))?;
        if one["status"] != "completed" || !one["totals"]["sms"]["dispatched"].is_null() {
            return None;
        }
        all.push(one);
    }
    (all.len() == 2).then_some(all)
}

/// The recycling, once it has ended. There is one.
fn recycled(client: &Client) -> Option<Value> {
    let mut operations = client.operations()?;
    operations.retain(|operation| operation["kind"] == "recycle");
    assert!(operations.len() < 2, "recycled more than once");
    let recycling = operations.pop()?;
    (recycling["state"] == "succeeded").then_some(recycling)
}

/// How often each dispatch was sent, by communication.
fn sent(dir: &Path) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut sent: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let lines = std::fs::read_to_string(dir.join("dispatches.ndjson")).unwrap();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["dispatch_id"].as_str().unwrap();
        let communication = id.split('.').next().unwrap().replace("dsp_", "com_");
        let times = sent.entry(communication).or_default();
        *times.entry(id.to_owned()).or_default() += 1;
    }
    sent
}

/// A data directory with customers and an audience of them; answers the audience.
fn prepare(dir: &Path) -> String {
    let server = Server::start(dir, None).unwrap();
    let client = server.client();
    let people: Vec<Value> = (0..CUSTOMERS).map(customer).collect();
    for path in ["/customers", "/audiences"] {
        let body = json!({ "name": "All", "data": people });
        let body = match path {
            "/customers" => json!({ "data": people }),
            _ => body,
        };
        let (status, body) = client.post(path, path, &body).unwrap();
        assert!((200..300).contains(&status), "{body}");
    }
    let audiences = client.get("/audiences").unwrap();
    audiences["data"][0]["id"].as_str().unwrap().to_owned()
}

/// `false` when the point was not reached.
fn run(prepared: &Path, audience: &str, crash_at: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    copy_dir(prepared, dir.path());
    let mut server = Server::start(dir.path(), Some(crash_at)).unwrap();
    let client = server.client();
    let at = soon();
    ask(&client, audience, &at);
    let killed = until("the crash or the end", || {
        if server.program.has_ended() {
            return Some(true);
        }
        ended(&client).map(|_| !server.program.stop().success())
    });
    if !killed {
        return false;
    }
    let server = Server::start(dir.path(), None).unwrap();
    let client = server.client();
    let all = until("both communications", || ended(&client));
    let recycled = until("the recycling", || recycled(&client));
    assert_eq!(recycled["report"]["removed"], RECYCLED.len(), "{recycled}");
    let sent = sent(dir.path());
    for one in all {
        let count = if one["name"] == "named" {
            NAMED
        } else {
            CUSTOMERS
        };
        let reached = count.div_ceil(50);
        let totals = &one["totals"]["sms"];
        assert_eq!(totals["sent"], reached, "{one}");
        assert_eq!(totals["skipped"], count - reached, "{one}");
        let times = &sent[one["id"].as_str().unwrap()];
        assert_eq!(times.len(), reached);
        assert!(
            times.values().all(|times| *times == 1),
            "sent more than once"
        );
    }
    true
}

#[test]
fn communicating_survives() {
    let prepared = tempfile::tempdir().unwrap();
    let audience = prepare(prepared.path());
    let hits = number("PLATEIA_CRASH_HITS", HITS);
    let try_point = |point: &&str| {
        let hit = (1..=hits)
            .take_while(|n| run(prepared.path(), &audience, &format!("{point}:{n}")))
            .count();
        assert!(hit > 0, "{point} was never reached");
        format!("  {point:<24} {hit}")
    };
    // They wait most of the time.
    let table: Vec<String> = std::thread::scope(|scope| {
        let lanes = POINTS.chunks(POINTS.len().div_ceil(LANES));
        let lanes = lanes.map(|points| {
            scope.spawn(move || points.iter().map(try_point).collect::<Vec<String>>())
        });
        let lanes: Vec<_> = lanes.collect();
        let ends = lanes.into_iter().map(|lane| lane.join().unwrap());
        ends.flatten().collect()
    });
    println!("communications: {}", table.join("\n"));
}

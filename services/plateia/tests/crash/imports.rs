//! Imports: killed at every point on their way, they end as if nothing had happened.

use std::{collections::BTreeSet, path::Path};

use fake_crm::{Fake, Plan};
use serde_json::{Value, json};

use test_kit::blocking::until;

use crate::{
    HITS, number,
    server::{Client, Server},
};

pub const POINTS: [&str; 5] = [
    "import.page_fetched",
    "import.page_stored",
    "import.page_committed",
    "import.before_finish",
    "import.finished",
];

const TICKETS: u64 = 60;
const MESSAGES: u64 = 2;
const CONTACTS: u64 = 120;

fn start(dir: &Path, crash_at: Option<&str>, host: &str) -> Option<Server> {
    let settings = [
        ("IMPORT_ALLOW_PRIVATE_HOSTS", host),
        // Enough for everything here, one request after the other.
        ("EXTERNAL_API_REQUESTS_PER_MINUTE", "240"),
    ];
    Server::start_with(dir, crash_at, &settings)
}

/// Asks for both runs; nothing where the server is gone.
fn ask(client: &Client, url: &str) -> Option<()> {
    let new = json!({"slug": "acme", "base_url": url, "token": "s3cret"});
    client.post("/clients", "client", &new)?;
    for import in ["tickets", "contacts"] {
        let body = json!({"client_slug": "acme", "import": import});
        client.post("/imports", import, &body)?;
    }
    Some(())
}

/// Both runs, once they have ended.
fn ended(client: &Client) -> Option<Vec<Value>> {
    let runs = client.get("/imports")?["data"].as_array().unwrap().clone();
    let all = runs.iter().all(|run| run["finished_at"].is_string());
    (runs.len() == 2 && all).then_some(runs)
}

/// `false` when the point was not reached.
fn run(crash_at: &str) -> bool {
    let fake = Fake::start(Plan {
        tickets: TICKETS,
        messages_per_ticket: MESSAGES,
        contacts: CONTACTS,
        ..Plan::default()
    });
    let fake = fake.unwrap();
    let host = fake.url.trim_start_matches("http://");
    let dir = tempfile::tempdir().unwrap();
    let mut server = start(dir.path(), Some(crash_at), host).unwrap();
    let client = server.client();
    ask(&client, &fake.url);
    let killed = until("the crash or the end", || {
        if server.program.has_ended() {
            return Some(true);
        }
        ended(&client).map(|_| !server.program.stop().success())
    });
    if !killed {
        return false;
    }
    let server = start(dir.path(), None, host).unwrap();
    let client = server.client();
    // Whatever got no answer is asked again, under the same keys.
    ask(&client, &fake.url).unwrap();
    let runs = until("both runs", || ended(&client));
    let mut pages = 0;
    for run in &runs {
        assert_eq!(run["result"], "complete", "{run}");
        let report = &run["report"];
        assert_eq!(
            report["created"], report["received"],
            "nothing twice: {run}"
        );
        pages += report["pages"].as_u64().unwrap();
    }
    let sum = |kind: &str| -> u64 {
        let of = |run: &Value| run["report"][kind]["created"].as_u64().unwrap();
        runs.iter().map(of).sum()
    };
    assert_eq!(
        ["tickets", "messages", "contacts"].map(sum),
        [TICKETS, TICKETS * MESSAGES, CONTACTS]
    );
    let asked = fake.log().requests().len() as u64;
    // Two runs were on their way.
    assert!(asked <= pages + 2, "{asked} requests for {pages} pages");
    let is_person = |contact: &Value| contact["isGroup"] != true;
    let people = fake.world().contacts().filter(is_person).count();
    until("the customers", || {
        let count = client.get("/customers/count")?["total"].as_u64()?;
        assert!(count <= people as u64, "{count} of {people}: each once");
        (count == people as u64).then_some(())
    });
    let told = until("the notifications", || {
        let told = client.get("/notifications")?["data"].as_array()?.clone();
        (told.len() >= 2).then_some(told)
    });
    let operations: BTreeSet<_> = told.iter().map(|n| n["operation_id"].as_str()).collect();
    assert_eq!(
        (told.len(), operations.len()),
        (2, 2),
        "each end is told once"
    );
    true
}

#[test]
fn k6_k7_k8_importing_survives() {
    for point in POINTS {
        let hits = number("PLATEIA_CRASH_HITS", HITS);
        let hit = (1..=hits)
            .take_while(|n| run(&format!("{point}:{n}")))
            .count();
        assert!(hit > 0, "{point} was never reached");
    }
}

#[test]
fn runs_of_imports_are_operations_of_their_workspace() {
    let plan = Plan {
        tickets: 3,
        contacts: 3,
        ..Plan::default()
    };
    let fake = Fake::start(plan).unwrap();
    let host = fake.url.trim_start_matches("http://");
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), None, host).unwrap();
    let client = server.client();
    let new = json!({"name": "Lista"});
    let (status, made) = client.post("/audiences", "audience", &new).unwrap();
    assert_eq!(status, 201, "{made}");
    ask(&client, &fake.url).unwrap();
    let copy = format!("/audiences/{}/duplicate", made["id"].as_str().unwrap());
    client.post(&copy, "copy", &json!({"name": "Cópia"}));
    until("both runs", || ended(&client));
    let all = until("the copy", || {
        let all = client.operations()?;
        let ended = all.iter().all(|one| one["finished_at"].is_string());
        (all.len() == 3 && ended).then_some(all)
    });
    let kinds: Vec<_> = all
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["duplicate", "import", "import"], "newest first");

    // Page by page, of one kind and of all.
    for query in ["?kind=import", "?kind=duplicate", "?"] {
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/operations{query}&limit=1{cursor}");
            let page = client.get(&path).unwrap();
            walked.extend(page["data"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let kind = query.strip_prefix("?kind=");
        let expected = all
            .iter()
            .filter(|one| kind.is_none_or(|kind| one["kind"] == kind));
        assert_eq!(walked, expected.cloned().collect::<Vec<_>>(), "{query}");
    }

    let one = &all[1];
    let path = format!("/operations/{}", one["id"].as_str().unwrap());
    assert_eq!(&client.get(&path).unwrap(), one);
    assert_eq!(one["report"]["received"], one["report"]["created"], "{one}");
    let links: Vec<_> = one["links"].as_object().unwrap().keys().collect();
    assert_eq!(links, ["client", "events", "self"]);
    for (action, code) in [
        ("cancel", "operation_ended"),
        ("retry", "operation_not_retryable"),
        ("undo", "not_undoable"),
    ] {
        let path = format!("{path}/{action}");
        let (status, refused) = client.post(&path, action, &json!({})).unwrap();
        assert_eq!((status, &refused["code"]), (409, &json!(code)), "{refused}");
    }
}

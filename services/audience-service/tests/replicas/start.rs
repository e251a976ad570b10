//! A replica that cannot work ends at once and says which key is to blame; one that may do only a
//! part of the work does that part.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::stack::{Place, Stack};

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:9";
/// The longest that a start which fails may take.
const SECONDS: Duration = Duration::from_secs(20);

fn refused(change: impl FnOnce(&mut Command)) -> String {
    let begun = Instant::now();
    let (output, said) = Place::new().run(change, &["serve"]);
    assert!(begun.elapsed() < SECONDS, "took {:?}", begun.elapsed());
    assert_eq!(output.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("audience-service: "), "{said}");
    last
}

#[test]
fn missing_and_malformed_settings_are_named() {
    for (name, value, key) in [
        ("PLATEIA__POSTGRES__URL", "", "postgres.url"),
        ("PLATEIA__POSTGRES__URL", "mysql://x", "postgres.url"),
        ("PLATEIA__MONGODB__URL", "", "mongodb.url"),
        ("PLATEIA__RABBITMQ__URL", "http://x", "rabbitmq.url"),
        ("PLATEIA__RABBITMQ__PREFIX", "No", "rabbitmq.prefix"),
        (
            "PLATEIA__POSTGRES__CA_FILE",
            "/nowhere/ca.pem",
            "postgres.ca_file: certificates in /nowhere/ca.pem",
        ),
        (
            "PLATEIA__RABBITMQ__CA_FILE",
            "/nowhere/ca.pem",
            "rabbitmq.ca_file: certificates in /nowhere/ca.pem",
        ),
        ("PLATEIA__SECRETS__KEY", "short", "secrets.key"),
        ("PLATEIA__ROLES", "api,nothing", "roles"),
        (
            "PLATEIA__POSTGRES__MAX_CONNECTIONS",
            "many",
            "max_connections",
        ),
    ] {
        let said = refused(|command| {
            command.env(name, value);
        });
        assert!(said.contains(key), "{said}");
    }
}

#[test]
fn servers_that_do_not_answer_are_named() {
    for (name, scheme, key) in [
        ("PLATEIA__POSTGRES__URL", "postgres", "postgres.url"),
        ("PLATEIA__MONGODB__URL", "mongodb", "mongodb.url"),
        ("PLATEIA__RABBITMQ__URL", "amqp", "rabbitmq.url"),
    ] {
        let said = refused(|command| {
            command.env(name, format!("{scheme}://user:hunter2@{NOWHERE}/x"));
        });
        assert!(said.contains(key), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_check_of_the_configuration_needs_no_server() {
    let (output, said) = Place::new().run(
        |command| {
            command.env("PLATEIA__POSTGRES__URL", format!("postgres://{NOWHERE}/x"));
        },
        &["config", "check"],
    );
    assert!(output.status.success(), "{said}");
}

#[test]
fn migrating_twice_is_no_failure() {
    let place = Place::new();
    for _ in 0..2 {
        let (output, said) = place.run(|_| {}, &["migrate"]);
        assert!(output.status.success(), "{said}");
    }
}

#[test]
fn a_broker_that_may_be_away_stops_nothing() {
    let place = Place::new();
    let replica = place.start(|command| {
        command.env("PLATEIA__RABBITMQ__URL", format!("amqp://{NOWHERE}"));
        command.env("PLATEIA__RABBITMQ__MAY_BE_AWAY", "true");
    });
    let service =
        contract_tests::scenario::Service::new(vec![replica.address.clone()], super::stack::KEY);
    service.get("/readyz");
    let body = serde_json::json!({ "name": "Without a broker", "data": [{ "document": "A1" }] });
    service.json("POST", "/api/v1/audiences", &body).expect(201);
}

#[test]
fn roles_part_the_work() {
    let place = Place::new();
    let worker = place.start(|command| {
        command.env("PLATEIA__ROLES", "workers,relay,consumers");
    });
    let api = place.start(|command| {
        command.env("PLATEIA__ROLES", "api");
    });
    let only = |address: &str| {
        contract_tests::scenario::Service::new(vec![address.to_owned()], super::stack::KEY)
    };
    let (worker, api) = (only(&worker.address), only(&api.address));
    worker.get("/readyz");
    assert_eq!(worker.send("GET", "/list", "", b"").status, 404);
    // The one asks, the other works, and the first hears of it.
    contract_tests::scenario::hear_of_a_removal(&api);
}

#[test]
fn processes_have_numbers_of_their_own() {
    let stack = Stack::start(3);
    let service = stack.service();
    let mut nodes: Vec<i64> = (0..3)
        .map(|n| {
            let body = serde_json::json!({ "name": format!("n{n}"), "data": [] });
            let made: Value = service.json("POST", "/api/v1/audiences", &body).expect(201);
            let id = made["id"].as_str().unwrap().to_owned();
            let raw: i64 = id.trim_start_matches("aud_").parse().unwrap();
            raw >> 12 & 0x3ff
        })
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    assert_eq!(nodes.len(), 3, "{nodes:?}");
}

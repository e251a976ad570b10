//! A replica that cannot work ends at once and says which key is to blame; one that may do only a
//! part of the work does that part.

use api_types::audiences::CreatedJson;
use test_kit::{place, place::NOWHERE, scenario::hear_of_a_removal};

use super::stack::{Stack, only, place};

const PROGRAM: &str = env!("CARGO_BIN_EXE_audience-service");

#[test]
fn bad_settings_are_named() {
    place::refuses_bad_settings(PROGRAM);
    let place = place();
    place.refuses("PLATEIA__MONGODB__URL", "", "mongodb.url");
    let nowhere = format!("mongodb://user:hunter2@{NOWHERE}/x");
    place.refuses("PLATEIA__MONGODB__URL", &nowhere, "mongodb.url");
    place.refuses("PLATEIA__SECRETS__KEY", "short", "secrets.key");
}

#[test]
fn it_checks_and_migrates() {
    place::checks_and_migrates(PROGRAM);
}

#[test]
fn it_serves_until_it_is_told_to_end() {
    place::serves_until_it_is_told_to_end(PROGRAM);
}

#[test]
fn a_broker_that_may_be_away_stops_nothing() {
    let place = place();
    let (_program, ready) = place.start(&[
        ("PLATEIA__RABBITMQ__URL", &format!("amqp://{NOWHERE}")),
        ("PLATEIA__RABBITMQ__MAY_BE_AWAY", "true"),
    ]);
    let service = only(&ready);
    service.send("GET", "/readyz").ok(200);
    let body = serde_json::json!({ "name": "Without a broker", "data": [{ "document": "A1" }] });
    service.json("POST", "/api/v1/audiences", &body).ok(201);
}

#[test]
fn roles_part_the_work() {
    let place = place();
    let (_working, worker) = place.start(&[("PLATEIA__ROLES", "workers,relay,consumers")]);
    let (_answering, api) = place.start(&[("PLATEIA__ROLES", "api")]);
    let (worker, api) = (only(&worker), only(&api));
    worker.send("GET", "/readyz").ok(200);
    assert_eq!(worker.send("GET", "/list").status, 404);
    // The one asks, the other works, and the first hears of it.
    hear_of_a_removal(&api);
}

#[test]
fn processes_have_numbers_of_their_own() {
    let stack = Stack::start(3);
    let service = stack.service();
    let mut nodes: Vec<i64> = (0..3)
        .map(|n| {
            let body = serde_json::json!({ "name": format!("n{n}"), "data": [] });
            let made = service.json("POST", "/api/v1/audiences", &body);
            let made: CreatedJson = made.read(201);
            let raw: i64 = made.audience.id.trim_start_matches("aud_").parse().unwrap();
            raw >> 12 & 0x3ff
        })
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    assert_eq!(nodes.len(), 3, "{nodes:?}");
}

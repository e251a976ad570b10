//! Two replicas of the program on real servers: the scenario of every way to run Plateia, and what
//! only several replicas can get wrong.

#![expect(
    clippy::unwrap_used,
    reason = "a set-up that fails is a test that fails"
)]

mod customers;
mod stack;
mod start;

use stack::Stack;
use test_kit::{http::Reply, scenario::play};

#[test]
fn two_replicas_play_the_scenario() {
    let stack = Stack::start(2);
    play(&stack.service());
}

/// Whoever names no version does not care who was quicker.
#[test]
fn changes_of_one_audience_at_once_all_succeed() {
    let stack = Stack::start(2);
    let service = stack.service();
    let body = serde_json::json!({ "name": "Wanted by many", "data": [] });
    let made = service.json("POST", "/api/v1/audiences", &body).ok(201);
    let path = format!("/api/v1/audiences/{}", made["id"].as_str().unwrap());
    let restore = format!("{path}/restore");
    std::thread::scope(|threads| {
        for n in 0..8 {
            let (service, path, restore) = (&service, &path, &restore);
            threads.spawn(move || {
                for _ in 0..4 {
                    let answer = if n % 2 == 0 {
                        service.send("DELETE", path)
                    } else {
                        service.send("POST", restore)
                    };
                    let Reply { status, text, .. } = &answer;
                    assert!((200..300).contains(status), "{n}: {text}");
                }
            });
        }
    });
}

//! Kills the real program at every crash point on the way of each long operation, starts it again, and
//! waits for everything to end as if nothing had happened.
//!
//! `PLATEIA_CRASH_CONTACTS` says how large the audience is, `PLATEIA_CRASH_HITS` how many occurrences of
//! each point are tried, `PLATEIA_CRASH_RANDOM` how many kills at random moments come on top.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests"
)]

#[path = "crash/communications.rs"]
mod communications;
#[path = "crash/imports.rs"]
mod imports;
#[path = "crash/scenario.rs"]
mod scenario;
#[path = "crash/server.rs"]
mod server;

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use ports::crash::POINTS;
use scenario::{Prepared, Scenario};
use server::Server;
use test_kit::blocking::until;

/// Contacts of the audience: three steps of most operations.
const CONTACTS: u64 = 9_000;
/// Most contacts of one request.
const REQUEST: usize = 100_000;
/// Occurrences of each point that are tried.
const HITS: u64 = 2;

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings of their own"
)]
fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is not a number")),
        Err(_) => otherwise,
    }
}

/// When the process is killed.
enum Kill<'a> {
    At(&'a str),
    After(Duration),
}

/// Ends the watching, also when a check fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs the request until the process is killed; answers whether it was, and whether it had answered.
fn interrupted(prepared: &Prepared, dir: &std::path::Path, kill: &Kill<'_>) -> (bool, bool) {
    let crash_at = match kill {
        Kill::At(point) => Some(*point),
        Kill::After(_) => None,
    };
    let Some(mut server) = Server::start(dir, crash_at) else {
        return (true, false);
    };
    let client = server.client();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| prepared.watch(&client, &stop));
        let stopping = Stop(&stop);
        let asking = threads.spawn(|| prepared.request(&client));
        let killed = match kill {
            Kill::After(pause) => {
                std::thread::sleep(*pause);
                server.program.kill();
                true
            }
            Kill::At(_) => until("the crash or the end", || {
                if server.program.has_ended() {
                    return Some(true);
                }
                let done = asking.is_finished() && prepared.is_done(&client);
                // What the last point follows may be seen before the process is gone.
                done.then(|| !server.program.stop().success())
            }),
        };
        drop(stopping);
        let answered = asking.join().unwrap();
        reader.join().unwrap();
        let accepted = answered
            .as_ref()
            .is_some_and(|(status, _)| (200..300).contains(status));
        assert!(accepted || answered.is_none(), "{answered:?}");
        (killed, accepted)
    })
}

/// One run: killed, started again, and everything as it should be. `false` when the point was not reached.
fn run(prepared: &Prepared, kill: &Kill<'_>) -> bool {
    let dir = prepared.copy();
    let (killed, answered) = interrupted(prepared, dir.path(), kill);
    if !killed {
        return false;
    }
    let server = Server::start(dir.path(), None).unwrap();
    let client = server.client();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| prepared.watch(&client, &stop));
        let stopping = Stop(&stop);
        if !answered {
            // A client that got no answer asks again, under the same key.
            let (status, body) = prepared.request(&client).unwrap();
            assert!((200..300).contains(&status), "{status} {body}");
        }
        prepared.check(&client);
        drop(stopping);
        assert!(reader.join().unwrap() > 0, "nobody looked");
    });
    true
}

fn survives(scenario: Scenario) {
    let contacts = usize::try_from(number("PLATEIA_CRASH_CONTACTS", CONTACTS)).unwrap();
    let contacts = match scenario {
        Scenario::Create => contacts.min(REQUEST),
        // Its steps are of a thousand.
        Scenario::Live => contacts / 3,
        _ => contacts,
    };
    let prepared = Prepared::new(scenario, contacts);
    let mut table = Vec::new();
    for point in scenario.points() {
        let hits = number("PLATEIA_CRASH_HITS", HITS);
        let hit = (1..=hits)
            .take_while(|n| run(&prepared, &Kill::At(&format!("{point}:{n}"))))
            .count();
        assert!(hit > 0, "{point} was never reached");
        table.push(format!("  {point:<24} {hit}"));
    }
    let random = number("PLATEIA_CRASH_RANDOM", 0);
    for n in 0..random {
        let pause = Duration::from_millis(n * 7_919 % 2_000);
        run(&prepared, &Kill::After(pause));
    }
    println!(
        "{scenario:?}: crash points and how often each was hit\n{}",
        table.join("\n")
    );
}

#[test]
fn every_registered_point_is_tried() {
    let tried: BTreeSet<&str> = Scenario::ALL
        .into_iter()
        .flat_map(Scenario::points)
        .chain(imports::POINTS)
        .chain(communications::POINTS)
        .collect();
    // A purge is due after seven days only, and the histories of the model come to it; one process
    // consumes from no broker.
    let elsewhere = ["purge.batch", "consume.stored"];
    let missing: Vec<_> = POINTS
        .iter()
        .filter(|p| !tried.contains(*p) && !elsewhere.contains(*p))
        .collect();
    println!("{} of {} crash points", tried.len(), POINTS.len());
    assert!(missing.is_empty(), "never tried: {missing:?}");
    assert!(tried.iter().all(|p| POINTS.contains(p)));
}

#[test]
fn creating_survives() {
    survives(Scenario::Create);
}

#[test]
fn adding_survives() {
    survives(Scenario::Add);
}

#[test]
fn removing_one_survives() {
    survives(Scenario::RemoveOne);
}

#[test]
fn recycling_survives() {
    survives(Scenario::Recycle);
}

#[test]
fn recycling_to_a_new_audience_survives() {
    survives(Scenario::RecycleToNew);
}

#[test]
fn making_an_audience_from_a_file_survives() {
    survives(Scenario::UploadNew);
}

#[test]
fn a_file_into_an_audience_survives() {
    survives(Scenario::UploadInto);
}

#[test]
fn clearing_survives() {
    survives(Scenario::Clear);
}

#[test]
fn refreshing_survives() {
    survives(Scenario::Refresh);
}

#[test]
fn following_survives() {
    survives(Scenario::Live);
}

#[test]
fn deriving_survives() {
    survives(Scenario::Derive);
}

#[test]
fn undoing_survives() {
    survives(Scenario::Undo);
}

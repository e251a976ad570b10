//! The proof: random histories on the application with its stores and files, beside a reference in
//! memory. After every command what readers see must be the same, crashes or not. The stores are SQLite,
//! and the servers that `deploy/dev/servers` starts.
//!
//! `PLATEIA_MODEL_HISTORIES` says how many histories on each of the two, `PLATEIA_MODEL_SEED` which is the
//! first one. A failure is printed with its seed and the shortest history found that fails in the same
//! place.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a model that leaves its own bounds is a test that fails"
)]

#[path = "model/backend.rs"]
mod backend;
#[path = "model/command.rs"]
mod command;
#[path = "model/cut_off.rs"]
mod cut_off;
#[path = "model/found.rs"]
mod found;
#[path = "model/outcomes.rs"]
mod outcomes;
#[path = "model/play.rs"]
mod play;
#[path = "model/real.rs"]
mod real;
#[path = "model/reference.rs"]
mod reference;
#[path = "model/seen.rs"]
mod seen;
#[path = "model/system.rs"]
mod system;
#[path = "model/world.rs"]
mod world;

use std::{panic::AssertUnwindSafe, sync::atomic::Ordering};

use backend::Backend;
use command::{Command, Rng};

/// Histories on SQLite per run, over all tests here.
const HISTORIES: u64 = 2_000;
/// Histories on servers, each of which takes as long as twenty on files.
const HISTORIES_ON_SERVERS: u64 = 60;
/// Tests that share them.
const SHARES: u64 = 4;

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings of their own"
)]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is not a number")),
    )
}

/// Plays a share of so many histories, each on what `backend` makes for a start and after a failure.
fn share(which: u64, histories: u64, backend: impl Fn() -> Option<Backend>) {
    let histories = number("PLATEIA_MODEL_HISTORIES")
        .unwrap_or(histories)
        .div_ceil(SHARES);
    let seed = number("PLATEIA_MODEL_SEED").unwrap_or(1);
    let first = seed + which * histories;
    let Some(common) = backend() else {
        return;
    };
    for seed in first..first + histories {
        let history = Rng(seed).history();
        if let Err(error) = attempt(&common, &history) {
            println!("history {seed}: {error}");
            let (shortest, error) = shrink(&backend, history, error);
            let lines: Vec<String> = shortest.iter().map(|c| format!("  {c:?}")).collect();
            let again = format!("PLATEIA_MODEL_SEED={seed} PLATEIA_MODEL_HISTORIES=1");
            panic!("history {seed} ({again}):\n{}\n{error}", lines.join("\n"));
        }
    }
    let performed = play::PERFORMED.load(Ordering::Relaxed);
    let last = first + histories - 1;
    println!("histories {first} to {last}, {performed} commands");
}

fn attempt(backend: &Backend, history: &[Command]) -> Result<(), String> {
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| play::play(backend, history)));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "a panic".to_owned()))
    })
}

/// Leaves commands out as long as what is left still fails.
fn shrink(
    backend: impl Fn() -> Option<Backend>,
    mut history: Vec<Command>,
    mut error: String,
) -> (Vec<Command>, String) {
    let mut at = history.len();
    let mut tries = 400;
    while at > 0 && tries > 0 {
        at -= 1;
        tries -= 1;
        let mut shorter = history.clone();
        shorter.remove(at);
        if let Err(other) = attempt(&backend().unwrap(), &shorter) {
            (history, error) = (shorter, other);
            at = at.min(history.len());
        }
    }
    (history, error)
}

/// The tests that share histories.
macro_rules! shares {
    ($histories:expr, $backend:expr) => {
        #[test]
        fn histories_match_the_reference_1() {
            super::share(0, $histories, $backend);
        }

        #[test]
        fn histories_match_the_reference_2() {
            super::share(1, $histories, $backend);
        }

        #[test]
        fn histories_match_the_reference_3() {
            super::share(2, $histories, $backend);
        }

        #[test]
        fn histories_match_the_reference_4() {
            super::share(3, $histories, $backend);
        }
    };
}

mod on_sqlite {
    shares!(super::HISTORIES, || Some(super::Backend::Sqlite));
}

mod on_servers {
    shares!(super::HISTORIES_ON_SERVERS, super::Backend::servers);
}

/// A test for each history that once went wrong.
macro_rules! once_wrong {
    ($($history:ident),+ $(,)?) => {
        mod once_wrong {
            use super::Backend;

            $(#[test]
            fn $history() {
                let history = super::found::$history();
                super::attempt(&Backend::Sqlite, &history).unwrap_or_else(|error| panic!("{history:?}\n{error}"));
            })+
        }
    };
}

once_wrong!(
    repeated_document_cut_off,
    marked_before_the_first_checkpoint,
    undo_cut_off_with_an_opt_out,
    undo_of_a_clear_cut_off_with_an_opt_out,
    file_from_before_a_clear,
    cancelled_then_purged_then_tried_again,
    single_removal_cut_off,
    removed_one_by_one_before_the_file_is_read,
    recycled_before_the_file_is_read,
    older_one_tried_again_beside_an_interrupted_one,
    duplicates_as_the_plan_found_them,
    cancelled_then_cleared_then_tried_again,
);

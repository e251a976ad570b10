//! The proof: random histories on the application with its SQLite stores and files, beside a reference
//! in memory. After every command what readers see must be the same, crashes or not.
//!
//! `PLATEIA_MODEL_HISTORIES` says how many histories, `PLATEIA_MODEL_SEED` which is the first one. A
//! failure is printed with its seed and the shortest history found that fails in the same place.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a model that leaves its own bounds is a test that fails"
)]

#[path = "model/command.rs"]
mod command;
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

use command::{Command, Rng};

/// Histories per run, over all tests here.
const HISTORIES: u64 = 2_000;
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

/// Plays a share of the histories.
fn share(which: u64) {
    let histories = number("PLATEIA_MODEL_HISTORIES")
        .unwrap_or(HISTORIES)
        .div_ceil(SHARES);
    let seed = number("PLATEIA_MODEL_SEED").unwrap_or(1);
    let first = seed + which * histories;
    println!("histories {first} to {}", first + histories - 1);
    for seed in first..first + histories {
        let history = Rng(seed).history();
        if let Err(error) = attempt(&history) {
            let (shortest, error) = shrink(history, error);
            let lines: Vec<String> = shortest.iter().map(|c| format!("  {c:?}")).collect();
            let again = format!("PLATEIA_MODEL_SEED={seed} PLATEIA_MODEL_HISTORIES=1");
            panic!("history {seed} ({again}):\n{}\n{error}", lines.join("\n"));
        }
    }
}

fn attempt(history: &[Command]) -> Result<(), String> {
    let played = std::panic::catch_unwind(|| play::play(history));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "a panic".to_owned()))
    })
}

/// Leaves commands out as long as what is left still fails.
fn shrink(mut history: Vec<Command>, mut error: String) -> (Vec<Command>, String) {
    let mut at = history.len();
    let mut tries = 400;
    while at > 0 && tries > 0 {
        at -= 1;
        tries -= 1;
        let mut shorter = history.clone();
        shorter.remove(at);
        if let Err(other) = attempt(&shorter) {
            (history, error) = (shorter, other);
            at = at.min(history.len());
        }
    }
    (history, error)
}

#[test]
fn histories_match_the_reference_1() {
    share(0);
}

#[test]
fn histories_match_the_reference_2() {
    share(1);
}

#[test]
fn histories_match_the_reference_3() {
    share(2);
}

#[test]
fn histories_match_the_reference_4() {
    share(3);
}

/// A test for each history that once went wrong.
macro_rules! once_wrong {
    ($($history:ident),+ $(,)?) => {
        mod once_wrong {
            $(#[test]
            fn $history() {
                let history = super::found::$history();
                super::attempt(&history).unwrap_or_else(|error| panic!("{history:?}\n{error}"));
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
);

//! A checker that cannot fail is worth nothing: every invariant is broken once.

use super::*;
use crate::history::Claim;

fn contacts(numbers: std::ops::Range<u32>, name: &str) -> Vec<(String, String)> {
    numbers
        .map(|n| (format!("D{n:03}"), name.to_owned()))
        .collect()
}

fn command(effect: Effect, changed: u64, replaced: u64) -> Command {
    Command {
        audience: "a1".to_owned(),
        writer: "w".to_owned(),
        effect,
        claim: Claim {
            changed: Some(changed),
            replaced: Some(replaced),
            ..Claim::default()
        },
    }
}

fn create() -> Command {
    let effect = Effect::Create {
        workspace: "one".to_owned(),
        contacts: contacts(0..10, "first"),
    };
    command(effect, 10, 0)
}

fn write() -> Command {
    let contacts = contacts(5..15, "second");
    command(Effect::Write { contacts }, 5, 5)
}

fn remove() -> Command {
    let documents = vec!["D000".to_owned(), "D001".to_owned(), "D999".to_owned()];
    Command {
        claim: Claim {
            changed: Some(2),
            ..Claim::default()
        },
        ..command(Effect::Remove { documents }, 0, 0)
    }
}

fn history(commands: impl IntoIterator<Item = Command>) -> History {
    let history = History::default();
    commands.into_iter().for_each(|c| history.acknowledged(c));
    history.operation("op1");
    history
}

fn whole() -> History {
    history([create(), write(), remove()])
}

/// What is there when all went well.
fn good() -> Observed {
    let mut walked = contacts(2..5, "first");
    walked.extend(contacts(5..15, "second"));
    let audience = Audience {
        workspace: "one".to_owned(),
        count: 13,
        dropped: false,
        paged: walked
            .iter()
            .map(|(document, _)| document.clone())
            .collect(),
        walked,
    };
    let op = "op1".to_owned();
    Observed {
        audiences: [("a1".to_owned(), audience)].into(),
        operations: [(op.clone(), "succeeded".to_owned())].into(),
        notifications: vec![op.clone()],
        final_events: vec![op.clone()],
        heard: Some([("e1".to_owned(), op)].into()),
        ..Observed::default()
    }
}

fn broken(history: &History, change: impl FnOnce(&mut Observed)) -> Vec<&'static str> {
    let mut seen = good();
    change(&mut seen);
    check(history, &seen).iter().map(|v| v.invariant).collect()
}

fn audience_broken(change: impl FnOnce(&mut Audience)) -> Vec<&'static str> {
    broken(&whole(), |seen| {
        change(seen.audiences.get_mut("a1").unwrap())
    })
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(check(&whole(), &good()), []);
}

#[test]
fn a_lost_command_is_found() {
    let more = command(
        Effect::Write {
            contacts: contacts(20..21, "x"),
        },
        1,
        0,
    );
    let history = history([create(), write(), remove(), more]);
    assert_eq!(broken(&history, |_| {}), ["I1"]);
    assert_eq!(broken(&whole(), |seen| seen.audiences.clear()), ["I1"]);
}

#[test]
fn a_lost_removal_is_found() {
    let found = audience_broken(|a| {
        a.walked.insert(0, ("D001".to_owned(), "first".to_owned()));
        a.paged.insert(0, "D001".to_owned());
        a.count += 1;
    });
    assert_eq!(found, ["I2"]);
}

#[test]
fn a_double_effect_shows_in_the_answer() {
    // Written twice, everything was there already.
    let twice = command(
        Effect::Write {
            contacts: contacts(5..15, "second"),
        },
        0,
        10,
    );
    let history = history([create(), twice, remove()]);
    assert_eq!(broken(&history, |_| {}), ["I2", "I2"]);
}

#[test]
fn an_audience_made_twice_is_found() {
    let double = |seen: &mut Observed| {
        let copy = seen.audiences["a1"].clone();
        seen.audiences.insert("a2".to_owned(), copy);
    };
    assert_eq!(broken(&whole(), double), ["I2"]);
}

#[test]
fn a_wrong_count_is_found() {
    assert_eq!(audience_broken(|a| a.count += 1), ["I4"]);
    assert_eq!(audience_broken(|a| drop(a.paged.pop())), ["I4"]);
    assert_eq!(broken(&whole(), |seen| seen.open_writes = 1), ["I4"]);
}

#[test]
fn a_stale_or_doubled_row_is_found() {
    let stale = audience_broken(|a| a.walked[12].1 = "first".to_owned());
    assert_eq!(stale, ["I5"]);
    let doubled = audience_broken(|a| a.walked.insert(0, a.walked[0].clone()));
    assert_eq!(doubled, ["I5"]);
}

#[test]
fn a_foreign_row_is_found() {
    let foreign = audience_broken(|a| a.workspace = "two".to_owned());
    assert_eq!(foreign, ["I7"]);
    assert_eq!(broken(&whole(), |seen| seen.foreign_rows = 1), ["I7"]);
}

#[test]
fn operations_end_once_and_are_told_once() {
    let state = |seen: &mut Observed, state: &str| {
        seen.operations.insert("op1".to_owned(), state.to_owned());
    };
    assert_eq!(broken(&whole(), |seen| state(seen, "running")), ["I3"]);
    assert_eq!(broken(&whole(), |seen| state(seen, "failed")), ["I3"]);
    assert_eq!(broken(&whole(), |seen| seen.operations.clear()), ["I1"]);
    assert_eq!(broken(&whole(), |seen| seen.notifications.clear()), ["I3"]);
    let twice = |seen: &mut Observed| seen.notifications.push("op1".to_owned());
    assert_eq!(broken(&whole(), twice), ["I3"]);
    let unasked = |seen: &mut Observed| seen.final_events.push("op2".to_owned());
    assert_eq!(broken(&whole(), unasked), ["I3"]);
    let unheard = |seen: &mut Observed| seen.heard = Some(BTreeMap::new());
    assert_eq!(broken(&whole(), unheard), ["I3"]);
    // One event may come often; two events of one end may not.
    let other = |seen: &mut Observed| {
        let heard = seen.heard.get_or_insert_default();
        heard.insert("e2".to_owned(), "op1".to_owned());
    };
    assert_eq!(broken(&whole(), other), ["I3"]);
}

/// Cancelled and tried again, an operation ends twice, and both ends are told.
#[test]
fn every_end_of_an_operation_is_told() {
    let history = whole();
    history.again("op1");
    assert_eq!(broken(&history, |_| ()), ["I3", "I3", "I3"]);
    let told = |seen: &mut Observed| {
        let op = "op1".to_owned();
        seen.notifications.push(op.clone());
        seen.final_events.push(op.clone());
        seen.heard
            .get_or_insert_default()
            .insert("e2".to_owned(), op);
    };
    assert_eq!(broken(&history, told), [] as [&str; 0]);
}

#[test]
fn what_must_be_empty_at_the_end_is() {
    assert_eq!(broken(&whole(), |seen| seen.outbox = 1), ["I9"]);
    assert_eq!(broken(&whole(), |seen| seen.without_lease = 1), ["I10"]);
    assert_eq!(broken(&whole(), |seen| seen.stolen = 1), ["I10"]);
    assert_eq!(
        broken(&whole(), |seen| seen.idle_in_transaction = 1),
        ["D5"]
    );
    assert_eq!(broken(&whole(), |seen| seen.dead = 1), ["E3"]);
    assert_eq!(broken(&whole(), |seen| seen.dead_expected = 1), ["E3"]);
}

#[test]
fn what_a_reader_saw_counts() {
    let history = whole();
    history.anomaly("a reader saw 7".to_owned());
    assert_eq!(broken(&history, |_| {}), ["seen"]);
}

#[test]
fn a_removal_that_claims_too_much_is_found() {
    let mut removal = remove();
    removal.claim.changed = Some(3);
    assert_eq!(
        broken(&history([create(), write(), removal]), |_| {}),
        ["I2"]
    );
}

#[test]
fn clearing_and_taking_back() {
    let unclaimed = |effect| Command {
        claim: Claim::default(),
        ..command(effect, 0, 0)
    };
    let steps = [Effect::Clear, Effect::Undo, Effect::Drop, Effect::Restore];
    let all = [create(), write(), remove()];
    let history = history(all.into_iter().chain(steps.map(unclaimed)));
    assert_eq!(broken(&history, |_| {}), Vec::<&str>::new());
}

#[test]
fn a_copy_is_what_its_source_was() {
    let documents = vec!["D002".to_owned()];
    let copy = Command {
        claim: Claim {
            changed: Some(1),
            ..Claim::default()
        },
        ..command(
            Effect::CopyWithout {
                to: "a2".to_owned(),
                documents,
            },
            0,
            0,
        )
    };
    let history = history([create(), write(), remove(), copy]);
    let with_copy = |name: &'static str| {
        move |seen: &mut Observed| {
            let mut copy = seen.audiences["a1"].clone();
            copy.walked.remove(0);
            copy.paged.remove(0);
            copy.walked[0].1 = name.to_owned();
            copy.count -= 1;
            seen.audiences.insert("a2".to_owned(), copy);
        }
    };
    assert_eq!(broken(&history, with_copy("first")), Vec::<&str>::new());
    assert_eq!(broken(&history, with_copy("other")), ["I5"]);
}

#[test]
fn of_several_writers_the_last_word_of_each_may_stand() {
    let by = |writer: &str, name: &str, changed, repeated| Command {
        writer: writer.to_owned(),
        claim: Claim {
            changed: Some(changed),
            repeated,
            ..Claim::default()
        },
        ..command(
            Effect::Write {
                contacts: contacts(0..1, name),
            },
            0,
            0,
        )
    };
    let empty = Effect::Create {
        workspace: "one".to_owned(),
        contacts: Vec::new(),
    };
    let run_with = |claims: [u64; 3], shown: &'static str, repeated| {
        let [a, b, c] = claims;
        let all = [
            by("x", "old", a, repeated),
            by("x", "new", b, false),
            by("y", "other", c, false),
        ];
        let history = history([command(empty.clone(), 0, 0)].into_iter().chain(all));
        broken(&history, |seen| {
            let audience = seen.audiences.get_mut("a1").unwrap();
            audience.walked = contacts(0..1, shown);
            audience.paged = vec!["D000".to_owned()];
            audience.count = 1;
        })
    };
    let run = |claims, shown| run_with(claims, shown, false);
    assert_eq!(run([1, 0, 0], "new"), Vec::<&str>::new());
    assert_eq!(run([0, 0, 0], "new"), ["I2"]);
    assert_eq!(run_with([0, 0, 0], "new", true), Vec::<&str>::new());
    assert_eq!(run_with([1, 0, 1], "new", true), ["I2"]);
    assert_eq!(run([1, 0, 0], "other"), Vec::<&str>::new());
    assert_eq!(run([1, 0, 0], "old"), ["I5"]);
    assert_eq!(run([1, 0, 1], "new"), ["I2"]);
}

//! Histories that once went wrong, as short as they could be made.

use super::{
    command::{Command, Item, RuleSpec},
    world::{Doc, Values},
};

fn item(doc: Doc, name: u8) -> Item {
    Item::Good(doc, Values { name, phone: 0 })
}

fn crash(points: u32, command: Command) -> Command {
    let command = Box::new(command);
    Command::Crash { points, command }
}

fn recycle(rules: RuleSpec) -> Command {
    let (to_new, dry_run) = (false, false);
    Command::Recycle {
        at: 0,
        rules,
        to_new,
        dry_run,
    }
}

fn create(docs: &[Doc]) -> Command {
    let items = docs.iter().map(|doc| item(*doc, 0)).collect();
    Command::Create { ws: 0, items }
}

/// A request cut off between its stores was counted once per row, not once per document.
pub fn repeated_document_cut_off() -> Vec<Command> {
    let items = vec![item(2, 0), item(2, 1), item(3, 0)];
    vec![create(&[1]), crash(2, Command::Add { at: 0, items })]
}

/// What a recycling had marked before its first checkpoint was taken from the count, although the
/// contact had changed when it went on.
pub fn marked_before_the_first_checkpoint() -> Vec<Command> {
    let rules = RuleSpec {
        named: Some(0),
        ..RuleSpec::default()
    };
    let add = Command::Add {
        at: 0,
        items: vec![item(1, 1)],
    };
    vec![
        create(&[1, 2]),
        recycle(rules),
        crash(2, Command::Work { pool: 1 }),
        add,
    ]
}

/// An undo cut off before its flip forgot on the second try whom it had kept out.
pub fn undo_cut_off_with_an_opt_out() -> Vec<Command> {
    let rules = RuleSpec {
        documents: vec![1, 2],
        ..RuleSpec::default()
    };
    let undo = Command::Undo { op: 0 };
    let out = Command::OptOut {
        ws: 0,
        docs: vec![1],
    };
    let work = Command::Work { pool: 1 };
    vec![
        create(&[1, 2, 3]),
        recycle(rules),
        work,
        out,
        crash(2, undo.clone()),
        undo,
    ]
}

/// The same for a clear.
pub fn undo_of_a_clear_cut_off_with_an_opt_out() -> Vec<Command> {
    let undo = Command::Undo { op: 0 };
    let out = Command::OptOut {
        ws: 0,
        docs: vec![1],
    };
    vec![
        create(&[1, 2, 3]),
        Command::Clear { at: 0 },
        out,
        crash(2, undo.clone()),
        undo,
    ]
}

/// A file accepted before a clear and read after it won over everything written since.
pub fn file_from_before_a_clear() -> Vec<Command> {
    let rows = vec![item(2, 1)];
    let (at, items) = (0, vec![item(2, 2)]);
    let upload = Command::Upload { at: 0, rows };
    vec![
        create(&[1]),
        upload,
        Command::Clear { at: 0 },
        Command::Add { at, items },
        Command::Work { pool: 0 },
    ]
}

fn documents(documents: &[Doc]) -> RuleSpec {
    RuleSpec {
        documents: documents.to_vec(),
        ..RuleSpec::default()
    }
}

/// A recycling that was cancelled between two batches, and whose tombstones were deleted, went on from its
/// checkpoint when it was tried again: people were counted as removed who were members.
pub fn cancelled_then_purged_then_tried_again() -> Vec<Command> {
    let (pool, points) = (1, 3);
    vec![
        create(&[1, 2, 3, 4, 5, 6, 7, 8]),
        recycle(documents(&[1, 2, 5, 8])),
        Command::Interrupt { pool, points },
        Command::Purge,
        Command::Retry { op: 0 },
        Command::Work { pool },
    ]
}

/// A single removal cut off between its tombstone and the count left the count one too high for ever.
pub fn single_removal_cut_off() -> Vec<Command> {
    let remove = Command::RemoveOne { at: 0, doc: 2 };
    vec![create(&[1, 2, 3]), crash(2, remove)]
}

/// Rows of a file that was accepted before a removal brought back whom it had removed.
pub fn removed_one_by_one_before_the_file_is_read() -> Vec<Command> {
    let rows = vec![item(1, 1), item(2, 1), item(3, 1)];
    vec![
        create(&[1, 2]),
        Command::Upload { at: 0, rows },
        Command::RemoveOne { at: 0, doc: 2 },
        Command::Work { pool: 0 },
    ]
}

/// The same for a recycling.
pub fn recycled_before_the_file_is_read() -> Vec<Command> {
    let rows = vec![item(1, 1), item(2, 1), item(3, 1)];
    vec![
        create(&[1, 2]),
        Command::Upload { at: 0, rows },
        recycle(documents(&[2])),
        Command::Work { pool: 1 },
        Command::Work { pool: 0 },
    ]
}

/// An interrupted recycling waited for an older one that was tried again, and that one for it.
pub fn older_one_tried_again_beside_an_interrupted_one() -> Vec<Command> {
    let pool = 1;
    vec![
        create(&[1, 2, 3]),
        recycle(documents(&[1])),
        recycle(documents(&[2])),
        Command::Cancel { op: 1 },
        crash(3, Command::Work { pool }),
        Command::Retry { op: 1 },
        Command::Work { pool },
        Command::Work { pool },
    ]
}

/// What a plan was held against was taken for what the recycling found: contacts that had changed since went as
/// duplicates.
pub fn duplicates_as_the_plan_found_them() -> Vec<Command> {
    let with_phone = |doc, phone| Item::Good(doc, Values { name: 0, phone });
    let rules = RuleSpec {
        documents: vec![3],
        duplicates: Some(false),
        keep_audience: Some(0),
        ..RuleSpec::default()
    };
    vec![
        Command::Create {
            ws: 0,
            items: vec![with_phone(3, 0), with_phone(4, 3), with_phone(8, 3)],
        },
        create(&[9]),
        Command::Recycle {
            at: 0,
            rules,
            to_new: true,
            dry_run: true,
        },
        Command::Add {
            at: 0,
            items: vec![with_phone(8, 0)],
        },
    ]
}

/// Tried again after a clear, a cancelled recycling went on from its checkpoint in the content before: the number
/// of its removal was the same.
pub fn cancelled_then_cleared_then_tried_again() -> Vec<Command> {
    let rules = RuleSpec {
        documents: vec![2],
        ..RuleSpec::default()
    };
    vec![
        create(&[1, 2, 4, 9]),
        recycle(rules),
        Command::Interrupt { pool: 1, points: 4 },
        Command::Clear { at: 0 },
        Command::Retry { op: 1 },
        Command::Add {
            at: 0,
            items: vec![item(2, 0)],
        },
    ]
}

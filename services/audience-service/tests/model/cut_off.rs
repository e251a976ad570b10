//! What may be there when the process ends in a command.

use std::collections::BTreeSet;

use super::{
    command::{Command, Item},
    outcomes::{Atom, Ordering, run},
    world::{Doc, World},
};

/// Tells `found` of everything that may be there when the process ends in one of these orderings. With
/// `in_parts`, a store that writes the rows of one request one by one may have some of them.
pub fn cut_off(
    world: &World,
    orderings: &[Ordering],
    in_parts: bool,
    found: &mut dyn FnMut(World),
) {
    for ordering in orderings {
        for length in 0..=ordering.len() {
            let before = run(world, &ordering[..length]).0;
            if in_parts {
                halves(&before, &ordering[length..], None, found);
            }
            found(before);
        }
    }
}

/// Some of the rows of the next step are there, and some or all of what others write meanwhile.
fn halves(
    world: &World,
    steps: &[(usize, Atom)],
    cut: Option<usize>,
    found: &mut dyn FnMut(World),
) {
    let Some(((who, atom), rest)) = steps.split_first() else {
        return;
    };
    if cut == Some(*who) {
        return;
    }
    for half in parts(world, atom) {
        halves(&half, rest, Some(*who), found);
        found(half);
    }
    if cut.is_some() {
        let whole = run(world, &steps[..1]).0;
        halves(&whole, rest, cut, found);
        found(whole);
    }
}

/// The worlds in which some rows of a write are stored, but not all.
fn parts(world: &World, atom: &Atom) -> Vec<World> {
    let docs: BTreeSet<Doc> = match atom {
        Atom::Do(Command::Add { at, items }) if !world.audiences[*at].dropped => {
            let good = items.iter().filter_map(|item| item.good());
            good.map(|(doc, _)| doc).collect()
        }
        Atom::Apply(op, batch) => {
            let rows = world.ops[*op].batches_of_rows().into_iter().nth(*batch);
            rows.into_iter().flatten().map(|(doc, _)| doc).collect()
        }
        _ => return Vec::new(),
    };
    let docs: Vec<Doc> = docs.into_iter().collect();
    let some = |chosen: u32| {
        let chosen = |(bit, doc): (usize, &Doc)| (chosen >> bit & 1 == 1).then_some(*doc);
        let stored: BTreeSet<Doc> = docs.iter().enumerate().filter_map(chosen).collect();
        let mut world = world.clone();
        match atom {
            Atom::Apply(op, batch) => world.apply_part(*op, *batch, &stored),
            Atom::Do(Command::Add { at, items }) => {
                let is_stored =
                    |item: &&Item| item.good().is_some_and(|(d, _)| stored.contains(&d));
                let items: Vec<Item> = items.iter().filter(is_stored).copied().collect();
                world.add(*at, &items);
            }
            _ => {}
        }
        world
    };
    (1..(1_u32 << docs.len()).saturating_sub(1))
        .map(some)
        .collect()
}

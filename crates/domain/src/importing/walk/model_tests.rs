//! A small model of another side that changes while it is walked: whatever it does, once it is still
//! the next run holds its rows.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    page_size: 4,
    pages: 500,
    idle_pages: 3,
    passes: 3,
};

#[derive(Debug, Clone, Copy)]
enum Change {
    Insert { late: u64 },
    Delete { at: usize },
    Edit { at: usize },
}

#[derive(Debug, Clone, Copy)]
enum Order {
    OldestFirst,
    NewestFirst,
    ById,
    /// By an instant that many share, in another order at every request.
    Unstable,
}

/// Rows by id, each with its instant, which is its version as well.
#[derive(Debug, Clone, Default)]
struct Remote {
    rows: BTreeMap<u64, u64>,
    clock: u64,
    next_id: u64,
    requests: u64,
}

impl Remote {
    fn apply(&mut self, change: Change) {
        self.clock += 1;
        let id_at = |at: usize, rows: &BTreeMap<u64, u64>| {
            let place = at.checked_rem(rows.len())?;
            rows.keys().nth(place).copied()
        };
        match change {
            Change::Insert { late } => {
                self.rows
                    .insert(self.next_id, self.clock.saturating_sub(late));
                self.next_id += 1;
            }
            Change::Delete { at } => {
                id_at(at, &self.rows).and_then(|id| self.rows.remove(&id));
            }
            Change::Edit { at } => {
                if let Some(id) = id_at(at, &self.rows) {
                    self.rows.insert(id, self.clock);
                }
            }
        }
    }

    fn page(
        &mut self,
        page: u64,
        order: Order,
        tells: u8,
        still: bool,
    ) -> (Vec<(u64, u64)>, Totals) {
        self.requests += 1;
        let turn = if still { 0 } else { self.requests };
        let mut rows: Vec<_> = self.rows.iter().map(|(id, at)| (*id, *at)).collect();
        match order {
            Order::OldestFirst => rows.sort_by_key(|(id, at)| (*at, *id)),
            Order::NewestFirst => rows.sort_by_key(|(id, at)| (u64::MAX - at, *id)),
            Order::ById => {}
            Order::Unstable => rows.sort_by_key(|(id, at)| (at / 8, (id + turn) % 5, *id)),
        }
        let pages = (rows.len() as u64).div_ceil(4);
        let totals = Totals {
            pages: (tells & 1 > 0).then_some(pages),
            rows: (tells & 2 > 0).then_some(rows.len() as u64),
            more: (tells & 4 > 0).then_some(page < pages),
        };
        let keys = rows.chunks(4).nth(page as usize - 1).unwrap_or_default();
        (keys.to_vec(), totals)
    }
}

/// One run that stores what it reads; the changes come before its requests. Answers how it ended and
/// how many pages it asked for.
fn run(
    remote: &mut Remote,
    store: &mut BTreeMap<u64, u64>,
    changes: &mut impl Iterator<Item = Option<Change>>,
    order: Order,
    tells: u8,
    still: bool,
) -> (Result<End, WalkError>, u64) {
    let mut walk = Walk::new(LIMITS);
    let mut requests = 0;
    loop {
        let page = match walk.next() {
            Next::Page(page) => page,
            Next::Done(end) => return (Ok(end), requests),
        };
        if let Some(Some(change)) = changes.next() {
            remote.apply(change);
        }
        requests += 1;
        let (rows, totals) = remote.page(page, order, tells, still);
        let keys: Vec<u64> = rows.iter().map(|(id, _)| *id).collect();
        if let Err(error) = walk.arrived(&keys, &totals) {
            return (Err(error), requests);
        }
        store.extend(rows);
    }
}

fn change() -> impl Strategy<Value = Option<Change>> {
    prop_oneof![
        4 => Just(None),
        2 => (0..40_u64).prop_map(|late| Some(Change::Insert { late })),
        2 => (0..1000_usize).prop_map(|at| Some(Change::Delete { at })),
        3 => (0..1000_usize).prop_map(|at| Some(Change::Edit { at })),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::OldestFirst),
        Just(Order::NewestFirst),
        Just(Order::ById),
        Just(Order::Unstable),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn once_it_is_still_the_next_run_equals_its_rows(
        count in 0..60_u64,
        changes in proptest::collection::vec(change(), 0..60),
        order in order(),
        tells in 0..8_u8,
    ) {
        let mut remote = Remote { clock: count, next_id: count, ..Remote::default() };
        remote.rows = (0..count).map(|id| (id, id)).collect();
        let mut store = BTreeMap::new();
        let mut changes = changes.into_iter();
        while changes.len() > 0 {
            let (end, requests) = run(&mut remote, &mut store, &mut changes, order, tells, false);
            prop_assert!(requests < 400);
            prop_assert!(!matches!(end, Err(WalkError::TooManyPages)));
        }
        let (end, requests) =
            run(&mut remote, &mut store, &mut std::iter::empty(), order, tells, true);
        prop_assert_eq!(end, Ok(End::Complete));
        let pages = (remote.rows.len() as u64).div_ceil(4);
        let probe = u64::from(tells == 0);
        prop_assert_eq!(requests, (pages + probe).max(1), "a still list is read once");
        for (id, at) in &remote.rows {
            prop_assert_eq!(store.get(id), Some(at));
        }
    }

    /// Changes that only move rows, at a side that tells its totals: nothing waits for the next run.
    #[test]
    fn what_was_there_all_along_is_never_missed_by_a_complete_run(
        count in 1..60_u64,
        deletions in proptest::collection::vec(proptest::option::of(0..1000_usize), 0..30),
        order in prop_oneof![Just(Order::OldestFirst), Just(Order::NewestFirst), Just(Order::ById)],
    ) {
        let mut remote = Remote { clock: count, next_id: count, ..Remote::default() };
        remote.rows = (0..count).map(|id| (id, id)).collect();
        let mut store = BTreeMap::new();
        let mut changes = deletions.into_iter().map(|at| at.map(|at| Change::Delete { at }));
        let (end, _) = run(&mut remote, &mut store, &mut changes, order, 2, false);
        if end == Ok(End::Complete) {
            for id in remote.rows.keys() {
                prop_assert!(store.contains_key(id));
            }
        }
    }
}

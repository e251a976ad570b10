//! One page of a list, as far as it is understood.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{
    Counts, ExternalId,
    rows::{Entity, Quarantined, Row, RowKind},
};
use crate::shared::Instant;

/// What a page says about the whole list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many pages there are.
    pub pages: Option<u64>,
    /// How many rows there are.
    pub rows: Option<u64>,
    /// Whether more pages follow.
    pub more: Option<bool>,
}

impl Totals {
    /// These, with what they leave out taken from an earlier page of the same walk.
    #[must_use]
    pub(super) fn after(self, earlier: Self) -> Self {
        Self {
            pages: self.pages.or(earlier.pages),
            rows: self.rows.or(earlier.rows),
            more: self.more,
        }
    }

    /// Whether there is less than there was.
    pub(super) fn shrank_from(self, earlier: Self) -> bool {
        let less = |now: Option<u64>, then: Option<u64>| now.zip(then).is_some_and(|(n, t)| n < t);
        less(self.rows, earlier.rows) || less(self.pages, earlier.pages)
    }
}

/// A page that arrived whole. Every row delivered is one of [`Self::rows`], in quarantine, or left out because
/// the page has another of the same id.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    rows: Vec<Row<T>>,
    quarantined: Vec<Quarantined>,
    repeated: u64,
    keys: Vec<u64>,
    /// Where the row of an id is.
    places: HashMap<ExternalId, usize>,
    /// What it says about the list.
    pub totals: Totals,
    /// The other side's clock when it answered, in whole seconds, where it says so.
    pub clock: Option<Instant>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            quarantined: Vec::new(),
            repeated: 0,
            keys: Vec::new(),
            places: HashMap::new(),
            totals: Totals::default(),
            clock: None,
        }
    }
}

impl<T: Entity> Page<T> {
    /// Adds a row that was read. Of several of one id the one changed last counts, then the last one.
    pub fn add(&mut self, row: Row<T>) {
        self.keys.push(row.value.id().key());
        let place = self.places.get(row.value.id()).copied();
        let Some(earlier) = place.and_then(|at| self.rows.get_mut(at)) else {
            self.places.insert(row.value.id().clone(), self.rows.len());
            self.rows.push(row);
            return;
        };
        self.repeated += 1;
        if row.value.changed_at() >= earlier.value.changed_at() {
            *earlier = row;
        }
    }

    /// Adds a row, or a part of one, that cannot be read.
    pub fn quarantine(&mut self, row: Quarantined) {
        if row.kind == T::KIND {
            self.keys.push(row.walk_key());
        }
        self.quarantined.push(row);
    }

    /// Its rows, one per id.
    pub fn rows(&self) -> &[Row<T>] {
        &self.rows
    }

    /// Its rows, one per id, which it has no longer then.
    pub fn take_rows(&mut self) -> Vec<Row<T>> {
        self.places.clear();
        std::mem::take(&mut self.rows)
    }

    /// What cannot be read, parts of rows included.
    pub fn quarantined(&self) -> &[Quarantined] {
        &self.quarantined
    }

    /// What a walk remembers of every row delivered, in order.
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// Accounts for its rows: `taken` of them came into a store, where some were created and some updated.
    pub fn counts(&self, taken: usize, created: usize, updated: usize) -> Counts {
        let quarantined = self.quarantined_of(T::KIND);
        let received = taken as u64 + self.repeated + quarantined;
        let (created, updated) = (created as u64, updated as u64);
        Counts {
            received,
            created,
            updated,
            unchanged: received - quarantined - created - updated,
            quarantined,
        }
    }

    /// How many rows, or parts, of a kind cannot be read.
    pub fn quarantined_of(&self, kind: RowKind) -> u64 {
        let of_kind = |row: &&Quarantined| row.kind == kind;
        self.quarantined.iter().filter(of_kind).count() as u64
    }
}

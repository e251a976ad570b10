//! A long list that is computed, and the few rows in it that were changed.

use std::collections::BTreeMap;

/// The instants of the rows that are computed: row `i` has `first + i / group * step` milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Instants {
    pub first: i64,
    pub step: i64,
    pub group: u64,
}

impl Instants {
    pub fn at(self, row: u64) -> i64 {
        self.first + signed(row / self.group.max(1)) * self.step
    }

    /// Rows that come before one with this instant and number, in order of both.
    fn before(self, at: i64, row: u64) -> u64 {
        let group = self.group.max(1);
        let offset = at - self.first;
        if offset <= 0 && (offset < 0 || self.step == 0) {
            return 0;
        }
        let earlier = (offset as u64).div_ceil(self.step as u64) * group;
        if self.at(earlier) == at {
            row.clamp(earlier, earlier + group)
        } else {
            earlier
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number, for ever.
    pub row: u64,
    /// How often it was changed.
    pub version: u32,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// Rows 0 to `computed`, then those inserted.
#[derive(Debug, Clone)]
pub struct List {
    instants: Instants,
    computed: u64,
    next: u64,
    /// Rows changed or inserted: version and instant.
    changed: BTreeMap<u64, (u32, i64)>,
    /// Rows deleted, sorted.
    deleted: Vec<u64>,
    /// Computed rows that are no longer where they were: changed or deleted; sorted.
    moved: Vec<u64>,
    /// Changed and inserted rows by instant and number.
    by_instant: Vec<(i64, u64)>,
}

impl List {
    pub const fn new(computed: u64, instants: Instants) -> Self {
        Self {
            instants,
            computed,
            next: computed,
            changed: BTreeMap::new(),
            deleted: Vec::new(),
            moved: Vec::new(),
            by_instant: Vec::new(),
        }
    }

    /// Rows there are.
    pub fn len(&self) -> u64 {
        self.next - self.deleted.len() as u64
    }

    /// The latest instant of a computed row.
    pub fn last_instant(&self) -> i64 {
        self.instants.at(self.computed.saturating_sub(1))
    }

    pub fn insert(&mut self, at: i64) -> u64 {
        let row = self.next;
        self.next += 1;
        self.place(row, 0, at);
        row
    }

    /// The row of that number, or the one at that place when counting from the first again.
    pub fn nth(&self, number: u64) -> Option<Entry> {
        let number = number.checked_rem(self.len())?;
        Some(self.get(select(&self.deleted, number)))
    }

    /// The row of that number, unless it was deleted or never was.
    pub fn by_row(&self, row: u64) -> Option<Entry> {
        let there = row < self.next && self.deleted.binary_search(&row).is_err();
        there.then(|| self.get(row))
    }

    pub fn edit(&mut self, entry: Entry, at: i64) {
        self.unplace(entry);
        self.place(entry.row, entry.version + 1, at);
    }

    pub fn delete(&mut self, entry: Entry) {
        self.unplace(entry);
        self.changed.remove(&entry.row);
        let Err(place) = self.deleted.binary_search(&entry.row) else {
            return;
        };
        self.deleted.insert(place, entry.row);
    }

    fn unplace(&mut self, entry: Entry) {
        self.by_instant.retain(|(_, row)| *row != entry.row);
        if entry.row < self.computed
            && let Err(place) = self.moved.binary_search(&entry.row)
        {
            self.moved.insert(place, entry.row);
        }
    }

    fn place(&mut self, row: u64, version: u32, at: i64) {
        self.changed.insert(row, (version, at));
        let place = self.by_instant.partition_point(|other| *other < (at, row));
        self.by_instant.insert(place, (at, row));
    }

    fn get(&self, row: u64) -> Entry {
        let (version, at) = self
            .changed
            .get(&row)
            .copied()
            .unwrap_or_else(|| (0, self.instants.at(row)));
        Entry { row, version, at }
    }

    /// The row at a place in order of number.
    pub fn at_place_by_id(&self, place: u64) -> Entry {
        self.get(select(&self.deleted, place))
    }

    /// The row at a place in order of instant, the oldest first.
    pub fn at_place_by_instant(&self, place: u64) -> Entry {
        let position = |index: usize| {
            self.by_instant.get(index).map(|(at, row)| {
                let before = self.instants.before(*at, *row).min(self.computed);
                let gone = self.moved.partition_point(|moved| *moved < before) as u64;
                before - gone + index as u64
            })
        };
        let (mut low, mut high) = (0, self.by_instant.len());
        while low < high {
            let middle = low.midpoint(high);
            if position(middle).is_some_and(|at| at < place) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        match self.by_instant.get(low) {
            Some((_, row)) if position(low) == Some(place) => self.get(*row),
            _ => self.get(select(&self.moved, place - low as u64)),
        }
    }
}

/// The number at a place among all numbers but the sorted ones that are gone.
fn select(gone: &[u64], place: u64) -> u64 {
    let (mut low, mut high) = (0, gone.len());
    while low < high {
        let middle = low.midpoint(high);
        if gone
            .get(middle)
            .is_some_and(|gone| gone - middle as u64 <= place)
        {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    place + low as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same list, all of it in memory.
    fn sorted(entries: &BTreeMap<u64, Entry>) -> Vec<Entry> {
        let mut all: Vec<_> = entries.values().copied().collect();
        all.sort_by_key(|e| (e.at, e.row));
        all
    }

    #[test]
    fn places_are_those_of_a_list_in_memory() {
        for group in [1, 3, 7] {
            let instants = Instants {
                first: 1_000,
                step: 10,
                group,
            };
            let mut list = List::new(40, instants);
            let entry = |row| Entry {
                row,
                version: 0,
                at: instants.at(row),
            };
            let mut model: BTreeMap<u64, Entry> = (0..40).map(|row| (row, entry(row))).collect();
            let mut noise = group;
            for _ in 0..120 {
                noise = noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let number = noise >> 40;
                let at = 990 + (noise >> 20) as i64 % 500;
                match noise >> 62 {
                    0 => {
                        let row = list.insert(at);
                        model.insert(
                            row,
                            Entry {
                                row,
                                version: 0,
                                at,
                            },
                        );
                    }
                    1 | 2 => {
                        let old = list.nth(number).unwrap();
                        assert_eq!(model.get(&old.row), Some(&old));
                        list.edit(old, at);
                        let version = old.version + 1;
                        model.insert(
                            old.row,
                            Entry {
                                row: old.row,
                                version,
                                at,
                            },
                        );
                    }
                    _ => {
                        let old = list.nth(number).unwrap();
                        list.delete(old);
                        model.remove(&old.row);
                    }
                }
                assert_eq!(list.len(), model.len() as u64);
                let by_instant: Vec<_> = (0..list.len())
                    .map(|p| list.at_place_by_instant(p))
                    .collect();
                assert_eq!(by_instant, sorted(&model));
                let by_id: Vec<_> = (0..list.len()).map(|p| list.at_place_by_id(p)).collect();
                assert_eq!(by_id, model.values().copied().collect::<Vec<_>>());
            }
        }
    }
}

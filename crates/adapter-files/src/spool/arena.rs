//! Records in memory: one buffer of encoded records and a sorted index over it.

use super::file::{Encoded, Header, MAX_HEADER_BYTES};

/// Bytes of memory one index entry takes.
const ENTRY_BYTES: usize = size_of::<Entry>();

/// Most offsets fit an entry; a larger arena is sorted and written out before.
const MAX_BYTES: usize = u32::MAX as usize;

#[derive(Clone, Copy)]
struct Entry {
    /// First bytes of the key, which decide most comparisons without touching the record.
    prefix: u64,
    start: u32,
}

#[derive(Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Arena {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether another record stays within `budget` bytes of memory.
    pub(super) fn has_room(&self, key: &[u8], value: &[u8], budget: usize) -> bool {
        let bytes = self.bytes.len() + MAX_HEADER_BYTES + key.len() + value.len();
        bytes + (self.entries.len() + 1) * ENTRY_BYTES <= budget && bytes <= MAX_BYTES
    }

    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        // `has_room` keeps every start below 4 GiB.
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            prefix: prefix(key),
            start,
        });
        Header::new(key, value).write(&mut self.bytes);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        // Places grow with each push, so that comparing them last keeps equal keys in that order.
        self.entries.sort_unstable_by(|a, b| {
            a.prefix
                .cmp(&b.prefix)
                .then_with(|| record(bytes, *a).key().cmp(record(bytes, *b).key()))
                .then(a.start.cmp(&b.start))
        });
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Encoded<'_>> {
        self.entries.iter().map(|entry| record(&self.bytes, *entry))
    }

    /// Forgets the records and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

fn record(bytes: &[u8], entry: Entry) -> Encoded<'_> {
    let bytes = bytes.get(entry.start as usize..).unwrap_or_default();
    Header::read(bytes)
        .and_then(|header| header.split(bytes))
        .unwrap_or_default()
}

/// The first eight bytes, which sort as the key does except among equal ones.
pub(super) fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(key) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}

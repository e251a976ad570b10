//! Merging sorted runs.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::path::Path;

use ports::files::FileError;

use super::arena::prefix;
use super::file::{Encoded, SortedFile, SortedWriter};

/// Writes the records of all `runs` in order; of equal keys, those of earlier runs come first.
pub(super) fn merge<'a>(
    runs: impl IntoIterator<Item = &'a Path>,
    buffer_bytes: usize,
    writer: &mut SortedWriter,
) -> Result<(), FileError> {
    let mut sources = BinaryHeap::new();
    for (order, path) in runs.into_iter().enumerate() {
        let mut source = Source::open(path, buffer_bytes, order)?;
        if source.advance()? {
            sources.push(Box::new(source));
        }
    }
    while let Some(mut source) = sources.peek_mut() {
        writer.write(&source.record())?;
        if !source.advance()? {
            PeekMut::pop(source);
        }
    }
    Ok(())
}

/// A run and its first record that is not written yet.
struct Source {
    file: SortedFile,
    prefix: u64,
    order: usize,
}

impl Source {
    fn open(path: &Path, buffer_bytes: usize, order: usize) -> Result<Self, FileError> {
        let file = SortedFile::open(path, 0, buffer_bytes)?;
        Ok(Self {
            file,
            prefix: 0,
            order,
        })
    }

    fn advance(&mut self) -> Result<bool, FileError> {
        let found = self.file.advance()?;
        self.prefix = prefix(self.record().key());
        Ok(found)
    }

    fn record(&self) -> Encoded<'_> {
        self.file.current()
    }
}

/// The smallest key is the greatest source, as a heap gives the greatest first.
impl Ord for Source {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .prefix
            .cmp(&self.prefix)
            .then_with(|| other.record().key().cmp(self.record().key()))
            .then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Source {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Source {}

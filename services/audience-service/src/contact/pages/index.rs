//! Counted blocks of visible keys, and the look-up by position.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::contact::Document;
use ports::contacts::View;

/// Visible keys per block after a full count.
pub(super) const BLOCK: u64 = 256;
/// A block that has grown beyond this is cut again.
pub(super) const MAX_BLOCK: u64 = 4 * BLOCK;

/// Consecutive visible keys.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub last: Document,
    pub count: u64,
}

/// Cuts visible keys into blocks while something else walks them in their order.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    blocks: Vec<Block>,
    open: u64,
    last: Option<Document>,
}

impl Cutter {
    /// The next visible keys.
    pub fn push<'a>(&mut self, keys: impl Iterator<Item = &'a Document>) {
        for key in keys {
            self.open += 1;
            if self.open == BLOCK {
                self.blocks.push(Block {
                    last: key.clone(),
                    count: BLOCK,
                });
                (self.open, self.last) = (0, None);
            } else if self.open == 1 {
                // Any key of the last block does: whatever comes behind it belongs to it as well.
                self.last = Some(key.clone());
            }
        }
    }

    /// All blocks.
    pub(super) fn finish(mut self) -> Vec<Block> {
        if let Some(last) = self.last {
            self.blocks.push(Block {
                last,
                count: self.open,
            });
        }
        self.blocks
    }
}

/// One consistent state of a content, countable by position.
#[derive(Debug)]
pub(crate) struct Index {
    pub revision: i64,
    pub view: View,
    /// The last key of each block.
    lasts: Arc<[Document]>,
    /// Visible keys before each block.
    before: Vec<u64>,
    pub total: u64,
}

impl Index {
    pub fn new(revision: i64, view: View, blocks: Vec<Block>) -> Self {
        let counts: Vec<u64> = blocks.iter().map(|block| block.count).collect();
        let lasts = blocks.into_iter().map(|block| block.last).collect();
        Self::of(revision, view, lasts, counts.into_iter())
    }

    fn of(
        revision: i64,
        view: View,
        lasts: Arc<[Document]>,
        counts: impl Iterator<Item = u64>,
    ) -> Self {
        let mut total = 0;
        let before = counts
            .map(|count| {
                let start = total;
                total += count;
                start
            })
            .collect();
        Self {
            revision,
            view,
            lasts,
            before,
            total,
        }
    }

    /// The same blocks at a later revision, after their counts changed.
    ///
    /// # Errors
    /// The blocks that are to be counted instead: too large by now, or never so small.
    pub fn shifted(
        &self,
        revision: i64,
        shifts: &BTreeMap<usize, i64>,
    ) -> Result<Self, BTreeSet<usize>> {
        let shifted = |(block, shift): (&usize, &i64)| {
            let count = self.count(*block).checked_add_signed(*shift);
            let fits = count.filter(|count| *count <= MAX_BLOCK);
            fits.map(|count| (*block, count)).ok_or(*block)
        };
        let (mut counts, mut odd) = (BTreeMap::new(), BTreeSet::new());
        for found in shifts.iter().map(shifted) {
            match found {
                Ok((block, count)) => drop(counts.insert(block, count)),
                Err(block) => drop(odd.insert(block)),
            }
        }
        if !odd.is_empty() {
            return Err(odd);
        }
        let all = (0..self.lasts.len())
            .map(|block| counts.get(&block).copied().unwrap_or(self.count(block)));
        let (view, lasts) = (self.view.clone(), Arc::clone(&self.lasts));
        Ok(Self::of(revision, view, lasts, all))
    }

    fn count(&self, block: usize) -> u64 {
        let at = |block| self.before.get(block).copied().unwrap_or(self.total);
        at(block + 1) - at(block)
    }

    /// All blocks, in the order of their keys.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Block> {
        let block = |(at, last): (usize, &Document)| Block {
            last: last.clone(),
            count: self.count(at),
        };
        self.lasts.iter().enumerate().map(block)
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.lasts.is_empty()
    }

    /// Where to start for the key at `position`: after which document, and how many to skip.
    pub fn seek(&self, position: u64) -> (Option<&Document>, u64) {
        let block = self
            .before
            .partition_point(|start| *start <= position)
            .saturating_sub(1);
        let after = block.checked_sub(1).and_then(|b| self.lasts.get(b));
        (
            after,
            position - self.before.get(block).copied().unwrap_or(0),
        )
    }

    /// The block that a document belongs to. Those beyond the last key belong to the last block.
    pub fn block_of(&self, document: &Document) -> usize {
        let at = self.lasts.partition_point(|last| last < document);
        at.min(self.lasts.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(last: &str, count: u64) -> Block {
        Block {
            last: Document::from_stored(last.to_owned()),
            count,
        }
    }

    #[test]
    fn positions_fall_into_the_block_that_holds_them() {
        let blocks = vec![block("c", 3), block("d", 0), block("k", 5)];
        let index = Index::new(1, View::default(), blocks);
        let seek = |at| index.seek(at);
        let (c, d) = (
            Document::from_stored("c".into()),
            Document::from_stored("d".into()),
        );
        assert_eq!(index.total, 8);
        assert_eq!(seek(0), (None, 0));
        assert_eq!(seek(2), (None, 2));
        assert_eq!(seek(3), (Some(&d), 0));
        assert_eq!(seek(7), (Some(&d), 4));
        assert_eq!(index.block_of(&c), 0);
        assert_eq!(
            index.blocks().map(|b| b.count).collect::<Vec<_>>(),
            [3, 0, 5]
        );
        assert_eq!(index.block_of(&Document::from_stored("z".into())), 2);
    }

    #[test]
    fn counts_shift_as_long_as_a_block_is_not_too_large() {
        let blocks = vec![block("c", 3), block("d", 0), block("k", 5)];
        let index = Index::new(1, View::default(), blocks);
        let shifted = |shifts: &[(usize, i64)]| index.shifted(2, &shifts.iter().copied().collect());
        let later = shifted(&[(0, -3), (2, 1)]).unwrap();
        assert_eq!((later.revision, later.total), (2, 6));
        assert_eq!(later.seek(0), (Some(&Document::from_stored("d".into())), 0));
        let most = i64::try_from(MAX_BLOCK).unwrap();
        assert!(shifted(&[(1, most)]).is_ok());
        assert_eq!(
            shifted(&[(0, -4), (1, most + 1), (2, 1)]).unwrap_err(),
            [0, 1].into()
        );
    }
}

//! Counted blocks of visible keys, and the look-up by position.

use domain::contact::Document;
use ports::contacts::View;

/// Visible keys per block after a full count.
pub(super) const BLOCK: u64 = 512;

/// Consecutive visible keys.
#[derive(Debug, Clone)]
pub(super) struct Block {
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
pub(super) struct Index {
    pub revision: i64,
    pub view: View,
    pub blocks: Vec<Block>,
    /// Visible keys before each block.
    before: Vec<u64>,
    pub total: u64,
}

impl Index {
    pub fn new(revision: i64, view: View, blocks: Vec<Block>) -> Self {
        let mut total = 0;
        let before = blocks
            .iter()
            .map(|block| {
                let start = total;
                total += block.count;
                start
            })
            .collect();
        Self {
            revision,
            view,
            blocks,
            before,
            total,
        }
    }

    /// Where to start for the key at `position`: after which document, and how many to skip.
    pub fn seek(&self, position: u64) -> (Option<&Document>, u64) {
        let block = self
            .before
            .partition_point(|start| *start <= position)
            .saturating_sub(1);
        let after = block
            .checked_sub(1)
            .and_then(|b| self.blocks.get(b))
            .map(|b| &b.last);
        (
            after,
            position - self.before.get(block).copied().unwrap_or(0),
        )
    }

    /// The block that a document belongs to. Those beyond the last key belong to the last block.
    pub fn block_of(&self, document: &Document) -> usize {
        let at = self.blocks.partition_point(|block| block.last < *document);
        at.min(self.blocks.len().saturating_sub(1))
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
        assert_eq!(index.block_of(&Document::from_stored("z".into())), 2);
    }
}

//! Walking a list page by page while the other side changes it.
//!
//! No order is assumed, and rows may move between pages at any time. A walk remembers which rows a
//! pass over the list has seen. Where a row comes twice, where the totals shrink, or where fewer rows
//! were seen than there should be, pages have shifted: the walk steps back until a page has nothing
//! new, and the pass is not stable. Passes repeat until one is stable, at most three.
//!
//! A walk decides and does nothing: whoever drives it asks the page that it names, hands over what
//! came, and stores the rows, the [`Mark`] and the [`Checkpoint`] in one transaction.

mod pass;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use pass::Arrived;
pub use pass::Checkpoint;

use super::Totals;

/// Where a walk gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows asked for per page.
    pub page_size: u64,
    /// Most pages read in one pass.
    pub pages: u64,
    /// Most pages in a row that bring nothing new though more are said to follow.
    pub idle_pages: u32,
    /// Most passes over the whole list.
    pub passes: u32,
}

impl Limits {
    /// Of tickets and contacts.
    pub const LIST: Self = Self {
        page_size: 50,
        pages: 200_000,
        idle_pages: 3,
        passes: 3,
    };
    /// Of the messages of one ticket.
    pub const MESSAGES: Self = Self {
        page_size: 20,
        pages: 20_000,
        idle_pages: 3,
        passes: 3,
    };
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Ask for this page, 1 or more.
    Page(u64),
    /// The walk is over.
    Done(End),
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// One pass over the whole list was stable.
    Complete,
    /// None was: rows may be missing until the next run.
    Partial,
}

/// Why a walk cannot go on. Nothing of the page at hand is to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// Pages are said to follow for ever, but bring nothing new.
    #[error("several pages in a row brought nothing new")]
    NoProgress,
    /// More pages than any list has.
    #[error("the list has more pages than are read")]
    TooManyPages,
}

impl WalkError {
    /// Stable code in snake_case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoProgress => "no_progress",
            Self::TooManyPages => "too_many_pages",
        }
    }
}

/// The rows that a page added to those its pass has seen: stored with the page, so that a walk can be
/// taken up again. Those of earlier passes are no longer needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The pass, from 0.
    pub pass: u32,
    /// The request within the pass, from 1.
    pub request: u64,
    /// What is remembered of each new row.
    pub keys: Vec<u64>,
}

impl Mark {
    /// The keys as they are stored, eight bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.keys.iter().flat_map(|key| key.to_le_bytes()).collect()
    }

    /// The keys as a store returned them.
    pub fn keys_of(bytes: &[u8]) -> impl Iterator<Item = u64> {
        bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|key| u64::from_le_bytes(*key))
    }
}

/// A walk over one list.
#[derive(Debug, Clone)]
pub struct Walk {
    limits: Limits,
    state: Checkpoint,
    seen: HashSet<u64>,
}

impl Walk {
    /// A walk from page 1.
    pub fn new(limits: Limits) -> Self {
        Self::from_page(limits, 1)
    }

    /// A walk that begins in the middle, where an earlier run was cut off. The pass from there to the
    /// end comes in addition to those over the whole list: much may have shifted meanwhile.
    pub fn from_page(limits: Limits, page: u64) -> Self {
        Self {
            limits,
            state: Checkpoint::begin(page),
            seen: HashSet::new(),
        }
    }

    /// A walk taken up at its last checkpoint, with the keys of all marks of the checkpoint's pass.
    pub fn resume(
        limits: Limits,
        checkpoint: Checkpoint,
        keys: impl IntoIterator<Item = u64>,
    ) -> Self {
        Self {
            limits,
            state: checkpoint,
            seen: keys.into_iter().collect(),
        }
    }

    /// What to do next.
    pub const fn next(&self) -> Next {
        self.state.next()
    }

    /// What to store with the page at hand.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.state
    }

    /// Rows seen in this pass, and how many there are, where that is known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        let totals = self.state.totals;
        let by_pages = || {
            totals
                .pages
                .map(|pages| pages.saturating_mul(self.limits.page_size))
        };
        (self.seen.len() as u64, totals.rows.or_else(by_pages))
    }

    /// Takes the page that [`Self::next`] named: what is remembered of each of its rows in order,
    /// and its totals. A walk that is over takes nothing.
    ///
    /// # Errors
    /// When the list has no end, or does not lead there.
    pub fn arrived(&mut self, keys: &[u64], totals: &Totals) -> Result<Mark, WalkError> {
        let mut fresh = Vec::with_capacity(keys.len());
        let repeats = keys.iter().any(|key| self.seen.contains(key));
        for key in keys {
            if self.seen.insert(*key) {
                fresh.push(*key);
            }
        }
        let (pass, request) = (self.state.pass, self.state.requests + 1);
        let page = Arrived {
            keys,
            fresh: !fresh.is_empty(),
            repeats,
            distinct: self.seen.len() as u64,
            totals: *totals,
        };
        self.state.take(&page, &self.limits)?;
        if self.state.pass != pass {
            self.seen.clear();
        }
        Ok(Mark {
            pass,
            request,
            keys: fresh,
        })
    }
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

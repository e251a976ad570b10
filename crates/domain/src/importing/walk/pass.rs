//! One pass over the list, and when the next one is needed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{End, Limits, Next, Totals, WalkError};

/// All that a walk knows, but for the keys in its marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Passes over the whole list so far, this one included; 0 for one that began in the middle.
    pub(super) pass: u32,
    position: Position,
    /// Pages read in this pass.
    pub(super) requests: u64,
    /// Pages in a row without anything new.
    idle: u32,
    /// Whether pages have shifted in this pass.
    shifted: bool,
    /// Whether the number of rows was the same on all pages.
    steady: bool,
    /// Rows on the longest page, and on the one before: a page in the middle should not be shorter.
    longest: u64,
    previous_length: u64,
    pub(super) totals: Totals,
    /// Digest of what the pass delivered, page by page; and that of the pass before.
    digest: String,
    previous_digest: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    Forward {
        page: u64,
    },
    /// Reading again at `page`, after `from` was the furthest one; whether it was the last.
    Back {
        page: u64,
        from: u64,
        last: bool,
    },
    Done {
        end: End,
    },
}

/// A page as the pass sees it.
#[derive(Debug)]
pub(super) struct Arrived<'a> {
    pub keys: &'a [u64],
    /// Whether a row is new in this pass.
    pub fresh: bool,
    /// Whether a row was seen on an earlier page of this pass.
    pub repeats: bool,
    /// Rows seen in this pass, this page included.
    pub distinct: u64,
    pub totals: Totals,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self::begin(1)
    }
}

impl Checkpoint {
    pub(super) fn begin(page: u64) -> Self {
        let page = page.max(1);
        Self {
            pass: u32::from(page == 1),
            position: Position::Forward { page },
            requests: 0,
            idle: 0,
            shifted: false,
            steady: true,
            longest: 0,
            previous_length: 0,
            totals: Totals::default(),
            digest: String::new(),
            previous_digest: None,
        }
    }

    /// What to do next.
    pub const fn next(&self) -> Next {
        match self.position {
            Position::Forward { page } | Position::Back { page, .. } => Next::Page(page),
            Position::Done { end } => Next::Done(end),
        }
    }

    /// The last page that was read on the way, 0 when the walk is over or has just begun: the cursor
    /// `contacts:page`.
    pub const fn page_done(&self) -> u64 {
        match self.position {
            Position::Forward { page } | Position::Back { page, .. } => page.saturating_sub(1),
            Position::Done { .. } => 0,
        }
    }

    /// The pass whose marks are still needed.
    pub const fn pass(&self) -> u32 {
        self.pass
    }

    pub(super) fn take(&mut self, page: &Arrived<'_>, limits: &Limits) -> Result<(), WalkError> {
        if matches!(self.position, Position::Done { .. }) {
            return Ok(());
        }
        self.requests += 1;
        if self.requests > limits.pages {
            return Err(WalkError::TooManyPages);
        }
        let totals = page.totals.after(self.totals);
        let shrank = totals.shrank_from(self.totals);
        if self.requests > 1 && totals.rows != self.totals.rows {
            self.steady = false;
        }
        self.shifted |= shrank;
        self.totals = totals;
        let next = match self.position {
            Position::Forward { page: at } => self.forward(at, shrank, page, limits)?,
            Position::Back {
                page: at,
                from,
                last,
            } => self.back(at, from, last, shrank, page),
            done @ Position::Done { .. } => Some(done),
        };
        match next {
            Some(position) => self.position = position,
            None => self.end_pass(page.distinct, limits),
        }
        Ok(())
    }

    fn forward(
        &mut self,
        at: u64,
        shrank: bool,
        page: &Arrived<'_>,
        limits: &Limits,
    ) -> Result<Option<Position>, WalkError> {
        let length = page.keys.len() as u64;
        self.shifted |= page.repeats;
        self.longest = self.longest.max(length);
        let gap = self.requests > 1 && length > 0 && self.previous_length < self.longest;
        self.previous_length = length;
        self.extend_digest(at, page.keys);
        let last = !self.more_after(at, length, limits);
        if page.fresh || last {
            self.idle = 0;
        } else {
            self.idle += 1;
            if self.idle >= limits.idle_pages {
                return Err(WalkError::NoProgress);
            }
        }
        if (shrank || gap) && at > 1 {
            let page = at - 1;
            return Ok(Some(Position::Back {
                page,
                from: at,
                last,
            }));
        }
        Ok(onward(at, last))
    }

    /// A page that was read before: with new rows others have moved up, and the page before may have
    /// more of them; without, nothing is left to find.
    fn back(
        &mut self,
        at: u64,
        from: u64,
        last: bool,
        shrank: bool,
        page: &Arrived<'_>,
    ) -> Option<Position> {
        self.shifted |= page.fresh;
        let again = |page| Some(Position::Back { page, from, last });
        if shrank {
            return again(from);
        }
        if page.fresh && at > 1 {
            return again(at - 1);
        }
        let grown = self.totals.pages.is_some_and(|pages| pages > from);
        onward(from, last && !grown)
    }

    /// Whether any sign says that pages follow. Without signs only an empty page is the last one: a
    /// short one may have been cut.
    const fn more_after(&self, at: u64, length: u64, limits: &Limits) -> bool {
        let Totals { pages, rows, more } = self.totals;
        let size = if self.longest == 0 {
            limits.page_size
        } else {
            self.longest
        };
        let by_pages = matches!(pages, Some(pages) if at < pages);
        let by_rows = matches!(rows, Some(rows) if at.saturating_mul(size) < rows);
        let by_flag = matches!(more, Some(true));
        let no_sign = pages.is_none() && rows.is_none() && more.is_none();
        by_pages || by_rows || by_flag || no_sign && length > 0
    }

    fn end_pass(&mut self, distinct: u64, limits: &Limits) {
        let Totals { pages, rows, .. } = self.totals;
        let full = pages.map_or(0, |pages| {
            pages.saturating_sub(1).saturating_mul(self.longest)
        });
        let missing = rows.map_or(full > 0 && distinct <= full, |rows| distinct < rows);
        let shifted = self.shifted || missing;
        let all_counted = self.steady && rows == Some(distinct);
        let as_before = self.previous_digest.as_ref() == Some(&self.digest);
        let whole = self.pass > 0;
        if whole && (!shifted || all_counted || as_before) {
            self.position = Position::Done { end: End::Complete };
        } else if self.pass >= limits.passes {
            self.position = Position::Done { end: End::Partial };
        } else {
            let digest = std::mem::take(&mut self.digest);
            *self = Self {
                pass: self.pass + 1,
                previous_digest: whole.then_some(digest),
                ..Self::begin(1)
            };
        }
    }

    fn extend_digest(&mut self, at: u64, keys: &[u64]) {
        let mut hash = Sha256::new();
        hash.update(&self.digest);
        hash.update(at.to_le_bytes());
        keys.iter().for_each(|key| hash.update(key.to_le_bytes()));
        let bytes = hash.finalize();
        self.digest = bytes
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
    }
}

/// The position after the furthest page; none when it was the last.
const fn onward(from: u64, last: bool) -> Option<Position> {
    if last {
        None
    } else {
        Some(Position::Forward { page: from + 1 })
    }
}

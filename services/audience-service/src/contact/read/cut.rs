//! Cutting one page by number out of one state.
//!
//! The count comes from an index in memory and the rows from the contact store, which a write changes
//! before its count does. So the rows are read first, and only then is it looked up what was written
//! since the state that the index counts: where nothing of it lies within the rows, they are that
//! state's. Otherwise the page is cut again, at last in the content's turn, in which this process
//! writes nothing.

use std::{sync::Arc, time::Duration};

use domain::contact::Document;
use ports::{
    StoreError,
    contacts::{ContactRecord, ContactStore, View},
    store::{AudienceQueries, Content},
};
use tokio::time::timeout;

use crate::contact::{
    pages::{Base, PageIndexes},
    write::Writer,
};

/// How often a page is cut beside writers before it waits for the turn.
const TRIES: usize = 3;
/// How long a page waits for the turn.
const WAIT: Duration = Duration::from_secs(2);

/// One page by number and what it was cut from.
pub(super) struct Page {
    /// Visible contacts in the state the page was cut from.
    pub total: u64,
    /// The contacts.
    pub rows: Vec<ContactRecord>,
    /// The removals of that state.
    pub view: View,
}

/// Where a page lies.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Visible contacts before it.
    pub position: u64,
    /// Most contacts on it.
    pub limit: usize,
}

/// A page, and whether it is known to be of one state.
enum Cut {
    Whole(Page),
    Mixed(Page),
    /// Of a state of some time ago, while the present one is being counted: another try finds no other.
    Old(Page),
}

impl Place {
    /// The rows that a page has when so many contacts are visible.
    fn rows(self, total: u64) -> usize {
        let left = usize::try_from(total.saturating_sub(self.position));
        left.unwrap_or(usize::MAX).min(self.limit)
    }

    /// The count that fits the rows: what was counted before them, and the rows.
    fn total(self, counted: u64, rows: usize) -> u64 {
        let size = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let end = self.position.saturating_add(size(rows));
        match (rows, rows < self.limit) {
            (0, _) => counted.min(self.position),
            (_, true) => end,
            (_, false) => counted.max(end),
        }
    }
}

/// Cuts pages by number.
#[derive(Clone)]
pub struct CutPages {
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) pages: Arc<PageIndexes>,
    pub(crate) writer: Arc<Writer>,
}

impl CutPages {
    /// The page at `place`. Beside other writers whose writes cannot be told apart from it, its rows may
    /// be newer than what was counted before them; they and the count agree all the same.
    pub(super) async fn cut(&self, content: &Content, place: Place) -> Result<Page, StoreError> {
        let mut content = content.clone();
        for _ in 0..TRIES {
            if self.pages.follow(&content).is_none() {
                // Who wrote last may be about to tell: that is cheaper than any count.
                let turn = timeout(WAIT, self.writer.turn(content.key)).await;
                content = self.latest(content).await?;
                drop(turn);
            }
            match self.try_cut(&content, place).await? {
                Cut::Whole(page) => return Ok(page),
                Cut::Old(page) => return Ok(agreeing(page, place)),
                Cut::Mixed(_) => content = self.latest(content).await?,
            }
        }
        let turn = timeout(WAIT, self.writer.turn(content.key)).await;
        let cut = self.try_cut(&self.latest(content).await?, place).await?;
        drop(turn);
        Ok(match cut {
            Cut::Whole(page) => page,
            Cut::Mixed(page) | Cut::Old(page) => agreeing(page, place),
        })
    }

    async fn latest(&self, content: Content) -> Result<Content, StoreError> {
        let latest = self.queries.content(content.key).await?;
        Ok(latest.unwrap_or(content))
    }

    async fn try_cut(&self, content: &Content, place: Place) -> Result<Cut, StoreError> {
        let (index, base) = self.pages.current(content).await?;
        let mut page = Page {
            total: index.total,
            rows: Vec::new(),
            view: index.view.clone(),
        };
        let mut undisturbed = true;
        if place.position < index.total {
            let (after, skip) = index.seek(place.position);
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            let store = &self.contacts;
            page.rows = store
                .page(content.key, &page.view, after, skip, place.limit)
                .await?;
            let until = page.rows.last().filter(|_| page.rows.len() >= place.limit);
            let until = until.map(|row| row.document.clone());
            let within = |document: &Document| {
                after.is_none_or(|after| document > after)
                    && until.as_ref().is_none_or(|until| document <= until)
            };
            undisturbed = self.undisturbed(content, index.revision, within).await?;
        }
        Ok(match base {
            Base::Old => Cut::Old(page),
            Base::Exact if undisturbed => {
                if page.rows.len() != place.rows(page.total) {
                    self.pages
                        .distrust(content.key, page.rows.len(), page.total);
                    return Ok(Cut::Mixed(page));
                }
                Cut::Whole(page)
            }
            Base::Exact | Base::Unsure => Cut::Mixed(page),
        })
    }

    /// Whether no write after the revision, the open one included, was of such a document. To be asked
    /// after the rows were read: whatever they hold was announced before it was stored.
    async fn undisturbed(
        &self,
        content: &Content,
        revision: i64,
        within: impl Fn(&Document) -> bool,
    ) -> Result<bool, StoreError> {
        let queries = &self.queries;
        let Some(now) = queries.under_way(content.key).await? else {
            return Ok(false);
        };
        if now.documents.iter().any(&within) {
            return Ok(false);
        }
        if now.revision == revision {
            return Ok(true);
        }
        let (key, until) = (content.key, now.revision);
        let written = match self.pages.written_between(key, revision, until) {
            Some(documents) => Some(documents),
            None => queries.written_between(key, revision, until).await?,
        };
        Ok(written.is_some_and(|documents| !documents.iter().any(within)))
    }
}

/// The page with the count that its rows ask for.
fn agreeing(page: Page, place: Place) -> Page {
    Page {
        total: place.total(page.total, page.rows.len()),
        ..page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_always_fits_the_rows() {
        let place = |position, limit| Place { position, limit };
        for (counted, position, rows, total) in [
            // As counted.
            (1_455, 1_000, 455, 1_455),
            (1_455, 0, 1_000, 1_455),
            // More or fewer than counted.
            (1_455, 1_000, 506, 1_506),
            (1_455, 1_000, 400, 1_400),
            (1_455, 1_000, 1_000, 2_000),
            // None are left.
            (1_455, 1_000, 0, 1_000),
            (0, 0, 0, 0),
            (1_455, 2_000, 0, 1_455),
        ] {
            let place = place(position, 1_000);
            assert_eq!(
                place.total(counted, rows),
                total,
                "{counted} {position} {rows}"
            );
            assert_eq!(place.rows(total), rows);
        }
    }
}

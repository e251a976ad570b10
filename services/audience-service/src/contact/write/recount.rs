//! Counting a content anew, under its lock.

use domain::contact::Document;
use ports::{StoreError, contacts::ContentKey, store::ContentDelta};

use super::writer::Writer;
use crate::contact::view_of;

/// Keys counted at a time.
const COUNTED: u64 = 10_000;

impl Writer {
    /// Counts a content under its lock. For a write that was taken for abandoned and stored its rows
    /// all the same: which of them the repair has counted is not known, nor which of them page
    /// indexes have, so that they hear of these documents once more.
    pub(crate) async fn count_again(
        &self,
        key: ContentKey,
        documents: &[Document],
    ) -> Result<(), StoreError> {
        let held = self.hold(key, documents.to_vec()).await?;
        let (view, contacts) = (view_of(&held.content), &self.contacts);
        let (mut counted, mut after) = (0, None);
        loop {
            let span = contacts
                .count_span(key, &view, after.as_ref(), None, COUNTED)
                .await?;
            counted += i64::try_from(span.count).unwrap_or(0);
            if span.count < COUNTED {
                break;
            }
            after = span.last;
        }
        let delta = ContentDelta {
            contacts: counted - held.content.contacts,
            revived: Vec::new(),
        };
        tracing::warn!(audience = %key.audience, off = delta.contacts, "counted again after a late write");
        let content = self.close(&held, &delta).await?;
        self.touched(&content, &held, documents);
        Ok(())
    }
}

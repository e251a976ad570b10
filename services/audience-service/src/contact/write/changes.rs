//! Changes of contacts that are computed under the lock of their content.

use std::collections::BTreeSet;

use domain::{
    contact::Document,
    recycle::Reasons,
    shared::{RemovalNo, WorkspaceId},
};
use ports::{
    StoreError,
    contacts::{Applied, ContactRecord, ContentKey, Order, Priority, Tombstone},
    crash,
    store::{Content, ContentDelta},
};

use super::{
    classify::{Marks, account},
    pending::Orders,
    writer::{Held, Writer},
};
use crate::contact::view_of;

/// What becomes of contacts.
#[derive(Default)]
pub(crate) struct Changes {
    /// Those that are stored.
    pub stored: Vec<ContactRecord>,
    /// Those whom readers see until then, and no more.
    pub removed: BTreeSet<Document>,
}

impl Writer {
    /// Takes the lock of a content, with a request number, for changes of these documents.
    ///
    /// # Errors
    /// Store errors; a conflict where the content is no longer the current one.
    pub(crate) async fn hold_for_changes(
        &self,
        key: ContentKey,
        documents: Vec<Document>,
    ) -> Result<Held, StoreError> {
        let order = Orders::Next { receipt: None };
        self.hold_with(key, documents, &[order]).await
    }

    /// Makes changes of documents that the lock was taken for, and gives it back.
    ///
    /// # Errors
    /// Store errors. Repair counts what was stored until then.
    pub(crate) async fn change(
        &self,
        held: Held,
        workspace: &WorkspaceId,
        changes: Changes,
    ) -> Result<Content, StoreError> {
        let Changes { stored, removed } = changes;
        let key = held.content.key;
        let written = stored.iter().map(|row| row.document.clone());
        let documents: Vec<Document> = written.chain(removed.iter().cloned()).collect();
        held.ensure_trusted()?;
        let mut before = Vec::with_capacity(stored.len());
        if !stored.is_empty() {
            let rows: Vec<(Document, Order)> = stored
                .iter()
                .map(|row| (row.document.clone(), row.order))
                .collect();
            let applied = self
                .contacts
                .upsert(key, workspace, held.write, stored, Priority::Bulk)
                .await?;
            let known = rows.into_iter().zip(applied);
            before.extend(known.filter_map(|((document, order), applied)| {
                let previous = match applied {
                    Applied::Inserted => None,
                    Applied::Replaced(order) => Some(order),
                    Applied::Repeated { previous, .. } => previous,
                    Applied::Superseded => return None,
                };
                Some((document, order, previous))
            }));
        }
        crash::point("changes.contacts_stored");
        let mut delta = self.delta_of(&held, before).await?;
        // Readers saw each of them until now.
        delta.contacts -= i64::try_from(removed.len()).unwrap_or(i64::MAX);
        if !removed.is_empty() {
            // The order is of this write alone, so that repair knows whose they are.
            let order = Order::new(held.first_request, 0);
            let stone = |document| {
                let removal = RemovalNo::PERMANENT;
                Tombstone::uncounted(document, removal, order, Reasons::NONE)
            };
            let stones = removed.into_iter().map(stone).collect();
            self.contacts
                .put_tombstones(key, stones, Priority::Bulk)
                .await?;
        }
        crash::point("changes.tombstones_written");
        let content = match self.close(&held, &delta).await {
            Err(StoreError::StaleVersion) => {
                drop(held);
                self.count_again(key, &documents).await?;
                return Err(StoreError::Unavailable("the changes came too late".into()));
            }
            closed => closed?,
        };
        self.touched(&content, &held, &documents);
        Ok(content)
    }

    /// What stored rows change in the count, each with its order and that of the row it replaced.
    async fn delta_of(
        &self,
        held: &Held,
        stored: Vec<(Document, Order, Option<Order>)>,
    ) -> Result<ContentDelta, StoreError> {
        let replaced = stored.iter().filter(|(_, _, previous)| previous.is_some());
        let replaced: Vec<Document> = replaced.map(|(document, ..)| document.clone()).collect();
        let stones = if replaced.is_empty() {
            Vec::new()
        } else {
            let key = held.content.key;
            self.contacts.tombstones(key, &replaced).await?
        };
        let marks = Marks::new(stones, &view_of(&held.content));
        let mut delta = ContentDelta::default();
        for (document, order, previous) in &stored {
            account(&marks, document, *order, *previous, &mut delta);
        }
        Ok(delta)
    }
}

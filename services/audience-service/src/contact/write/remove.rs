//! Removing single contacts.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    contact::Document,
    recycle::Reasons,
    shared::{AudienceId, RemovalNo},
};
use ports::{
    StoreError,
    contacts::{ContentKey, Order, Priority, Tombstone, View},
    crash,
    store::{AudienceQueries, ContentDelta, Durability},
};
use tokio::sync::OwnedMutexGuard;

use super::{
    classify::Marks,
    pending::{CONTENT_GONE, Orders},
    writer::{Held, Writer},
};
use crate::{
    Actor, AppError, AppResult,
    audience::FindAudience,
    contact::{pages::Written, view_of},
};

/// Removes single contacts for good.
#[derive(Clone)]
pub struct RemoveContact {
    pub(crate) find: FindAudience,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) writer: Arc<Writer>,
}

impl RemoveContact {
    /// Removes one contact for good. A later write of the same document brings it back.
    ///
    /// # Errors
    /// `NotFound` where there is no such visible contact; `Conflict` on a dropped audience.
    #[tracing::instrument(name = "contact.remove", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        id: AudienceId,
        document: &Document,
    ) -> AppResult<()> {
        loop {
            let audience = self.find.visible(actor, id).await?;
            audience.ensure_live()?;
            audience.ensure_list()?;
            let content = self.find.content_of(&audience).await?;
            let (key, view) = (content.key, view_of(&content));
            let documents = std::slice::from_ref(document);
            // Without the lock: who removes nobody takes no place in the order of acceptance.
            let seen = self.writer.visible(key, &view, documents).await?;
            if seen.is_empty() && !self.is_under_way(key, document).await? {
                return Err(AppError::NotFound);
            }
            match self.writer.remove(key, document.clone()).await {
                // Cleared meanwhile: whether it is in what readers see now has to be asked again.
                Err(error) if error.is_conflict_on(CONTENT_GONE) => {}
                Ok(true) => return Ok(()),
                Ok(false) => return Err(AppError::NotFound),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether the open write of a content is of this document. Who is removed by it is counted until it
    /// ends, so that an answer before would contradict the count.
    async fn is_under_way(&self, key: ContentKey, document: &Document) -> Result<bool, StoreError> {
        let now = self.queries.under_way(key).await?;
        Ok(now.is_some_and(|now| now.documents.contains(document)))
    }
}

impl Writer {
    /// Removes contacts for good. Answers for each in turn whether a reader saw it until then, so that
    /// of two removals of the same one, one finds nothing.
    pub(super) async fn remove_batch(
        &self,
        key: ContentKey,
        documents: &[Document],
        turn: OwnedMutexGuard<()>,
    ) -> Result<Vec<bool>, StoreError> {
        let distinct: BTreeSet<Document> = documents.iter().cloned().collect();
        let distinct: Vec<Document> = distinct.into_iter().collect();
        let order = Orders::Next { receipt: None };
        let held = self.open(key, distinct.clone(), &[order], turn).await?;
        let seen = self.visible(key, &view_of(&held.content), &distinct).await;
        let mut gone = match seen {
            Ok(seen) if !seen.is_empty() => seen,
            nothing => {
                self.release(&held).await;
                return nothing.map(|_| vec![false; documents.len()]);
            }
        };
        self.put_tombstones(held, &gone).await?;
        Ok(documents.iter().map(|d| gone.remove(d)).collect())
    }

    async fn put_tombstones(
        &self,
        held: Held,
        gone: &BTreeSet<Document>,
    ) -> Result<(), StoreError> {
        let key = held.content.key;
        // The order is of this write alone, so that repair knows whose they are.
        let order = Order::new(held.first_request, 0);
        let stone = |document: &Document| {
            let (document, removal) = (document.clone(), RemovalNo::PERMANENT);
            Tombstone::uncounted(document, removal, order, Reasons::NONE)
        };
        let stones = gone.iter().map(stone).collect();
        held.ensure_trusted()?;
        self.contacts
            .put_tombstones(key, stones, Priority::Interactive)
            .await?;
        crash::point("remove.tombstones_written");
        let mut uow = self.store.begin(Durability::Full).await?;
        let delta = ContentDelta {
            contacts: -i64::try_from(gone.len()).unwrap_or(i64::MAX),
            revived: Vec::new(),
        };
        let content = match self.close_in(uow.as_mut(), &held, &delta).await {
            Err(StoreError::StaleVersion) => {
                drop((uow, held));
                let documents: Vec<Document> = gone.iter().cloned().collect();
                self.count_again(key, &documents).await?;
                return Err(StoreError::Unavailable("the removal came too late".into()));
            }
            closed => closed?,
        };
        uow.commit().await?;
        crash::point("remove.closed");
        let gone: Vec<Written<'_>> = gone.iter().map(|d| Written::by(d, -1)).collect();
        self.pages.written(&content, held.counted, &gone);
        Ok(())
    }

    /// Those of these documents whose contacts a reader sees.
    pub(in crate::contact) async fn visible(
        &self,
        key: ContentKey,
        view: &View,
        documents: &[Document],
    ) -> Result<BTreeSet<Document>, StoreError> {
        let found = self.contacts.get(key, documents).await?;
        let stones = self.contacts.tombstones(key, documents).await?;
        let marks = Marks::new(stones, view);
        let seen = found
            .into_iter()
            .filter(|c| marks.hider(&c.document, c.order).is_none());
        Ok(seen.map(|c| c.document).collect())
    }
}

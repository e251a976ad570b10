//! Removing one contact.

use domain::{
    contact::Document,
    recycle::Reasons,
    shared::{AudienceId, RemovalNo},
};
use ports::{
    StoreError,
    contacts::{ContentKey, Order, Priority, StoredContact, Tombstone, View},
    crash,
    store::{ContentDelta, Durability},
};

use super::{classify::Marks, counted::Written, view_of};
use crate::application::{Actor, App, AppError, AppResult};

impl App {
    /// Removes one contact for good. A later write of the same document brings it back.
    ///
    /// # Errors
    /// `NotFound` where there is no such visible contact; `Conflict` on a dropped audience.
    pub async fn remove_contact(
        &self,
        actor: &Actor,
        id: AudienceId,
        document: &Document,
    ) -> AppResult<()> {
        let audience = self.audience(actor, id).await?;
        audience.ensure_live()?;
        let content = self.content_of(&audience).await?;
        let key = content.key;
        // Without the lock: who removes nobody takes no place in the order of acceptance.
        self.visible(key, &view_of(&content), document)
            .await?
            .ok_or(AppError::NotFound)?;
        let documents = vec![document.clone()];
        let held = self.writer.hold_in_order(key, documents.clone()).await?;
        let found = self.visible(key, &view_of(&held.content), document).await;
        if !matches!(found, Ok(Some(_))) {
            self.writer.release(&held).await;
            found?.ok_or(AppError::NotFound)?;
        }
        // Its order is of this write alone, so that repair knows whose it is.
        let stone = Tombstone {
            document: document.clone(),
            removal: RemovalNo::PERMANENT,
            order: Order::new(held.first_request, 0),
            reasons: Reasons::NONE,
        };
        self.deps
            .contacts
            .entomb(key, vec![stone], Priority::Interactive)
            .await?;
        crash::point("remove.entombed");
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let delta = ContentDelta {
            contacts: -1,
            revived: Vec::new(),
        };
        let content = match self.writer.close_in(uow.as_mut(), &held, &delta).await {
            Err(StoreError::StaleVersion) => {
                drop((uow, held));
                self.writer.count_again(key, &documents).await?;
                return Err(StoreError::Unavailable("the removal came too late".into()).into());
            }
            closed => closed?,
        };
        uow.commit().await?;
        crash::point("remove.closed");
        let gone = Written::by(document, -1);
        self.pages.written(&content, held.counted, &[gone]);
        Ok(())
    }

    /// The contact of a document, if a reader sees it.
    async fn visible(
        &self,
        key: ContentKey,
        view: &View,
        document: &Document,
    ) -> AppResult<Option<StoredContact>> {
        let documents = std::slice::from_ref(document);
        let found = self.deps.contacts.get(key, documents).await?;
        let stones = self.deps.contacts.tombstones(key, documents).await?;
        let marks = Marks::new(stones, view);
        let seen = |c: &StoredContact| marks.hider(document, c.order).is_none();
        Ok(found.into_iter().next().filter(seen))
    }
}

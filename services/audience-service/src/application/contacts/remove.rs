//! Removing one contact.

use domain::{
    contact::Document,
    recycle::Reasons,
    shared::{AudienceId, RemovalNo},
};
use ports::{
    StoreError,
    contacts::{Priority, Tombstone},
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
        let key = self.content_of(&audience).await?.key;
        let documents = vec![document.clone()];
        let held = self.writer.hold(key, documents.clone()).await?;
        let contact = self
            .deps
            .contacts
            .get(key, &documents)
            .await?
            .into_iter()
            .next();
        let stones = self.deps.contacts.tombstones(key, &documents).await?;
        let marks = Marks::new(stones, &view_of(&held.content));
        let Some(contact) = contact.filter(|c| marks.hider(document, c.order).is_none()) else {
            self.writer.release(&held).await;
            return Err(AppError::NotFound);
        };
        let stone = Tombstone {
            document: document.clone(),
            removal: RemovalNo::PERMANENT,
            order: contact.order,
            reasons: Reasons::NONE,
        };
        self.deps
            .contacts
            .entomb(key, vec![stone], Priority::Interactive)
            .await?;
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
        let gone = Written::by(document, -1);
        self.pages.written(&content, held.counted, &[gone]);
        Ok(())
    }
}

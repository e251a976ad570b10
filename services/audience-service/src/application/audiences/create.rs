//! Creating an audience, with contacts in the same request if there are any.

use domain::{
    audience::{Audience, AudienceKind, AudienceStatus, Source, Tags, Visibility},
    shared::{AudienceId, AudienceName, Epoch},
};
use ports::store::{Durability, UnitOfWork};
use serde_json::{Value, json};

use crate::application::{
    Actor, App, AppError, AppResult, Ticket,
    contacts::{AddContacts, ContactsAdded, Orders},
    events,
};

/// A new audience.
#[derive(Debug)]
pub struct CreateAudience {
    /// Its name.
    pub name: AudienceName,
    /// Its labels.
    pub tags: Tags,
    /// Its status.
    pub status: AudienceStatus,
    /// What makes it.
    pub source: Source,
    /// Its first contacts.
    pub contacts: AddContacts,
}

/// A created audience and what became of its first contacts.
pub type Created = ContactsAdded;

impl App {
    /// Creates an audience and writes its first contacts.
    ///
    /// # Errors
    /// `Conflict` with `name_taken`; `Invalid` under `strict`; store errors.
    pub async fn create_audience(
        &self,
        actor: &Actor,
        ticket: Ticket,
        command: CreateAudience,
    ) -> AppResult<Created> {
        let CreateAudience {
            name,
            tags,
            status,
            source,
            contacts,
        } = command;
        let parsed = self.parse_contacts(contacts)?;
        let audience = self.new_audience(actor, name, tags, status, source);
        let (audience, orders) = self.add_once(ticket, audience).await?;
        self.wake.outbox();
        self.write_parsed(audience, parsed, orders).await
    }

    pub(crate) fn new_audience(
        &self,
        actor: &Actor,
        name: AudienceName,
        tags: Tags,
        status: AudienceStatus,
        source: Source,
    ) -> Audience {
        let now = self.deps.clock.now();
        Audience {
            id: AudienceId::from_raw(self.deps.ids.next()),
            workspace: actor.workspace.clone(),
            name,
            tags,
            status,
            kind: AudienceKind::Static,
            source,
            visibility: Visibility::Ready,
            version: 1,
            epoch: Epoch(1),
            contacts: 0,
            created_by: actor.user.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// Adds the audience unless an earlier run of this request did.
    async fn add_once(&self, ticket: Ticket, audience: Audience) -> AppResult<(Audience, Orders)> {
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let earlier = match ticket.keyed {
            true => uow.receipts().get(ticket.write_id).await?,
            false => None,
        };
        if let Some(earlier) = earlier {
            return self.found_again(uow, &audience, &earlier).await;
        }
        uow.audiences().add(&audience).await?;
        let key = ports::contacts::ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        let request = uow.contents().take_requests(key, 1).await?;
        if ticket.keyed {
            let receipt = json!({ "audience": audience.id.raw(), "request": request });
            uow.receipts().put(ticket.write_id, receipt).await?;
        }
        self.emit(&mut *uow, events::audience_created(&self.deps, &audience))
            .await?;
        uow.commit().await?;
        Ok((audience, Orders::Taken(request)))
    }

    async fn found_again(
        &self,
        mut uow: Box<dyn UnitOfWork>,
        asked: &Audience,
        receipt: &Value,
    ) -> AppResult<(Audience, Orders)> {
        let number = |name| receipt.get(name).and_then(Value::as_i64);
        let (Some(id), Some(request)) = (number("audience"), number("request")) else {
            return Err(ports::StoreError::Corrupt("a receipt of a creation").into());
        };
        let found = uow
            .audiences()
            .get(&asked.workspace, AudienceId::from_raw(id))
            .await?;
        Ok((found.ok_or(AppError::NotFound)?, Orders::Taken(request)))
    }
}

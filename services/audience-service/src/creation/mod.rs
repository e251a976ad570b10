//! Creating an audience, with contacts in the same request if there are any.

mod abandoned;

use std::sync::Arc;

pub use abandoned::AbandonedCreations;
use domain::{
    audience::{
        Audience, AudienceData, AudienceStatus, Definition, Icon, Source, Tags, Visibility,
    },
    shared::{AudienceId, AudienceName, Instant},
};
use kernel::receipt;
use ports::{
    StoreError, crash,
    store::{AudienceStore, Creation, Durability, UnitOfWork},
};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, AppResult, RequestId,
    audience::{AudienceVisibility, Look, NewAudiences, ensure_sound},
    contact::write::{AddContacts, ContactItems, ContactsAdded, Orders, Parsed, RowClass},
    events::Events,
};

/// A new audience.
#[derive(Debug)]
pub struct CreationRequest {
    /// Its name.
    pub name: AudienceName,
    /// Its labels.
    pub tags: Tags,
    /// Its picture.
    pub icon: Option<Icon>,
    /// Its status.
    pub status: AudienceStatus,
    /// Its conditions, if it has some.
    pub definition: Definition,
    /// What makes it.
    pub source: Source,
    /// Its first contacts.
    pub contacts: ContactItems,
}

/// A created audience and what became of its first contacts.
pub type Created = ContactsAdded;

/// How a creation that did not end is known as abandoned: nobody waits that long for a request.
const LEASE_SECONDS: u32 = 300;
/// The first request of a content that nobody else can write to.
const FIRST_REQUEST: Orders = Orders::Taken(0);

/// What a repetition of the request answers.
#[derive(Serialize, Deserialize)]
struct Receipt {
    audience: i64,
    number: i64,
    contacts: i64,
    created_at: Instant,
    updated_at: Instant,
    /// One letter per valid item: inserted, updated, or left unchanged.
    classes: String,
}

impl Receipt {
    fn of(created: &Created) -> Self {
        let letter = |class: RowClass| match class {
            RowClass::Inserted => 'i',
            RowClass::Updated => 'u',
            RowClass::Unchanged | RowClass::Superseded => '-',
        };
        let audience = &created.audience;
        Self {
            audience: audience.id.raw(),
            number: audience.number,
            contacts: audience.contacts,
            created_at: audience.created_at,
            updated_at: audience.updated_at,
            classes: created.classes.iter().map(|c| letter(c.1)).collect(),
        }
    }

    /// The answer that the receipt stands for; the rest of it is in the request.
    fn answer(self, asked: Audience, parsed: Parsed) -> Created {
        let class = |letter| match letter {
            'i' => RowClass::Inserted,
            'u' => RowClass::Updated,
            _ => RowClass::Unchanged,
        };
        let audience = Audience::from_stored(AudienceData {
            id: AudienceId::from_raw(self.audience),
            number: self.number,
            contacts: self.contacts,
            created_at: self.created_at,
            updated_at: self.updated_at,
            visibility: Visibility::Ready,
            ..asked.into_data()
        });
        parsed.written_before(audience, self.classes.chars().map(class).collect())
    }
}

/// Creates audiences, with contacts in the same request if there are any.
#[derive(Clone)]
pub struct CreateAudience {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) new: NewAudiences,
    pub(crate) add: AddContacts,
    pub(crate) visibility: AudienceVisibility,
    pub(crate) events: Events,
    pub(crate) abandoned: AbandonedCreations,
}

impl CreateAudience {
    /// Creates an audience and writes its first contacts. It shows with all of them, or not at all.
    ///
    /// # Errors
    /// `Conflict` with `name_taken`; `Invalid` under `strict`, and for what conditions name; store errors.
    #[tracing::instrument(name = "audience.create", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        command: CreationRequest,
    ) -> AppResult<Created> {
        let CreationRequest {
            name,
            tags,
            icon,
            status,
            definition,
            source,
            contacts,
        } = command;
        let parsed = self.add.parse(contacts)?;
        let mut audience = self.new.ready(actor, name, tags, status, source);
        audience = audience.with_icon(icon).defined(definition);
        if !parsed.is_empty() {
            audience = audience.hidden();
        }
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = self.created_earlier(uow.as_mut(), request_id).await? {
            return Ok(earlier.answer(audience, parsed));
        }
        uow.audiences().add(&mut audience).await?;
        let look = Look::Held(uow.as_mut());
        ensure_sound(look, &actor.workspace, None, &audience.definition).await?;
        if parsed.is_empty() {
            let created = parsed.written_before(audience, Vec::new());
            return self.show_created(uow, request_id, created).await;
        }
        let creation = Creation {
            workspace: audience.workspace.clone(),
            audience: audience.id,
            write_id: request_id.write_id,
        };
        uow.creations().begin(&creation, LEASE_SECONDS).await?;
        uow.commit().await?;
        crash::point("create.begun");
        let made = self.fill(request_id, audience, parsed).await;
        if made.is_err()
            && let Err(error) = self.drop_creation(&creation).await
        {
            // The lease lapses, and then it is dropped as if this process had ended.
            tracing::warn!(%error, audience = %creation.audience, "an unfinished audience stays");
        }
        made
    }

    /// Writes the contacts, then shows the audience.
    async fn fill(
        &self,
        request_id: RequestId,
        audience: Audience,
        parsed: Parsed,
    ) -> AppResult<Created> {
        let mut created = self
            .add
            .write_parsed(audience, parsed, FIRST_REQUEST)
            .await?;
        crash::point("create.before_flip");
        let mut uow = self.store.begin(Durability::Full).await?;
        let ended = uow.creations().end(created.audience.id).await;
        ended.map_err(|error| match error {
            StoreError::StaleVersion => StoreError::Unavailable("the request took too long".into()),
            error => error,
        })?;
        self.visibility
            .show(uow.as_mut(), &mut created.audience)
            .await?;
        self.show_created(uow, request_id, created).await
    }

    /// Commits what is created, with its event and with the answer for a repetition.
    async fn show_created(
        &self,
        mut uow: Box<dyn UnitOfWork>,
        request_id: RequestId,
        created: Created,
    ) -> AppResult<Created> {
        receipt::keep(uow.receipts(), request_id, &Receipt::of(&created)).await?;
        let event = self.events.audience_created(&created.audience)?;
        self.events.emit(uow.as_mut(), event).await?;
        uow.commit().await?;
        crash::point("create.flipped");
        self.events.sent();
        Ok(created)
    }

    /// What an earlier run of the request answered. What one left unfinished is dropped.
    async fn created_earlier(
        &self,
        uow: &mut dyn UnitOfWork,
        request_id: RequestId,
    ) -> AppResult<Option<Receipt>> {
        let earlier = receipt::earlier(uow.receipts(), request_id).await?;
        if earlier.is_some() || !request_id.keyed {
            return Ok(earlier);
        }
        let unfinished = uow.creations().end_of_request(request_id.write_id).await?;
        if let Some(creation) = unfinished {
            self.abandoned.abandon(uow, &creation).await?;
        }
        Ok(None)
    }

    async fn drop_creation(&self, creation: &Creation) -> AppResult<()> {
        let mut uow = self.store.begin(Durability::Full).await?;
        uow.creations().end(creation.audience).await?;
        self.abandoned.abandon(uow.as_mut(), creation).await?;
        Ok(uow.commit().await?)
    }
}

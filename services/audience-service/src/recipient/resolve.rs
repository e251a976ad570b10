//! Finds a part of the recipients of a communication.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    audience::Audience,
    contact::Document,
    customer::{Customer, CustomerId},
    scheduling::RecipientKey,
    shared::{AudienceId, WorkspaceId},
    workspace::{SendingRules, WorkspaceSettings},
};
use events::v1::{CommunicationDue, RecipientsResolved, ResolvedRecipient};
use kernel::directory::{Part, RecipientSource};
use ports::{
    Clock, SecretVault, StoreError,
    bus::Receipt,
    contacts::{ContactRecord, ContactStore, ContentKey},
    crash,
    store::{AudienceQueries, AudienceStore, Durability},
};

use super::{
    Wanted, WhoIsWanted,
    fresh::{Freshness, LOOK, STALE},
    route, suppressed,
    wanted::Asked,
};
use crate::{
    AppError, AppResult, contact::view_of, events::Events, segment::RefreshAudience,
    suppression::Hashes,
};

/// Members of an audience in one part.
const PART: usize = 1_000;

/// Finds recipients, part by part: each is found, told, and the next one asked for, in one transaction.
#[derive(Clone)]
pub struct ResolveRecipients {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) vault: Arc<dyn SecretVault>,
    pub(crate) refresh: RefreshAudience,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
}

/// A part of the members of an audience.
struct Members {
    recipients: Vec<ResolvedRecipient>,
    /// The last of them, where there may be more.
    last: Option<Document>,
    error: Option<&'static str>,
}

impl ResolveRecipients {
    /// Finds a part, once.
    ///
    /// # Errors
    /// `Corrupt` where the question is malformed, `StaleVersion` where the delivery was taken over; store errors.
    #[tracing::instrument(name = "recipients.resolve", skip_all)]
    pub async fn execute(
        &self,
        workspace: &WorkspaceId,
        asked: CommunicationDue,
        delivery: &Receipt,
    ) -> AppResult<()> {
        let now = self.clock.now();
        let part = match self.freshness(workspace, &asked).await? {
            Freshness::Fresh => self.find(workspace, asked).await?,
            Freshness::Later(asked) => return self.later(workspace, *asked, delivery).await,
            Freshness::Stale => self.nobody(workspace, asked, STALE).await?,
        };
        let mut uow = self.store.begin(Durability::Full).await?;
        let found = self.events.recipients_resolved(workspace, part.found)?;
        self.events.emit(uow.as_mut(), found).await?;
        if let Some(next) = part.next {
            let next = self.events.communication_due(workspace, next)?;
            self.events.emit(uow.as_mut(), next).await?;
        }
        uow.inbox().complete(delivery, now).await?;
        crash::point("recipients.resolving");
        uow.commit().await?;
        crash::point("recipients.resolved");
        self.events.sent();
        Ok(())
    }

    /// Asks again, later.
    async fn later(
        &self,
        workspace: &WorkspaceId,
        asked: CommunicationDue,
        delivery: &Receipt,
    ) -> AppResult<()> {
        let now = self.clock.now();
        let mut uow = self.store.begin(Durability::Full).await?;
        let again = self.events.communication_due(workspace, asked)?;
        uow.outbox().add(again, now + LOOK).await?;
        uow.inbox().complete(delivery, now).await?;
        uow.commit().await?;
        Ok(())
    }

    /// A part without anybody, the only one.
    async fn nobody(
        &self,
        workspace: &WorkspaceId,
        asked: CommunicationDue,
        code: &str,
    ) -> AppResult<Part> {
        let settings = self.queries.workspace_settings(workspace).await?;
        let mut found = about(&asked, &settings)?;
        found.parts = Some(asked.part + 1);
        found.error_code = Some(code.to_owned());
        Ok(Part { found, next: None })
    }

    /// A part, and what asks for the one after it.
    async fn find(&self, workspace: &WorkspaceId, asked: CommunicationDue) -> AppResult<Part> {
        let (wanted, who) = Wanted::read(workspace, &asked)
            .ok_or(StoreError::Corrupt("an id or a channel of recipients"))?;
        let settings = self.queries.workspace_settings(workspace).await?;
        let mut found = about(&asked, &settings)?;
        let mut next = None;
        let wanted = (&wanted, &settings);
        match who {
            WhoIsWanted::Customers(ids) => found.recipients = self.customers(&ids, wanted).await?,
            WhoIsWanted::Members(id, after) => {
                let part = self.members(id, after.as_ref(), wanted).await?;
                found.recipients = part.recipients;
                found.error_code = part.error.map(str::to_owned);
                match part.last {
                    None => found.parts = Some(asked.part + 1),
                    Some(last) => {
                        next = Some(CommunicationDue {
                            part: asked.part + 1,
                            after: Some(last.as_str().to_owned()),
                            ..asked
                        });
                    }
                }
            }
        }
        Ok(Part { found, next })
    }

    async fn customers(
        &self,
        ids: &[i64],
        (wanted, settings): Asked<'_>,
    ) -> AppResult<Vec<ResolvedRecipient>> {
        let numbers: Vec<CustomerId> = ids.iter().copied().map(CustomerId::from_raw).collect();
        let found = self
            .queries
            .customers_of(&wanted.workspace, &numbers)
            .await?;
        let found: BTreeMap<i64, Customer> = found
            .into_iter()
            .map(|customer| (customer.id.raw(), customer))
            .collect();
        let recipient = |id: &i64| match found.get(id) {
            Some(customer) => route::customer(customer, (wanted, settings)),
            None => route::unknown(*id, wanted),
        };
        let mut recipients: Vec<ResolvedRecipient> = ids.iter().map(recipient).collect();
        let document = |id: &i64| found.get(id)?.document.clone();
        let documents: Vec<Option<Document>> = ids.iter().map(document).collect();
        self.leave_out(&wanted.workspace, &mut recipients, &documents)
            .await?;
        Ok(recipients)
    }

    /// Leaves out who is suppressed.
    async fn leave_out(
        &self,
        workspace: &WorkspaceId,
        recipients: &mut [ResolvedRecipient],
        documents: &[Option<Document>],
    ) -> AppResult<()> {
        let vault = self.vault.clone();
        let known = (self.queries.as_ref(), &Hashes { vault });
        Ok(suppressed::leave_out(known, workspace, recipients, documents).await?)
    }

    async fn members(
        &self,
        id: AudienceId,
        after: Option<&Document>,
        (wanted, settings): Asked<'_>,
    ) -> AppResult<Members> {
        let workspace = &wanted.workspace;
        let gone = Members {
            recipients: Vec::new(),
            last: None,
            error: Some("audience_gone"),
        };
        let audience = self.queries.audience(workspace, id).await?;
        let there = |audience: &Audience| audience.is_visible() && audience.deleted_at.is_none();
        let Some(audience) = audience.filter(there) else {
            return Ok(gone);
        };
        let key = ContentKey {
            audience: audience.id,
            epoch: audience.epoch,
        };
        let Some(content) = self.queries.content(key).await? else {
            // It was cleared or refreshed at this moment.
            return Err(StoreError::Unavailable("the audience is changing".into()).into());
        };
        let view = view_of(&content);
        let contacts = self.contacts.scan(key, &view, after, PART).await?;
        let keys: Vec<&str> = contacts.iter().map(|c| c.document.as_str()).collect();
        let customers = self.queries.customers_of_keys(workspace, &keys).await?;
        let mut by_key: BTreeMap<String, Customer> = BTreeMap::new();
        for customer in customers {
            // People who share a document are one contact: the one who was registered first.
            by_key.entry(customer.key()).or_insert(customer);
        }
        let purpose = format!("recipient:{workspace}");
        let recipient = |contact: &ContactRecord| {
            let (document, body) = (&contact.document, &contact.body);
            let pseudonym = self.vault.pseudonym(&purpose, document.as_str());
            let pseudonym = RecipientKey::parse(&format!("k{pseudonym}"))
                .map_err(|_| StoreError::Corrupt("pseudonym of a contact"))?;
            let customer = by_key.get(document.as_str()).ok_or(&pseudonym);
            Ok(route::contact(document, body, customer, (wanted, settings)))
        };
        let recipients: Result<Vec<_>, StoreError> = contacts.iter().map(recipient).collect();
        let mut recipients = recipients?;
        let documents: Vec<Option<Document>> =
            contacts.iter().map(|c| Some(c.document.clone())).collect();
        self.leave_out(workspace, &mut recipients, &documents)
            .await?;
        let full = contacts.len() == PART;
        Ok(Members {
            recipients,
            last: contacts.last().filter(|_| full).map(|c| c.document.clone()),
            error: None,
        })
    }
}

#[async_trait]
impl RecipientSource for ResolveRecipients {
    async fn part(
        &self,
        workspace: &WorkspaceId,
        ask: CommunicationDue,
    ) -> Result<Part, StoreError> {
        self.find(workspace, ask)
            .await
            .map_err(|error| match error {
                AppError::Store(error) => error,
                error => StoreError::Internal(Box::new(error)),
            })
    }
}

/// A part without anybody yet.
fn about(
    asked: &CommunicationDue,
    settings: &WorkspaceSettings,
) -> Result<RecipientsResolved, StoreError> {
    Ok(RecipientsResolved {
        communication_id: asked.communication_id.clone(),
        occurrence: asked.occurrence,
        part: asked.part,
        parts: asked.parts,
        zone: settings.notation.zone.name().to_owned(),
        sending_rules: rules(settings)?,
        ..RecipientsResolved::default()
    })
}

/// The rules of a workspace, as the event has them.
fn rules(settings: &WorkspaceSettings) -> Result<Option<String>, StoreError> {
    if settings.sending == SendingRules::default() {
        return Ok(None);
    }
    serde_json::to_string(&settings.sending)
        .map(Some)
        .map_err(|error| StoreError::Internal(Box::new(error)))
}

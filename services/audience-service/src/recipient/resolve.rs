//! Finds a part of the recipients of a communication.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    audience::Audience,
    contact::Document,
    customer::{Channel, Customer, CustomerId},
    scheduling::RecipientKey,
    shared::{AudienceId, WorkspaceId},
    workspace::ConsentRule,
};
use events::v1::{CommunicationDue, RecipientsResolved, ResolvedRecipient};
use ports::{
    Clock, SecretVault, StoreError,
    bus::Receipt,
    contacts::{ContactRecord, ContactStore, ContentKey},
    crash,
    store::{AudienceQueries, AudienceStore, Durability},
};

use super::route;
use crate::{AppResult, contact::view_of, events::Events};

/// Members of an audience in one part.
const PART: usize = 1_000;

/// What is asked about each recipient.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Where they are to be reached.
    pub channels: Vec<Channel>,
    /// Names of values that texts need.
    pub placeholders: Vec<String>,
    /// Whether what they said about marketing does not count.
    pub transactional: bool,
}

/// Who is asked about.
#[derive(Debug, Clone)]
pub enum WhoIsWanted {
    /// Customers by number.
    Customers(Vec<i64>),
    /// Members of an audience, after one of them.
    Members(AudienceId, Option<Document>),
}

/// Finds recipients, part by part: each is found, told, and the next one asked for, in one transaction.
#[derive(Clone)]
pub struct ResolveRecipients {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) vault: Arc<dyn SecretVault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
}

/// A part of the members of an audience.
struct Part {
    recipients: Vec<ResolvedRecipient>,
    /// The last of them, where there may be more.
    last: Option<Document>,
    error: Option<&'static str>,
}

impl ResolveRecipients {
    /// Finds a part, once.
    ///
    /// # Errors
    /// `StaleVersion` where the delivery was taken over; store errors.
    #[tracing::instrument(name = "recipients.resolve", skip_all)]
    pub async fn execute(
        &self,
        asked: CommunicationDue,
        wanted: &Wanted,
        who: WhoIsWanted,
        delivery: &Receipt,
    ) -> AppResult<()> {
        let now = self.clock.now();
        let mut answer = RecipientsResolved {
            communication_id: asked.communication_id.clone(),
            occurrence: asked.occurrence,
            part: asked.part,
            parts: asked.parts,
            ..RecipientsResolved::default()
        };
        let mut next = None;
        let settings = self.queries.workspace_settings(&wanted.workspace).await?;
        let wanted = (wanted, settings.consent);
        match who {
            WhoIsWanted::Customers(ids) => answer.recipients = self.customers(&ids, wanted).await?,
            WhoIsWanted::Members(id, after) => {
                let part = self.members(id, after.as_ref(), wanted).await?;
                answer.recipients = part.recipients;
                answer.error_code = part.error.map(str::to_owned);
                match part.last {
                    None => answer.parts = Some(asked.part + 1),
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
        let (wanted, _) = wanted;
        let mut uow = self.store.begin(Durability::Full).await?;
        let found = self.events.recipients_resolved(&wanted.workspace, answer)?;
        self.events.emit(uow.as_mut(), found).await?;
        if let Some(next) = next {
            let next = self.events.communication_due(&wanted.workspace, next)?;
            self.events.emit(uow.as_mut(), next).await?;
        }
        uow.inbox().complete(delivery, now).await?;
        crash::point("recipients.resolving");
        uow.commit().await?;
        crash::point("recipients.resolved");
        self.events.sent();
        Ok(())
    }

    async fn customers(
        &self,
        ids: &[i64],
        (wanted, rule): (&Wanted, ConsentRule),
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
            Some(customer) => route::customer(customer, (wanted, rule)),
            None => route::unknown(*id, wanted),
        };
        Ok(ids.iter().map(recipient).collect())
    }

    async fn members(
        &self,
        id: AudienceId,
        after: Option<&Document>,
        (wanted, rule): (&Wanted, ConsentRule),
    ) -> AppResult<Part> {
        let workspace = &wanted.workspace;
        let gone = Part {
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
            Ok(route::contact(document, body, customer, (wanted, rule)))
        };
        let recipients: Result<Vec<_>, StoreError> = contacts.iter().map(recipient).collect();
        let full = contacts.len() == PART;
        Ok(Part {
            recipients: recipients?,
            last: contacts.last().filter(|_| full).map(|c| c.document.clone()),
            error: None,
        })
    }
}

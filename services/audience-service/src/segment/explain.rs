//! Why somebody is a member, or is not.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    contact::Document,
    customer::{Customer, CustomerEvent, CustomerId},
    recycle::OutcomeFact,
    segment::{CustomerFacts, Explanation as Reasons, Life, Predicate, Reference, RfmScores},
    shared::{AudienceId, Instant},
};
use ports::{
    Clock,
    store::{AudienceQueries, CustomerLookup, EventFilter},
};

use super::{
    conditions::{Named, ReadConditions},
    no_segment,
};
use crate::{
    Actor, AppError, AppResult,
    audience::FindAudience,
    contact::read::{Lookup, ReadContacts},
};

/// Most events of a customer that are looked at.
const EVENTS: i64 = 100_000;

/// Who is asked about.
#[derive(Debug, Clone)]
pub enum Whom {
    /// The customer of this number.
    Customer(CustomerId),
    /// The customer of this document who was registered first.
    Document(Document),
}

/// Why, and what holds now.
pub type Explanation = Reasons;

/// Why somebody is a member, or is not.
#[derive(Debug)]
pub struct Explained {
    /// Who.
    pub customer: CustomerId,
    /// Whether it is among the members that readers see.
    pub is_member: bool,
    /// What became of the conditions.
    pub reasons: Explanation,
    /// As of when.
    pub at: Instant,
}

/// Says why somebody is a member, or is not.
#[derive(Clone)]
pub struct ExplainMembership {
    pub(crate) find: FindAudience,
    pub(crate) read: ReadConditions,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: ReadContacts,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What is known of the person.
struct Known {
    customer: Customer,
    events: Vec<CustomerEvent>,
    outcomes: Vec<OutcomeFact>,
    rfm: Option<RfmScores>,
}

impl ExplainMembership {
    /// Why somebody is a member of a segment, or is not, by what is known of them now.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` on an audience without conditions.
    #[tracing::instrument(name = "segment.explain", skip_all)]
    pub async fn execute(&self, actor: &Actor, id: AudienceId, whom: Whom) -> AppResult<Explained> {
        let audience = self.find.visible(actor, id).await?;
        if !audience.definition.is_segment() {
            return Err(no_segment());
        }
        let definition = &audience.definition;
        let predicate = self.read.parse(&actor.workspace, definition).await?;
        let known = self.known(actor, whom).await?;
        let named = self.read.named(&actor.workspace, &predicate).await?;
        let at = self.clock.now();
        let audiences = self.member_of(actor, &known, &named, at).await?;
        Ok(Explained {
            customer: known.customer.id,
            is_member: self.is_in(actor, id, &known.customer).await?,
            reasons: predicate.explain(&known.facts(&audiences), at),
            at,
        })
    }

    async fn known(&self, actor: &Actor, whom: Whom) -> AppResult<Known> {
        let (queries, workspace) = (&self.queries, &actor.workspace);
        let found = match whom {
            Whom::Customer(id) => queries.customer(workspace, id).await?,
            Whom::Document(document) => {
                let by = CustomerLookup::Document(document);
                queries.look_up_customers(workspace, &by, 1).await?.pop()
            }
        };
        let customer = found.ok_or(AppError::NotFound)?;
        let filter = EventFilter {
            limit: EVENTS,
            ..EventFilter::default()
        };
        let events = queries
            .customer_events(workspace, customer.id, &filter)
            .await?;
        let outcomes = match &customer.document {
            Some(document) => queries.facts_of(workspace, document).await?.0,
            None => Vec::new(),
        };
        let rfm = queries.scores_of(workspace, customer.id).await?;
        Ok(Known {
            rfm,
            customer,
            events,
            outcomes,
        })
    }

    /// The audiences that conditions name and that the person is a member of. Those whose conditions name
    /// others are looked at after these.
    async fn member_of(
        &self,
        actor: &Actor,
        known: &Known,
        named: &Named,
        at: Instant,
    ) -> AppResult<BTreeSet<AudienceId>> {
        let mut members = BTreeSet::new();
        for (id, ..) in &named.lists {
            if self.is_in(actor, *id, &known.customer).await? {
                members.insert(*id);
            }
        }
        let mut open: Vec<(AudienceId, &Predicate)> = Vec::new();
        for (id, reference) in &named.references {
            if let Reference::Conditions(predicate) = reference {
                open.push((*id, predicate));
            }
        }
        while !open.is_empty() {
            let waiting: BTreeSet<AudienceId> = open.iter().map(|(id, _)| *id).collect();
            let ready = |predicate: &Predicate| predicate.audiences().is_disjoint(&waiting);
            let (now, later): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, p)| ready(p));
            if now.is_empty() {
                break;
            }
            for (id, predicate) in now {
                if predicate.matches(&known.facts(&members), at) {
                    members.insert(id);
                }
            }
            open = later;
        }
        Ok(members)
    }

    async fn is_in(&self, actor: &Actor, id: AudienceId, customer: &Customer) -> AppResult<bool> {
        let document = Document::from_stored(customer.key());
        let found = self.contacts.lookup(actor, id, &document).await?;
        Ok(matches!(found, Lookup::Member(_)))
    }
}

impl Known {
    fn facts<'a>(&'a self, audiences: &'a BTreeSet<AudienceId>) -> CustomerFacts<'a> {
        CustomerFacts {
            customer: &self.customer,
            life: Life {
                consents: &self.customer.consents,
                events: &self.events,
                outcomes: &self.outcomes,
                rfm: self.rfm,
                audiences,
            },
        }
    }
}

//! What customers did, as other systems report it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    customer::{CustomerEvent, CustomerId, CustomerKey, NewEvent, parse_event},
    shared::{Instant, ItemError},
};
use kernel::receipt;
use ports::{
    Clock, IdGenerator,
    store::{AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Refusal;
use crate::{Actor, AppResult, RequestId};

/// Most events of one request.
pub const MAX_EVENTS: usize = 1_000;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventResult {
    /// It is new.
    Recorded,
    /// One of its id was reported before.
    Repeated,
    /// It was refused.
    Rejected,
}

impl EventResult {
    /// The value as it is written in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Repeated => "repeated",
            Self::Rejected => "rejected",
        }
    }
}

/// What became of an event, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventOutcome {
    /// What.
    pub result: EventResult,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

type Resolved = Result<CustomerEvent, Refusal>;

/// Records what customers did.
#[derive(Clone)]
pub struct RecordEvents {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) kept: TimeDelta,
}

impl RecordEvents {
    /// Stores events of customers that exist, each once; one outcome for each item.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "customer.record_events", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        items: Vec<Value>,
    ) -> AppResult<Vec<EventOutcome>> {
        let now = self.clock.now();
        let oldest = now - self.kept;
        let parse = |item| parse_event(item, now, oldest);
        let items: Vec<_> = items.into_iter().map(parse).collect();
        let keys: Vec<_> = items.iter().flatten().map(|e| e.customer.clone()).collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = receipt::earlier(uow.receipts(), request_id).await? {
            return Ok(earlier);
        }
        let mut known: HashMap<CustomerKey, CustomerId> = HashMap::new();
        let mut repository = uow.customer_events();
        for (id, identity) in repository.identify(&actor.workspace, &keys).await? {
            known.insert(CustomerKey::Id(id), id);
            known.insert(CustomerKey::Identity(identity), id);
        }
        let resolve = |item| self.resolve(&known, item, now);
        let items: Vec<Resolved> = items.into_iter().map(resolve).collect();
        let events: Vec<_> = items.iter().flatten().cloned().collect();
        let new = repository.add(&actor.workspace, &events).await?;
        drop(repository);
        let outcomes = outcomes(items, new);
        receipt::keep(uow.receipts(), request_id, &outcomes).await?;
        uow.commit().await?;
        Ok(outcomes)
    }

    fn resolve(
        &self,
        known: &HashMap<CustomerKey, CustomerId>,
        item: Result<NewEvent, ItemError>,
        now: Instant,
    ) -> Resolved {
        let event = item?;
        let customer = known.get(&event.customer);
        Ok(CustomerEvent {
            id: self.ids.next(),
            customer: *customer.ok_or_else(Refusal::unknown_customer)?,
            key: event.key,
            name: event.name,
            time: event.time,
            properties: event.properties,
            amount: event.amount,
            received_at: now,
        })
    }
}

/// One outcome for each item; `new` tells of those that were not refused, in their order.
fn outcomes(items: Vec<Resolved>, new: Vec<bool>) -> Vec<EventOutcome> {
    let mut new = new.into_iter();
    let outcome = |item: Resolved| {
        let (result, refusal) = match item {
            Ok(_) if new.next() == Some(true) => (EventResult::Recorded, None),
            Ok(_) => (EventResult::Repeated, None),
            Err(refusal) => (EventResult::Rejected, Some(refusal)),
        };
        EventOutcome { result, refusal }
    };
    items.into_iter().map(outcome).collect()
}

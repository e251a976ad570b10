//! What the API writes.

use domain::{
    customer::{
        Customer, CustomerId, CustomerItem, CustomerKey, CustomerPatch, Identity, parse_customer,
    },
    shared::{Instant, ItemError, Violation},
};
use kernel::receipt;
use ports::{
    Clock,
    store::{AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

use super::{MAX_VIOLATIONS, Refusal, book::Book, invalid};
use crate::{Actor, AppError, AppResult, RequestId};

/// Most customers of one request: they are written in one transaction.
pub const MAX_CUSTOMERS: usize = 10_000;

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerResult {
    /// A new customer.
    Created,
    /// It changed one.
    Updated,
    /// Everything is as it says already.
    Unchanged,
    /// It was refused.
    Rejected,
}

impl CustomerResult {
    /// The value as it is written in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }
}

/// What became of an item, and of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerOutcome {
    /// What.
    pub result: CustomerResult,
    /// The customer's number, unless the item was refused.
    pub id: Option<i64>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

impl CustomerOutcome {
    fn of(result: CustomerResult, id: CustomerId) -> Self {
        Self {
            result,
            id: Some(id.raw()),
            refusal: None,
        }
    }

    fn refused(refusal: Refusal) -> Self {
        Self {
            result: CustomerResult::Rejected,
            id: None,
            refusal: Some(refusal),
        }
    }
}

/// Whether an item may make a customer: people of a CRM come by imports only.
const fn creatable(identity: &Identity) -> bool {
    match identity {
        Identity::External(_) | Identity::Document(_) => true,
        Identity::Imported { .. } => false,
    }
}

/// Writes customers.
#[derive(Clone)]
pub struct WriteCustomers {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl WriteCustomers {
    /// Writes customers in the order of the items, all of them at once; one outcome for each item.
    /// With `strict`, nothing is written unless every item is good.
    ///
    /// # Errors
    /// `Invalid` with `strict`; store errors.
    #[tracing::instrument(name = "customer.upsert", skip_all)]
    pub async fn upsert(
        &self,
        actor: &Actor,
        request_id: RequestId,
        items: Vec<Value>,
        strict: bool,
    ) -> AppResult<Vec<CustomerOutcome>> {
        let now = self.clock.now();
        let items: Vec<_> = items.into_iter().map(|i| parse_customer(i, now)).collect();
        let keys: Vec<CustomerKey> = items.iter().flatten().map(|i| i.key.clone()).collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = receipt::earlier(uow.receipts(), request_id).await? {
            return Ok(earlier);
        }
        let mut book = Book::open(uow.as_mut(), &actor.workspace, &keys, creatable).await?;
        let outcomes: Vec<_> = items.into_iter().map(|i| put(&mut book, i, now)).collect();
        if strict {
            all_good(&outcomes)?;
        }
        book.write(uow.as_mut(), &actor.workspace).await?;
        receipt::keep(uow.receipts(), request_id, &outcomes).await?;
        uow.commit().await?;
        Ok(outcomes)
    }

    /// Changes one customer. With `if_version`, only that version.
    ///
    /// # Errors
    /// `NotFound`; `PreconditionFailed`; `Invalid`; store errors.
    #[tracing::instrument(name = "customer.change", skip_all)]
    pub async fn change(
        &self,
        actor: &Actor,
        id: CustomerId,
        if_version: Option<i64>,
        patch: CustomerPatch,
    ) -> AppResult<Customer> {
        let now = self.clock.now();
        let mut uow = self.store.begin(Durability::Full).await?;
        let key = [CustomerKey::Id(id)];
        let mut found = uow.customers().find(&actor.workspace, &key).await?;
        let mut customer = found.pop().ok_or(AppError::NotFound)?;
        if if_version.is_some_and(|version| version != customer.version) {
            return Err(AppError::PreconditionFailed);
        }
        if patch.apply(&mut customer, now).map_err(invalid)? {
            let changed = std::slice::from_ref(&customer);
            uow.customers().save(&actor.workspace, changed).await?;
            uow.commit().await?;
        }
        Ok(customer)
    }
}

/// Enters what an item says.
fn put(book: &mut Book, item: Result<CustomerItem, ItemError>, now: Instant) -> CustomerOutcome {
    let CustomerItem { key, patch } = match item {
        Ok(item) => item,
        Err(error) => return CustomerOutcome::refused(error.into()),
    };
    if let Some(customer) = book.get(&key) {
        let id = customer.id;
        return match patch.apply(customer, now) {
            Ok(true) => {
                book.changed(&key);
                CustomerOutcome::of(CustomerResult::Updated, id)
            }
            Ok(false) => CustomerOutcome::of(CustomerResult::Unchanged, id),
            Err(error) => CustomerOutcome::refused(error.into()),
        };
    }
    let identity = match key {
        CustomerKey::Identity(identity) if creatable(&identity) => identity,
        _ => return CustomerOutcome::refused(Refusal::unknown_customer()),
    };
    let id = book.next_number();
    match patch.create(id, identity, now) {
        Ok(customer) => {
            book.add(customer);
            CustomerOutcome::of(CustomerResult::Created, id)
        }
        Err(error) => CustomerOutcome::refused(error.into()),
    }
}

/// Refuses a request of which an item was refused.
fn all_good(outcomes: &[CustomerOutcome]) -> AppResult<()> {
    let refused = |(index, outcome): (usize, &CustomerOutcome)| {
        let refusal = outcome.refusal.as_ref()?;
        let pointer = match refusal.field.as_str() {
            "" => format!("/data/{index}"),
            field => format!("/data/{index}/{field}"),
        };
        let detail = format!("{}: {}", refusal.code, refusal.detail);
        Some(Violation::new(pointer, "invalid_item", detail))
    };
    let violations = outcomes.iter().enumerate().filter_map(refused);
    let violations: Vec<_> = violations.take(MAX_VIOLATIONS).collect();
    match violations.is_empty() {
        true => Ok(()),
        false => Err(AppError::Invalid(violations)),
    }
}

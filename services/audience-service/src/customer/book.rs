//! The customers of one unit of work: as they were found, and what became of them.

use std::collections::{HashMap, HashSet};

use domain::{
    customer::{Customer, CustomerId, CustomerKey, Identity},
    shared::WorkspaceId,
};
use ports::{StoreError, store::UnitOfWork};

/// What a customer is written as at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Found,
    Changed,
    New,
}

struct Entry {
    customer: Customer,
    mark: Mark,
}

/// Customers by number and identity.
pub(super) struct Book {
    entries: Vec<Entry>,
    places: HashMap<CustomerKey, usize>,
    numbers: std::ops::Range<i64>,
}

impl Book {
    /// Finds the customers of these keys, and takes numbers for those of `creatable` that are missing.
    pub async fn open(
        uow: &mut dyn UnitOfWork,
        workspace: &WorkspaceId,
        keys: &[CustomerKey],
        creatable: impl Fn(&Identity) -> bool,
    ) -> Result<Self, StoreError> {
        let mut book = Self {
            entries: Vec::with_capacity(keys.len()),
            places: HashMap::with_capacity(keys.len() * 2),
            numbers: 0..0,
        };
        for customer in uow.customers().find(workspace, keys).await? {
            book.enter(customer, Mark::Found);
        }
        let missing: HashSet<&CustomerKey> = keys
            .iter()
            .filter(|key| !book.places.contains_key(key))
            .filter(|key| matches!(key, CustomerKey::Identity(who) if creatable(who)))
            .collect();
        if !missing.is_empty() {
            let mut customers = uow.customers();
            let first = customers.take_numbers(workspace, missing.len()).await?;
            book.numbers = first.raw()..i64::MAX;
        }
        Ok(book)
    }

    fn enter(&mut self, customer: Customer, mark: Mark) {
        let place = self.entries.len();
        let identity = CustomerKey::Identity(customer.identity.clone());
        self.places.insert(identity, place);
        self.places.insert(CustomerKey::Id(customer.id), place);
        self.entries.push(Entry { customer, mark });
    }

    /// A customer to be changed; whoever changes it says so by [`Book::changed`].
    pub fn get(&mut self, key: &CustomerKey) -> Option<&mut Customer> {
        let place = *self.places.get(key)?;
        Some(&mut self.entries.get_mut(place)?.customer)
    }

    /// Notes that a customer must be written.
    pub fn changed(&mut self, key: &CustomerKey) {
        let entry = self
            .places
            .get(key)
            .and_then(|at| self.entries.get_mut(*at));
        if let Some(entry) = entry.filter(|entry| entry.mark == Mark::Found) {
            entry.mark = Mark::Changed;
        }
    }

    /// The number of the next new customer.
    pub fn next_number(&mut self) -> CustomerId {
        CustomerId::from_raw(self.numbers.next().unwrap_or_default())
    }

    /// A new customer.
    pub fn add(&mut self, customer: Customer) {
        self.enter(customer, Mark::New);
    }

    /// Writes what is new or changed.
    pub async fn write(
        self,
        uow: &mut dyn UnitOfWork,
        workspace: &WorkspaceId,
    ) -> Result<(), StoreError> {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for entry in self.entries {
            match entry.mark {
                Mark::Found => {}
                Mark::Changed => changed.push(entry.customer),
                Mark::New => new.push(entry.customer),
            }
        }
        let mut customers = uow.customers();
        customers.add(workspace, &new).await?;
        customers.save(workspace, &changed).await
    }
}

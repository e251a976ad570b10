//! What the API changes about a customer.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use super::{Address, Channel, Consent, Customer, CustomerId, Identity};
use crate::{
    audience::Tags,
    contact::{Document, MAX_ATTRIBUTES},
    shared::{Instant, ItemError},
};

/// What becomes of one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl<T: Clone> Change<T> {
    fn write(&self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new.clone()),
        }
    }
}

/// What a request changes: members it does not name stay as they are, `null` clears, attributes are
/// changed one by one, tags as a whole. Personal data: `Debug` shows none.
#[derive(Clone, Default, PartialEq)]
pub struct CustomerPatch {
    /// Document.
    pub document: Change<Document>,
    /// Name.
    pub name: Change<String>,
    /// Phone number.
    pub phone: Change<Address>,
    /// E-mail address.
    pub email: Change<Address>,
    /// Attributes; without a value they go.
    pub attributes: BTreeMap<String, Option<Value>>,
    /// The API's labels.
    pub tags: Option<Tags>,
    /// What the person said.
    pub consents: Vec<(Channel, Consent)>,
}

impl CustomerPatch {
    /// The customer that is made of it.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn create(
        &self,
        id: CustomerId,
        identity: Identity,
        now: Instant,
    ) -> Result<Customer, ItemError> {
        let mut customer = Customer::new(id, identity, now);
        self.write(&mut customer)?;
        Ok(customer)
    }

    /// Changes a customer; `false` where everything is as it says already.
    ///
    /// # Errors
    /// The rule that it breaks; the customer is as it was then.
    pub fn apply(&self, customer: &mut Customer, now: Instant) -> Result<bool, ItemError> {
        let mut next = customer.clone();
        self.write(&mut next)?;
        let changed = next.touched_since(customer, now);
        *customer = next;
        Ok(changed)
    }

    fn write(&self, customer: &mut Customer) -> Result<(), ItemError> {
        if let Identity::Document(fixed) = &customer.identity {
            let same = match &self.document {
                Change::Keep => true,
                Change::Clear => false,
                Change::Set(document) => document == fixed,
            };
            if !same {
                let detail = "the customer is identified by its document, which cannot change";
                return Err(ItemError::new("document", "document_is_identity", detail));
            }
        }
        self.document.write(&mut customer.document);
        self.name.write(&mut customer.name);
        write_address(&self.phone, &mut customer.phone);
        write_address(&self.email, &mut customer.email);
        for (name, value) in &self.attributes {
            match value {
                Some(value) => customer.attributes.insert(name.clone(), value.clone()),
                None => customer.attributes.remove(name),
            };
        }
        if customer.attributes.len() > MAX_ATTRIBUTES {
            let detail = "a customer has at most 50 attributes";
            return Err(ItemError::new("attributes", "too_many_attributes", detail));
        }
        if let Some(tags) = &self.tags {
            customer.tags.clone_from(tags);
        }
        for (channel, consent) in &self.consents {
            customer.consents.record(*channel, consent.clone());
        }
        Ok(())
    }
}

/// An address that comes in its normal form is the one that is known: how it was given first stays.
fn write_address(change: &Change<Address>, known: &mut Option<Address>) {
    let same = |new: &Address| {
        let value = known.as_ref().map(|address| &address.value);
        new.raw.is_none() && value == Some(&new.value)
    };
    if !matches!(change, Change::Set(new) if same(new)) {
        change.write(known);
    }
}

impl fmt::Debug for CustomerPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerPatch([redacted])")
    }
}

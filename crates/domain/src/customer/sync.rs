//! What an import says of a person.

use std::fmt;

use super::{Address, Customer, CustomerId, Identity, ImportedTag, MAX_IMPORTED_TAGS};
use crate::{
    audience::MAX_TAG_CHARS,
    contact::MAX_TEXT_BYTES,
    importing::ExternalId,
    shared::{Instant, trimmed},
};

/// A person as an import brings it, whole: what is absent is not known to the CRM. A CRM is taken as
/// it is: what is too long is cut, so that nobody is lost for it.
#[derive(Clone, PartialEq)]
pub struct SyncedPerson {
    /// The CRM's id.
    pub external_id: ExternalId,
    name: Option<String>,
    phone: Option<Address>,
    email: Option<Address>,
    tags: Vec<ImportedTag>,
}

/// What a sync did to a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// It says something new.
    Updated,
    /// It says what is known. That it said so is noted.
    Unchanged,
    /// A later batch has spoken already.
    Older,
}

impl SyncedPerson {
    /// Reads the values of a CRM.
    pub fn new(
        external_id: ExternalId,
        name: Option<&str>,
        phone: Option<&str>,
        email: Option<&str>,
        tags: impl IntoIterator<Item = ImportedTag>,
    ) -> Self {
        Self {
            external_id,
            name: name.and_then(|text| cut(&trimmed(text), MAX_TEXT_BYTES)),
            phone: phone.and_then(|text| Some(Address::phone(&cut(text, MAX_TEXT_BYTES)?))),
            email: email.and_then(|text| Some(Address::email(&cut(text, MAX_TEXT_BYTES)?))),
            tags: tags
                .into_iter()
                .take(MAX_IMPORTED_TAGS)
                .map(bounded)
                .collect(),
        }
    }

    /// The customer that this person becomes, by a batch.
    pub fn create(&self, id: CustomerId, identity: Identity, batch: i64, now: Instant) -> Customer {
        let mut customer = Customer::new(id, identity, now);
        self.write(&mut customer);
        customer.synced = Some(batch);
        customer
    }

    /// Writes this person over a customer, unless a batch as high or higher has done so.
    pub fn apply(&self, customer: &mut Customer, batch: i64, now: Instant) -> Synced {
        if customer.synced.is_some_and(|known| known >= batch) {
            return Synced::Older;
        }
        let before = customer.clone();
        self.write(customer);
        let changed = customer.touched_since(&before, now);
        customer.synced = Some(batch);
        match changed {
            true => Synced::Updated,
            false => Synced::Unchanged,
        }
    }

    fn write(&self, customer: &mut Customer) {
        customer.name.clone_from(&self.name);
        customer.phone.clone_from(&self.phone);
        customer.email.clone_from(&self.email);
        customer.imported_tags.clone_from(&self.tags);
    }
}

impl fmt::Debug for SyncedPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncedPerson")
            .field("external_id", &self.external_id)
            .field("tags", &self.tags.len())
            .finish_non_exhaustive()
    }
}

fn bounded(tag: ImportedTag) -> ImportedTag {
    let short = |text: Option<String>| {
        let text: String = trimmed(&text?)
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        let text: String = text.chars().take(MAX_TAG_CHARS).collect();
        (!text.is_empty()).then_some(text)
    };
    ImportedTag {
        external_id: tag.external_id,
        name: short(tag.name),
        color: short(tag.color),
    }
}

/// At most so many bytes of a text without NUL and outer spaces; `None` where nothing is left.
fn cut(text: &str, bytes: usize) -> Option<String> {
    let text = text.replace('\0', "");
    let text = text.trim();
    let end = text.floor_char_boundary(bytes);
    let text = text.get(..end)?.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

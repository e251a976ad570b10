//! A customer.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Address, Consents, CustomerId, Identity};
use crate::{
    audience::Tags,
    contact::Document,
    importing::ExternalId,
    shared::{Instant, fold_key},
};

/// Most tags of a CRM that one customer keeps.
pub const MAX_IMPORTED_TAGS: usize = 200;

/// A tag that a CRM gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedTag {
    /// The CRM's id.
    #[serde(rename = "i")]
    pub external_id: ExternalId,
    /// Name.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Colour as it was sent.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// A registered person of a workspace. Personal data: `Debug` shows none.
#[derive(Clone, PartialEq)]
pub struct Customer {
    /// Number in the workspace.
    pub id: CustomerId,
    /// What makes it the same person again.
    pub identity: Identity,
    /// Document; equal to the identity where that is one.
    pub document: Option<Document>,
    /// Name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<Address>,
    /// E-mail address.
    pub email: Option<Address>,
    /// Other values: text, numbers and booleans.
    pub attributes: Map<String, Value>,
    /// Labels that the API gave.
    pub tags: Tags,
    /// Labels that the CRM gave; each sync replaces them.
    pub imported_tags: Vec<ImportedTag>,
    /// Consent by channel. No import touches it.
    pub consents: Consents,
    /// The highest batch of an import that wrote it.
    pub synced: Option<i64>,
    /// Grows by one with every change: the `ETag`.
    pub version: i64,
    /// When it was registered.
    pub created_at: Instant,
    /// When it was changed last.
    pub updated_at: Instant,
}

impl Customer {
    /// A person of whom nothing but the identity is known.
    pub(super) fn new(id: CustomerId, identity: Identity, now: Instant) -> Self {
        let document = match &identity {
            Identity::Document(document) => Some(document.clone()),
            Identity::Imported { .. } | Identity::External(_) => None,
        };
        Self {
            id,
            identity,
            document,
            name: None,
            phone: None,
            email: None,
            attributes: Map::new(),
            tags: Tags::default(),
            imported_tags: Vec::new(),
            consents: Consents::default(),
            synced: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// All its labels, the API's first, by what they are compared by.
    pub fn labels(&self) -> BTreeMap<String, &str> {
        let imported = self.imported_tags.iter().filter_map(|t| t.name.as_deref());
        let own = self.tags.as_slice().iter().map(String::as_str);
        let mut labels = BTreeMap::new();
        for label in own.chain(imported) {
            labels.entry(fold_key(label)).or_insert(label);
        }
        labels
    }

    /// Counts what `before` became as a change, if it is one.
    pub(super) fn touched_since(&mut self, before: &Self, now: Instant) -> bool {
        let changed = self != before;
        if changed {
            self.version += 1;
            self.updated_at = now.max(self.updated_at);
        }
        changed
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("synced", &self.synced)
            .finish_non_exhaustive()
    }
}

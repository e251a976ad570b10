//! Rows of the other side: read tolerantly where nothing is lost by it, strictly where guessing would
//! change the meaning. A row that cannot be read is quarantined as it came, never dropped.

mod contact;
mod fields;
mod message;
mod ticket;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use contact::{Contact, Tag};
pub use message::Message;
pub use ticket::{Agent, Party, Session, Ticket};

use fields::Fields;

use super::{ExternalId, Fault, Fingerprint};
use crate::shared::Instant;

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A ticket.
    Ticket,
    /// A session of a ticket, `ticketTrakings` on the wire.
    Session,
    /// A message of a ticket.
    Message,
    /// A contact.
    Contact,
    /// A tag of a contact.
    Tag,
}

impl RowKind {
    /// The kind as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Session => "session",
            Self::Message => "message",
            Self::Contact => "contact",
            Self::Tag => "tag",
        }
    }
}

/// A kind of row that lists deliver.
pub trait Entity: Sized {
    /// Which.
    const KIND: RowKind;

    /// Reads the members of a row. Parts of it that cannot be read go to `quarantined`.
    ///
    /// # Errors
    /// The first member without which the row has no meaning.
    fn read(fields: &mut Fields<'_>, quarantined: &mut Vec<Quarantined>) -> Result<Self, Fault>;

    /// Its id, unique among the rows of its kind, for messages within their ticket.
    fn id(&self) -> &ExternalId;

    /// When it was changed last, where it says so.
    fn changed_at(&self) -> Option<Instant>;
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<T> {
    /// Its values.
    pub value: T,
    /// Of the row as it was sent.
    pub fingerprint: Fingerprint,
}

/// A row, or a part of one, that cannot be read.
#[derive(Clone, PartialEq)]
pub struct Quarantined {
    /// What it should be.
    pub kind: RowKind,
    /// Its id, where that can be read.
    pub id: Option<ExternalId>,
    /// Why it cannot be read.
    pub fault: Fault,
    /// As it came. Personal data: not in `Debug`.
    pub raw: Value,
}

impl std::fmt::Debug for Quarantined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quarantined")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl Quarantined {
    /// Tells it from other quarantined rows of its kind, the same whenever it comes again.
    pub fn key(&self) -> String {
        self.id.as_ref().map_or_else(
            || format!("#{:016x}", Fingerprint::of(&self.raw).key()),
            ToString::to_string,
        )
    }
}

/// The rows of a page, read: `received = rows + quarantined of the kind + repeated`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// One row per id; of several in a page the one changed last, then the last one.
    pub rows: Vec<Row<T>>,
    /// What cannot be read, parts of rows included.
    pub quarantined: Vec<Quarantined>,
    /// Rows left out because the page has another of the same id.
    pub repeated: u64,
    /// What a walk remembers of every row delivered, in order.
    pub keys: Vec<u64>,
}

/// Reads the rows of a page.
pub fn read<T: Entity>(page: Vec<Value>) -> Rows<T> {
    let mut read = Rows {
        rows: Vec::with_capacity(page.len()),
        quarantined: Vec::new(),
        repeated: 0,
        keys: Vec::with_capacity(page.len()),
    };
    let mut places: HashMap<ExternalId, usize> = HashMap::with_capacity(page.len());
    for raw in page {
        let fingerprint = Fingerprint::of(&raw);
        let value = match read_one::<T>(&raw, &mut read.quarantined) {
            Ok(value) => value,
            Err((id, fault)) => {
                let key = id
                    .as_ref()
                    .map_or_else(|| fingerprint.key(), ExternalId::key);
                read.keys.push(key);
                read.quarantined.push(Quarantined {
                    kind: T::KIND,
                    id,
                    fault,
                    raw,
                });
                continue;
            }
        };
        read.keys.push(value.id().key());
        let row = Row { value, fingerprint };
        let place = places.get(row.value.id()).copied();
        let Some(earlier) = place.and_then(|at| read.rows.get_mut(at)) else {
            places.insert(row.value.id().clone(), read.rows.len());
            read.rows.push(row);
            continue;
        };
        read.repeated += 1;
        if row.value.changed_at() >= earlier.value.changed_at() {
            *earlier = row;
        }
    }
    read
}

type Unreadable = (Option<ExternalId>, Fault);

fn read_one<T: Entity>(raw: &Value, quarantined: &mut Vec<Quarantined>) -> Result<T, Unreadable> {
    let Value::Object(members) = raw else {
        return Err((None, Fault::new("", "not_an_object")));
    };
    let mut parts = Vec::new();
    let mut fields = Fields::new(members);
    match T::read(&mut fields, &mut parts) {
        Ok(value) => {
            quarantined.append(&mut parts);
            Ok(value)
        }
        Err(fault) => {
            let name = if T::KIND == RowKind::Ticket {
                "uuid"
            } else {
                "id"
            };
            let id = members.get(name).and_then(|id| ExternalId::parse(id).ok());
            Err((id, fault))
        }
    }
}

/// Reads the parts of a row; those that cannot be read go to `quarantined`.
fn read_parts<T: Entity>(parts: Vec<Value>, quarantined: &mut Vec<Quarantined>) -> Vec<T> {
    let mut read = read::<T>(parts);
    quarantined.append(&mut read.quarantined);
    read.rows.into_iter().map(|row| row.value).collect()
}

#[cfg(test)]
mod tests;

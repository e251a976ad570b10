//! Rows of the other side, as far as they are understood. A row that cannot be read is quarantined as it
//! came, never dropped.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ExternalId, Fault, Fingerprint, Personal};
use crate::shared::Instant;

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A ticket.
    Ticket,
    /// A session of a ticket.
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

/// A kind of row that lists deliver, alone or as parts of other rows.
pub trait Entity {
    /// Which.
    const KIND: RowKind;

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
        self.id
            .as_ref()
            .map_or_else(|| format!("#{:016x}", self.walk_key()), ToString::to_string)
    }

    /// What a walk remembers of it.
    pub fn walk_key(&self) -> u64 {
        let by_content = || Fingerprint::of(&self.raw).key();
        self.id.as_ref().map_or_else(by_content, ExternalId::key)
    }
}

/// A conversation with one person or group.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// `uuid`.
    pub id: ExternalId,
    /// When it was opened.
    pub created_at: Option<Instant>,
    /// When it was changed last; else when it was opened.
    pub updated_at: Instant,
    /// As the other side names it.
    pub status: Option<String>,
    /// Whether it is with a group.
    pub is_group: bool,
    /// With whom.
    pub contact: Option<Party>,
    /// Who worked on it, and when; all there are.
    pub sessions: Vec<Session>,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

/// The contact of a ticket, as the ticket shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: ExternalId,
    /// Name.
    pub name: Option<Personal>,
    /// Phone number.
    pub number: Option<Personal>,
    /// E-mail address.
    pub email: Option<Personal>,
}

/// A session of a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: ExternalId,
    /// When it came into being.
    pub created_at: Option<Instant>,
    /// When somebody took it.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// Who took it.
    pub agent: Option<Agent>,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

/// A user of the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: ExternalId,
    /// Name.
    pub name: Option<Personal>,
    /// E-mail address.
    pub email: Option<Personal>,
}

impl Entity for Ticket {
    const KIND: RowKind = RowKind::Ticket;

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        Some(self.updated_at)
    }
}

impl Entity for Session {
    const KIND: RowKind = RowKind::Session;

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        self.finished_at.or(self.started_at).or(self.created_at)
    }
}

/// One message of a ticket. Which ticket is known from the list it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id, unique within its ticket.
    pub id: ExternalId,
    /// Text.
    pub body: Option<Personal>,
    /// Whether the CRM's side sent it, where it says so.
    pub from_me: Option<bool>,
    /// Where its attachment is.
    pub media_url: Option<Personal>,
    /// Kind of the attachment.
    pub media_type: Option<String>,
    /// When it was sent; else when it was changed.
    pub created_at: Instant,
    /// When it was changed last; else when it was sent.
    pub updated_at: Instant,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

impl Entity for Message {
    const KIND: RowKind = RowKind::Message;

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        Some(self.updated_at)
    }
}

/// A person, or a group of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// Its id.
    pub id: ExternalId,
    /// Name.
    pub name: Option<Personal>,
    /// Phone number as it was sent.
    pub number: Option<Personal>,
    /// E-mail address as it was sent.
    pub email: Option<Personal>,
    /// Whether it is a group, which is no customer.
    pub is_group: bool,
    /// When it came into being.
    pub created_at: Option<Instant>,
    /// When it was changed last.
    pub updated_at: Option<Instant>,
    /// All its tags.
    pub tags: Vec<Tag>,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

/// A tag of contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Its id.
    pub id: ExternalId,
    /// Name.
    pub name: Option<String>,
    /// Colour as it was sent.
    pub color: Option<String>,
    /// What else was sent.
    pub extra: Map<String, Value>,
}

impl Entity for Contact {
    const KIND: RowKind = RowKind::Contact;

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        self.updated_at
    }
}

impl Entity for Tag {
    const KIND: RowKind = RowKind::Tag;

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        None
    }
}

//! Contacts and their tags.

use serde_json::{Map, Value};

use super::{Entity, Fields, Quarantined, RowKind, read_parts};
use crate::{
    importing::{ExternalId, Fault, Personal},
    shared::Instant,
};

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

    fn read(fields: &mut Fields<'_>, quarantined: &mut Vec<Quarantined>) -> Result<Self, Fault> {
        let id = fields.id("id")?;
        let tags = fields.list("tags")?.unwrap_or_default();
        Ok(Self {
            id,
            name: fields.personal("name")?,
            number: fields.personal("number")?,
            email: fields.personal("email")?,
            is_group: fields.flag("isGroup")?.unwrap_or(false),
            created_at: fields.instant("createdAt")?,
            updated_at: fields.instant("updatedAt")?,
            tags: read_parts(tags, quarantined),
            extra: fields.rest(),
        })
    }

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        self.updated_at
    }
}

impl Entity for Tag {
    const KIND: RowKind = RowKind::Tag;

    fn read(fields: &mut Fields<'_>, _: &mut Vec<Quarantined>) -> Result<Self, Fault> {
        Ok(Self {
            id: fields.id("id")?,
            name: fields.text("name")?,
            color: fields.text("color")?,
            extra: fields.rest(),
        })
    }

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        None
    }
}

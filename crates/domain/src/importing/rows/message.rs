//! Messages of tickets.

use serde_json::{Map, Value};

use super::{Entity, Fields, Quarantined, RowKind};
use crate::{
    importing::{ExternalId, Fault, Personal},
    shared::Instant,
};

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

    fn read(fields: &mut Fields<'_>, _: &mut Vec<Quarantined>) -> Result<Self, Fault> {
        let id = fields.id("id")?;
        let created = fields.instant("createdAt")?;
        let updated = fields.instant("updatedAt")?;
        let missing = || fields.missing("createdAt");
        let created_at = created.or(updated).ok_or_else(missing)?;
        Ok(Self {
            id,
            body: fields.personal("body")?,
            from_me: fields.flag("fromMe")?,
            media_url: fields.personal("mediaUrl")?,
            media_type: fields.text("mediaType")?,
            created_at,
            updated_at: updated.unwrap_or(created_at),
            extra: fields.rest(),
        })
    }

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        Some(self.updated_at)
    }
}

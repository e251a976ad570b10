//! Tickets and their sessions.

use serde_json::{Map, Value};

use super::{Entity, Fields, Quarantined, RowKind, read_parts};
use crate::{
    importing::{ExternalId, Fault, Personal},
    shared::Instant,
};

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

    fn read(fields: &mut Fields<'_>, quarantined: &mut Vec<Quarantined>) -> Result<Self, Fault> {
        let id = fields.id("uuid")?;
        let created_at = fields.instant("createdAt")?;
        let updated_at = fields.instant("updatedAt")?.or(created_at);
        let updated_at = updated_at.ok_or_else(|| fields.missing("updatedAt"))?;
        let status = fields.text("status")?;
        let is_group = fields.flag("isGroup")?.unwrap_or(false);
        let contact = fields.inside("contact")?.map(party).transpose()?;
        // Their spelling, and the one they may correct it to.
        let misspelt = fields.list("ticketTrakings")?;
        let spelt = fields.list("ticketTrackings")?;
        let sessions = misspelt.or(spelt).unwrap_or_default();
        Ok(Self {
            id,
            created_at,
            updated_at,
            status,
            is_group,
            contact,
            sessions: read_parts(sessions, quarantined),
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

fn party(mut fields: Fields<'_>) -> Result<Party, Fault> {
    Ok(Party {
        id: fields.id("id")?,
        name: fields.personal("name")?,
        number: fields.personal("number")?,
        email: fields.personal("email")?,
    })
}

impl Entity for Session {
    const KIND: RowKind = RowKind::Session;

    fn read(fields: &mut Fields<'_>, _: &mut Vec<Quarantined>) -> Result<Self, Fault> {
        Ok(Self {
            id: fields.id("id")?,
            created_at: fields.instant("createdAt")?,
            started_at: fields.instant("startedAt")?,
            finished_at: fields.instant("finishedAt")?,
            agent: fields.inside("user")?.map(agent).transpose()?,
            extra: fields.rest(),
        })
    }

    fn id(&self) -> &ExternalId {
        &self.id
    }

    fn changed_at(&self) -> Option<Instant> {
        self.finished_at.or(self.started_at).or(self.created_at)
    }
}

fn agent(mut fields: Fields<'_>) -> Result<Agent, Fault> {
    Ok(Agent {
        id: fields.id("id")?,
        name: fields.personal("name")?,
        email: fields.personal("email")?,
    })
}

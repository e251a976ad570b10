//! The rows of the three lists, and their parts.

use domain::importing::{
    Fault,
    rows::{Agent, Contact, Message, Party, Quarantined, Session, Tag, Ticket},
};

use super::{Fields, Wire, read_parts};

impl Wire for Ticket {
    const ID: &'static str = "uuid";

    fn read(fields: &mut Fields<'_>, quarantined: &mut Vec<Quarantined>) -> Result<Self, Fault> {
        let id = fields.id(Self::ID)?;
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
}

fn party(mut fields: Fields<'_>) -> Result<Party, Fault> {
    Ok(Party {
        id: fields.id("id")?,
        name: fields.personal("name")?,
        number: fields.personal("number")?,
        email: fields.personal("email")?,
    })
}

impl Wire for Session {
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
}

fn agent(mut fields: Fields<'_>) -> Result<Agent, Fault> {
    Ok(Agent {
        id: fields.id("id")?,
        name: fields.personal("name")?,
        email: fields.personal("email")?,
    })
}

impl Wire for Message {
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
}

impl Wire for Contact {
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
}

impl Wire for Tag {
    fn read(fields: &mut Fields<'_>, _: &mut Vec<Quarantined>) -> Result<Self, Fault> {
        Ok(Self {
            id: fields.id("id")?,
            name: fields.text("name")?,
            color: fields.text("color")?,
            extra: fields.rest(),
        })
    }
}

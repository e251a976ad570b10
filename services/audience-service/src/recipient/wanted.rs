//! What is asked of recipients.

use domain::{
    contact::Document,
    customer::Channel,
    shared::{AudienceId, WorkspaceId},
    workspace::WorkspaceSettings,
};
use events::v1::CommunicationDue;

/// What is asked about each recipient.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Where they are to be reached.
    pub channels: Vec<Channel>,
    /// Names of values that texts need.
    pub placeholders: Vec<String>,
    /// Whether what they said about marketing does not count.
    pub transactional: bool,
}

/// What is asked, and what the workspace has decided.
pub type Asked<'a> = (&'a Wanted, &'a WorkspaceSettings);

/// Who is asked about.
#[derive(Debug, Clone)]
pub enum WhoIsWanted {
    /// Customers by number.
    Customers(Vec<i64>),
    /// Members of an audience, after one of them.
    Members(AudienceId, Option<Document>),
}

impl Wanted {
    /// What an event asks about whom; `None` where an id or a channel is malformed.
    pub fn read(workspace: &WorkspaceId, asked: &CommunicationDue) -> Option<(Self, WhoIsWanted)> {
        let channels = asked.channels.iter().map(|channel| channel.parse().ok());
        let who = match &asked.audience_id {
            None => WhoIsWanted::Customers(asked.customers.clone()),
            Some(id) => {
                let after = asked.after.clone().map(Document::from_stored);
                WhoIsWanted::Members(id.parse().ok()?, after)
            }
        };
        let wanted = Self {
            workspace: workspace.clone(),
            channels: channels.collect::<Option<_>>()?,
            placeholders: asked.placeholders.clone(),
            transactional: asked.transactional,
        };
        Some((wanted, who))
    }
}

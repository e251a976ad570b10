//! Publishing who has become a member of a segment, and who is none any more.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::{
    audience::Audience,
    contact::Document,
    shared::{AudienceId, WorkspaceId},
};
use events::v1::AudienceMember;
use ports::store::{AudienceQueries, AudienceStore, Durability};

use super::ReadConditions;
use crate::{AppResult, audience::FindAudience, contact::view_of, events::Events};

/// Members of one event.
const BATCH: i64 = 500;
/// Audiences that are looked at in one round, and events of each.
const AUDIENCES: i64 = 1_000;
const EVENTS: usize = 100;

/// Publishes changes of members: of each, whether it is a member when the event is made. So whoever keeps what the
/// last event said has every member.
#[derive(Clone)]
pub struct PublishMembers {
    pub(crate) find: FindAudience,
    pub(crate) read: ReadConditions,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) events: Events,
}

impl PublishMembers {
    /// Publishes what has changed until now, in every workspace that asks for it. An audience that fails holds no
    /// other up.
    ///
    /// # Errors
    /// Store errors, where it cannot be read what has changed.
    #[tracing::instrument(name = "segment.publish", level = "debug", skip_all)]
    pub async fn round(&self) -> AppResult<()> {
        for (workspace, id) in self.queries.changed_audiences(AUDIENCES).await? {
            for _ in 0..EVENTS {
                match self.event(&workspace, id).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(%error, audience = %id, "events of members could not be published");
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes one event; `false` where nothing had changed.
    async fn event(&self, workspace: &WorkspaceId, id: AudienceId) -> AppResult<bool> {
        let mut uow = self.store.begin(Durability::Derived).await?;
        let taken = uow.memberships().take_changes(id, BATCH).await?;
        if taken.is_empty() {
            return Ok(false);
        }
        let settings = uow.workspaces().settings(workspace).await?;
        let audience = uow.audiences().get(workspace, id).await?;
        let audience = audience.filter(|audience| audience.deleted_at.is_none());
        if let Some(audience) = audience.filter(|_| settings.member_events) {
            let keys: BTreeSet<String> = taken.into_iter().collect();
            let (entered, left) = self.standing(&audience, &keys).await?;
            let event = self.events.members_changed(&audience, entered, left)?;
            self.events.emit(uow.as_mut(), event).await?;
        }
        uow.commit().await?;
        self.events.sent();
        Ok(true)
    }

    /// Which of these are members now, and which are none.
    async fn standing(
        &self,
        audience: &Audience,
        keys: &BTreeSet<String>,
    ) -> AppResult<(Vec<AudienceMember>, Vec<AudienceMember>)> {
        let content = self.find.content_of(audience).await?;
        let documents: Vec<Document> = keys.iter().cloned().map(Document::from_stored).collect();
        let view = view_of(&content);
        let visible = self.read.visible(content.key, &view, &documents).await?;
        let visible: BTreeSet<&str> = visible.iter().map(|row| row.document.as_str()).collect();
        let wanted: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut numbers: HashMap<String, i64> = HashMap::new();
        let customers = self
            .queries
            .customers_of_keys(&audience.workspace, &wanted)
            .await?;
        for customer in customers {
            // The one who was registered first is whose contact it is.
            numbers
                .entry(customer.key())
                .or_insert_with(|| customer.id.raw());
        }
        let member = |key: &String| AudienceMember {
            key: key.clone(),
            customer_id: numbers.get(key).copied(),
        };
        let (entered, left): (Vec<&String>, Vec<&String>) =
            keys.iter().partition(|key| visible.contains(key.as_str()));
        Ok((
            entered.into_iter().map(member).collect(),
            left.into_iter().map(member).collect(),
        ))
    }
}

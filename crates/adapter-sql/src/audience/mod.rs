//! Audiences, notifications, feeds, outcomes and uploads.

use async_trait::async_trait;
use ports::{
    StoreError,
    store::{
        AudienceRepository, AudienceStore, AudienceUnit, ContentRepository, CreationRepository,
        Durability, MembershipRepository, NotificationRepository, OutcomeRepository,
        ScheduleRepository, SuppressionRepository, UnitOfWork, UploadRepository, UsageRepository,
        WorkspaceRepository,
    },
};

pub(super) use workspaces::settings;

use super::{Backend, Conn, Db, changes, dialect, direct, json_rows, transaction::Transaction};

mod audiences;
mod content_keys;
mod contents;
mod creations;
mod feed;
mod finding;
mod intents;
mod member_changes;
mod membership;
mod outcomes;
mod queries;
mod references;
mod removals;
mod schedules;
mod suppressions;
mod uploads;
mod usages;
mod workspaces;

pub(super) use feed::PURGE as PURGE_FEEDS;
pub(super) use finding::live;
pub(super) use membership::{purge_departures, purge_refreshes};

#[async_trait]
impl AudienceStore for Db {
    async fn begin(&self, durability: Durability) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(Transaction::begin(self, durability).await?))
    }

    async fn settle(&self) -> Result<(), StoreError> {
        dialect::flush(self).await
    }
}

impl AudienceUnit for Transaction {
    fn audiences(&mut self) -> Box<dyn AudienceRepository + '_> {
        Box::new(audiences::Audiences(self.conn()))
    }

    fn contents(&mut self) -> Box<dyn ContentRepository + '_> {
        Box::new(contents::Contents(self.conn()))
    }

    fn creations(&mut self) -> Box<dyn CreationRepository + '_> {
        Box::new(creations::Creations(self.conn()))
    }

    fn notifications(&mut self) -> Box<dyn NotificationRepository + '_> {
        Box::new(feed::Feed(self.conn()))
    }

    fn outcomes(&mut self) -> Box<dyn OutcomeRepository + '_> {
        Box::new(outcomes::Outcomes(self.conn()))
    }

    fn memberships(&mut self) -> Box<dyn MembershipRepository + '_> {
        Box::new(membership::Memberships(self.conn()))
    }

    fn schedules(&mut self) -> Box<dyn ScheduleRepository + '_> {
        Box::new(schedules::Schedules(self.conn()))
    }

    fn suppressions(&mut self) -> Box<dyn SuppressionRepository + '_> {
        Box::new(suppressions::Suppressions(self.conn()))
    }

    fn uploads(&mut self) -> Box<dyn UploadRepository + '_> {
        Box::new(uploads::Uploads(self.conn()))
    }

    fn usages(&mut self) -> Box<dyn UsageRepository + '_> {
        Box::new(usages::Usages(self.conn()))
    }

    fn workspaces(&mut self) -> Box<dyn WorkspaceRepository + '_> {
        Box::new(workspaces::Workspaces(self.conn()))
    }
}

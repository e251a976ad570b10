//! The relational store of audience-service: one unit of work over all its repositories.
//!
//! Everything that must hold together is written through one [`UnitOfWork`]; reads that need no
//! transaction go through [`AudienceQueries`], so that listing never waits for a writer.

mod audiences;
mod contents;
mod creations;
mod customers;
mod feed;
mod housekeeping;
mod live;
mod membership;
mod operations;
mod outcomes;
mod queries;
mod schedules;
mod segment_sources;
mod suppressions;
mod uploads;
mod usages;
mod workspaces;

use async_trait::async_trait;

pub use audiences::AudienceRepository;
pub use contents::{
    Content, ContentDelta, ContentRepository, NewRemoval, NewWrite, OpenWrite, Removal,
    RemovalState, UnderWay, WriteIntent,
};
pub use creations::{Creation, CreationRepository};
pub use customers::{
    ClientCount, CustomerContact, CustomerCounts, CustomerEventRepository, CustomerFilter,
    CustomerLookup, CustomerQueries, CustomerRepository, CutOff, EventFilter, ScoreRepository,
    ScoreSettings, ScoredCell, TagCount,
};
pub use feed::{NewNotification, Notification, NotificationRepository, UserEvent};
pub use housekeeping::{EVENTS_KEPT_FOR, Housekeeping, REFRESHES_KEPT, REFRESHES_KEPT_FOR};
pub use live::{LiveQueries, LiveRepository, PlannedAudience, QueuedChange};
pub use membership::{MembershipQueries, MembershipRepository, Stay};
pub use operations::{
    Claimed, Lease, LeaseError, NewOperation, OperationFilter, OperationQueries,
    OperationRepository, OperationStore, OperationUnit, OperationUpdate,
};
pub use outcomes::{OutcomeQueries, OutcomeRepository};
pub use queries::{
    AudienceFilter, AudiencePage, AudiencePosition, AudienceQueries, AudienceSort, FindAudiences,
    NotificationFilter, SortBy,
};
pub use schedules::{DueRefresh, ScheduleRepository};
pub use segment_sources::{
    SegmentSourceQueries, SegmentSourceRepository, StoredCredentials, StoredSource,
};
pub use suppressions::{SuppressionFilter, SuppressionQueries, SuppressionRepository};
pub use uploads::{Upload, UploadRepository};
pub use usages::{Referring, UsageChange, UsageRepository};
pub use workspaces::WorkspaceRepository;

use crate::{StoreError, bus::MessagingUnit};

/// How much a commit must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A loss of power.
    Full,
    /// A crash of this process, and of the database once [`AudienceStore::settle`] has answered. For
    /// facts that repair derives again from what is stored durably, such as a count whose write
    /// intent is still open.
    Derived,
}

/// Opens units of work, and is kept short.
#[async_trait]
pub trait AudienceStore: Housekeeping + OperationStore {
    /// Begins a writing transaction. It sees what was committed before, and conflicts with no other:
    /// a second one waits.
    async fn begin(&self, durability: Durability) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Waits until every commit so far survives a crash of the database: before a caller is told of
    /// one that was [`Durability::Derived`]. Until it is repaired, who asks would see the state before.
    async fn settle(&self) -> Result<(), StoreError>;
}

/// One transaction. Dropping it rolls back.
pub trait UnitOfWork:
    OperationUnit + MessagingUnit + AudienceUnit + CustomerUnit + LiveUnit
{
}

impl<U: OperationUnit + MessagingUnit + AudienceUnit + CustomerUnit + LiveUnit> UnitOfWork for U {}

/// The part of a unit of work that is about audiences.
pub trait AudienceUnit: Send {
    /// Audiences.
    fn audiences(&mut self) -> Box<dyn AudienceRepository + '_>;
    /// Generations of contacts: counts, write intents, removals.
    fn contents(&mut self) -> Box<dyn ContentRepository + '_>;
    /// Audiences that a request is making.
    fn creations(&mut self) -> Box<dyn CreationRepository + '_>;
    /// Notifications and each user's event feed.
    fn notifications(&mut self) -> Box<dyn NotificationRepository + '_>;
    /// Reported outcomes.
    fn outcomes(&mut self) -> Box<dyn OutcomeRepository + '_>;
    /// Who was a member, and when.
    fn memberships(&mut self) -> Box<dyn MembershipRepository + '_>;
    /// When audiences are refreshed by themselves.
    fn schedules(&mut self) -> Box<dyn ScheduleRepository + '_>;
    /// Who is not to be written to.
    fn suppressions(&mut self) -> Box<dyn SuppressionRepository + '_>;
    /// Uploaded files.
    fn uploads(&mut self) -> Box<dyn UploadRepository + '_>;
    /// What uses audiences.
    fn usages(&mut self) -> Box<dyn UsageRepository + '_>;
    /// Settings of workspaces.
    fn workspaces(&mut self) -> Box<dyn WorkspaceRepository + '_>;
}

/// The part of a unit of work that is about customers.
pub trait CustomerUnit: Send {
    /// Customers.
    fn customers(&mut self) -> Box<dyn CustomerRepository + '_>;
    /// What customers did.
    fn customer_events(&mut self) -> Box<dyn CustomerEventRepository + '_>;
    /// Their scores.
    fn scores(&mut self) -> Box<dyn ScoreRepository + '_>;
    /// Where the customers of segments are.
    fn segment_sources(&mut self) -> Box<dyn SegmentSourceRepository + '_>;
}

/// The part of a unit of work that is about live audiences.
pub trait LiveUnit: Send {
    /// What they need.
    fn live(&mut self) -> Box<dyn LiveRepository + '_>;
}

/// Remembers, for requests that carry an idempotency key, what they did: a repetition under the same
/// write id after a crash answers the same instead of doing it again. Kept 24 hours.
#[async_trait]
pub trait ReceiptLog: Send {
    /// Stores the result of a request with this transaction.
    async fn put(&mut self, write_id: i64, result: serde_json::Value) -> Result<(), StoreError>;
    /// The result of an earlier run.
    async fn get(&mut self, write_id: i64) -> Result<Option<serde_json::Value>, StoreError>;
}

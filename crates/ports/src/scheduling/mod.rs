//! The relational store of scheduler-service: communications, their occurrences, and what became of each recipient.
//!
//! What waits for its instant is apart from what has ended, so that what is due is found in the time that its number
//! takes, however much there is of either.

mod directory;
mod lanes;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    customer::Channel,
    scheduling::{
        Communication, CommunicationState, DispatchId, Occurrence, Recipient, RecipientKey,
        RecipientStatus, Totals,
    },
    shared::{CommunicationId, Instant, WorkspaceId},
};

pub use directory::Directory;
pub use lanes::{LaneRepository, Waiting};

use crate::{StoreError, bus::MessagingUnit, store::OperationUnit};

/// Opens units of work.
#[async_trait]
pub trait ScheduleStore: Send + Sync {
    /// Begins a writing transaction.
    async fn begin_schedule(&self) -> Result<Box<dyn ScheduleUnit>, StoreError>;
}

/// One transaction. Dropping it rolls back.
pub trait ScheduleUnit: OperationUnit + MessagingUnit {
    /// Communications and their occurrences.
    fn communications(&mut self) -> Box<dyn CommunicationRepository + '_>;
    /// Recipients of occurrences.
    fn recipients(&mut self) -> Box<dyn RecipientRepository + '_>;
    /// Dispatches that wait.
    fn lanes(&mut self) -> Box<dyn LaneRepository + '_>;
}

/// Communications of one transaction. Where one is scheduled, it waits for its instant.
#[async_trait]
pub trait CommunicationRepository: Send {
    /// Adds one.
    async fn add(&mut self, communication: &Communication) -> Result<(), StoreError>;

    /// One of a workspace. Nobody else changes it until the transaction ends.
    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        id: CommunicationId,
    ) -> Result<Option<Communication>, StoreError>;

    /// As [`Self::get`], unless somebody else has it in hand.
    async fn take(
        &mut self,
        workspace: &WorkspaceId,
        id: CommunicationId,
    ) -> Result<Option<Communication>, StoreError>;

    /// Stores changed ones, each with the version after that which is stored.
    async fn save(&mut self, communications: &[Communication]) -> Result<(), StoreError>;

    /// Those whose instant has come, the earliest first, but for those that somebody else has in hand. Nobody else
    /// changes them until the transaction ends.
    async fn due(&mut self, now: Instant, limit: i64) -> Result<Due, StoreError>;

    /// Ends as failed what cannot be read, so that it holds nothing else up.
    async fn give_up(&mut self, ids: &[CommunicationId], now: Instant) -> Result<(), StoreError>;

    /// Adds occurrences.
    async fn occur(&mut self, occurrences: &[Occurrence]) -> Result<(), StoreError>;

    /// One occurrence. Nobody else changes it until the transaction ends.
    async fn occurrence(
        &mut self,
        id: CommunicationId,
        number: i64,
    ) -> Result<Option<Occurrence>, StoreError>;

    /// Stores a changed occurrence.
    async fn save_occurrence(&mut self, occurrence: &Occurrence) -> Result<(), StoreError>;
}

/// Communications whose instant has come.
#[derive(Default)]
pub struct Due {
    /// Those that can be claimed.
    pub ready: Vec<Communication>,
    /// Those whose rows cannot be read.
    pub unreadable: Vec<CommunicationId>,
}

/// A recipient and where it is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRecipient {
    /// Who, and where it stands.
    pub recipient: Recipient,
    /// A hash of its address, where it has one.
    pub address: Option<String>,
}

/// Recipients of one transaction. Their numbers by status are kept with them.
#[async_trait]
pub trait RecipientRepository: Send {
    /// Those of these addresses of a channel that an occurrence has written to.
    async fn known_addresses(
        &mut self,
        id: CommunicationId,
        occurrence: i64,
        channel: Channel,
        addresses: &[String],
    ) -> Result<Vec<String>, StoreError>;

    /// Adds those of these recipients of an occurrence that are not there yet; answers how many.
    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        recipients: &[NewRecipient],
    ) -> Result<usize, StoreError>;

    /// Those of these dispatches of a workspace that there are. Nobody else changes them until the transaction ends.
    async fn get(
        &mut self,
        workspace: &WorkspaceId,
        dispatches: &[DispatchId],
    ) -> Result<Vec<Recipient>, StoreError>;

    /// Stores changed ones, each with where it stood before.
    async fn save(&mut self, changed: &[(Recipient, RecipientStatus)]) -> Result<(), StoreError>;
}

/// Which communications to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct CommunicationFilter {
    /// In this state.
    pub state: Option<CommunicationState>,
    /// Made before this one.
    pub before: Option<CommunicationId>,
    /// At most so many.
    pub limit: i64,
}

/// Which recipients of an occurrence to list, by channel and key.
#[derive(Debug, Clone)]
pub struct RecipientFilter {
    /// Of this occurrence.
    pub occurrence: i64,
    /// Standing here.
    pub status: Option<RecipientStatus>,
    /// On this channel.
    pub channel: Option<Channel>,
    /// Strictly after this one.
    pub after: Option<(Channel, RecipientKey)>,
    /// At most so many.
    pub limit: i64,
}

/// Reading outside a transaction.
#[async_trait]
pub trait ScheduleQueries: Send + Sync {
    /// One communication.
    async fn communication(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
    ) -> Result<Option<Communication>, StoreError>;

    /// A list of communications.
    async fn communications(
        &self,
        workspace: &WorkspaceId,
        filter: &CommunicationFilter,
    ) -> Result<Vec<Communication>, StoreError>;

    /// The earliest instant that a communication of any workspace, or a dispatch of one, waits for.
    async fn next_due(&self) -> Result<Option<Instant>, StoreError>;

    /// Communications of which something that waited may leave now, the earliest first.
    async fn due_lanes(
        &self,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<(WorkspaceId, CommunicationId)>, StoreError>;

    /// Occurrences of a communication, latest first.
    async fn occurrences(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Occurrence>, StoreError>;

    /// Recipients of a communication.
    async fn recipients_of(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
        filter: &RecipientFilter,
    ) -> Result<Vec<Recipient>, StoreError>;

    /// How many dispatches of the workspace that count for its frequency cap have left for these recipients since an
    /// instant; those of nobody are absent.
    async fn counted_since(
        &self,
        workspace: &WorkspaceId,
        recipients: &[&RecipientKey],
        since: Instant,
    ) -> Result<BTreeMap<RecipientKey, i64>, StoreError>;

    /// How many recipients of an occurrence stand where.
    async fn totals(
        &self,
        workspace: &WorkspaceId,
        id: CommunicationId,
        occurrence: i64,
    ) -> Result<Totals, StoreError>;
}

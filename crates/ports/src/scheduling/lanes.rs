//! Dispatches that wait.

use async_trait::async_trait;
use domain::{
    scheduling::{DispatchId, Lane},
    shared::{CommunicationId, Instant},
    workspace::TimeZone,
};

use crate::StoreError;

/// A dispatch that waits. What it says is personal: it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The dispatch.
    pub dispatch: DispatchId,
    /// What it waits for.
    pub release_at: Instant,
    /// Where the recipient's clock is.
    pub zone: TimeZone,
    /// Address and content, encrypted.
    pub sealed: Vec<u8>,
}

/// Dispatches that wait, by communication. Whoever changes them has their communication in hand.
#[async_trait]
pub trait LaneRepository: Send {
    /// What waits of a communication.
    async fn get(&mut self, id: CommunicationId) -> Result<Option<Lane>, StoreError>;

    /// Stores it; where nothing waits any more, it is removed.
    async fn save(&mut self, lane: &Lane) -> Result<(), StoreError>;

    /// Adds dispatches.
    async fn add(&mut self, waiting: &[Waiting]) -> Result<(), StoreError>;

    /// The first dispatches of a communication that wait for nothing later than this instant, in the order of what they
    /// wait for.
    async fn ready(
        &mut self,
        id: CommunicationId,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<Waiting>, StoreError>;

    /// What the first dispatch of a communication waits for.
    async fn earliest(&mut self, id: CommunicationId) -> Result<Option<Instant>, StoreError>;

    /// Removes dispatches.
    async fn remove(&mut self, dispatches: &[DispatchId]) -> Result<(), StoreError>;
}

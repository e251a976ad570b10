//! The bus: events leave through an outbox, arrive in inboxes, and are handled once.
//!
//! ```text
//! unit of work ── OutboxWriter ──▶ outbox ── relay ──▶ EventPublisher ──▶ inbox ── router ──▶ Handler
//! ```
//!
//! Every hop stores before it forgets, so each may repeat an event and none may lose one. The inbox
//! makes repetitions harmless: one row per subscription and event.

use async_trait::async_trait;

use crate::StoreError;

mod dead;
mod environment;
mod event;
mod handler;
mod inbox;
mod outbox;
mod publisher;
mod subscription;

pub use dead::{DeadLetter, DeadLetterCursor, DeadLetters, Redrive};
pub use environment::EnvironmentStore;
pub use event::{EventId, OutboxEvent};
pub use handler::{Handler, Outcome};
pub use inbox::{Delivered, Delivery, InboxLog, InboxStore, Receipt, Settlement};
pub use outbox::{OutboxClaim, OutboxQueue, OutboxStats, OutboxWriter, Retry};
pub use publisher::{EventPublisher, PublishError, WakeUp};
pub use subscription::{Binding, Subscribers, Subscription, SubscriptionError};

/// A store of events alone.
#[async_trait]
pub trait MessagingStore: Send + Sync {
    /// Begins a writing transaction.
    async fn begin_messaging(&self) -> Result<Box<dyn MessagingWork>, StoreError>;
}

/// A transaction on events alone. Dropping it rolls back.
#[async_trait]
pub trait MessagingWork: MessagingUnit {
    /// Makes everything durable and visible at once.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// The part of a unit of work that sends and receives events.
pub trait MessagingUnit: Send {
    /// Events that leave with this transaction.
    fn outbox(&mut self) -> Box<dyn OutboxWriter + '_>;
    /// Deliveries that are done with this transaction.
    fn inbox(&mut self) -> Box<dyn InboxLog + '_>;
}

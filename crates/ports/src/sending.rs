//! What a sender needs: a way out, and a memory of what went there.

use async_trait::async_trait;
use domain::{
    customer::Channel,
    scheduling::{Content, DispatchId},
    shared::{Instant, WorkspaceId},
};

use crate::{StoreError, bus::MessagingWork};

/// Something to be sent to somebody. Personal: it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The same however often it is asked for. It says the channel.
    pub id: DispatchId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Where it goes; none for a push to everybody.
    pub address: Option<String>,
    /// What is said.
    pub content: Content,
}

/// A dispatch was passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// What the other side calls it.
    pub provider_id: Option<String>,
}

/// Why a dispatch was not passed on. Without personal data: it is stored, told and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPassed {
    /// It never will be.
    #[error("refused: {code}")]
    Refused {
        /// Why, such as `invalid_address`, or the other side's code.
        code: String,
    },
    /// It may be, later. It is not certain that it was not passed on.
    #[error("{reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl NotPassed {
    /// Never, for this reason.
    pub fn refused(code: impl Into<String>) -> Self {
        Self::Refused { code: code.into() }
    }

    /// Not now, for this reason.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
        }
    }
}

/// A way out of Plateia for some channels.
#[async_trait]
pub trait MessageSender: Send + Sync {
    /// Whether it sends what goes by this channel.
    fn takes(&self, channel: Channel) -> bool;

    /// Sends a dispatch of a channel that it takes.
    ///
    /// Owed: it ends within seconds. Dropping it cuts it off, and nothing that follows is mixed up with it. What was
    /// tried before (`again`) may have been sent: it is not sent twice where that can be known, and is recognised as
    /// the same by whoever receives it where not.
    async fn send(&self, dispatch: &Dispatch, again: bool) -> Result<Passed, NotPassed>;
}

/// What became of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was sent.
    Sent(Passed),
    /// It never will be, for this reason.
    Failed {
        /// See [`NotPassed::Refused`].
        code: String,
    },
}

/// Where a dispatch stands that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was never tried.
    New,
    /// It was tried, and nobody noted an end: it may have been sent.
    Tried,
    /// It has ended.
    Ended(Ended),
}

/// Remembers dispatches of one database, each workspace's apart.
#[async_trait]
pub trait SendingStore: Send + Sync {
    /// Notes, durably, that a dispatch is about to be sent, unless it has ended. Answers how it stood before.
    async fn begin(
        &self,
        workspace: &WorkspaceId,
        dispatch: &DispatchId,
        now: Instant,
    ) -> Result<Standing, StoreError>;

    /// Begins a writing transaction.
    async fn begin_sending(&self) -> Result<Box<dyn SendingWork>, StoreError>;

    /// Forgets up to `limit` dispatches that changed last before an instant; answers how many.
    async fn purge_dispatches(&self, before: Instant, limit: usize) -> Result<u64, StoreError>;
}

/// A transaction on what became of dispatches. Dropping it rolls back.
#[async_trait]
pub trait SendingWork: MessagingWork {
    /// Notes how a dispatch ended that had begun. The first end that is noted stays.
    async fn end(
        &mut self,
        workspace: &WorkspaceId,
        dispatch: &DispatchId,
        ended: &Ended,
        now: Instant,
    ) -> Result<(), StoreError>;
}

//! What waits for its turn at a content, and what it is answered.

use std::time::Duration;

use domain::{
    contact::{ContactBody, Document},
    shared::WorkspaceId,
};
use ports::{StoreError, contacts::Priority};
use tokio::sync::oneshot::Sender;

use super::RowClass;

/// Rows written in one go: what bounds the length of the lock and the size of an intent.
pub const MAX_ROWS: usize = 5_000;
/// Longest wait for the turn of a content, and of whoever waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A contact to be written, with its row in the request.
#[derive(Debug, Clone)]
pub struct Row {
    /// Row number in the request.
    pub row: u32,
    /// Its key.
    pub document: Document,
    /// Its values.
    pub body: ContactBody,
}

/// Where the order of acceptance comes from.
#[derive(Debug, Clone, Copy)]
pub enum Orders {
    /// The next request number of the content. With a receipt, a repetition of the request finds the
    /// number again and changes nothing twice.
    Next {
        /// The request's write id, where it may be repeated.
        receipt: Option<i64>,
    },
    /// A number taken before.
    Taken(i64),
}

/// Rows of one request, at most [`MAX_ROWS`].
#[derive(Debug)]
pub struct WriteRequest {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The rows, ascending by row number.
    pub rows: Vec<Row>,
    /// Their order of acceptance.
    pub orders: Orders,
    /// Contacts that readers see already stay as they are.
    pub only_absent: bool,
    /// Who waits.
    pub priority: Priority,
}

/// What a write did.
#[derive(Debug, Clone)]
pub struct WriteResult {
    /// The request number used, for further rows of the same request.
    pub request: i64,
    /// Class of each row, in the order given.
    pub classes: Vec<RowClass>,
    /// Visible contacts afterwards.
    pub contacts: i64,
}

/// Why a write did not happen.
#[derive(Debug)]
pub enum WriteError {
    /// The content is no longer what readers see (the audience was cleared meanwhile). The request
    /// comes back, to be written to the present one.
    Gone(WriteRequest),
    /// A store failed.
    Store(StoreError),
}

/// Name of the conflict that a writer answers when the content is not the current one.
pub(crate) const CONTENT_GONE: &str = "content_gone";

pub(super) type Answer = Result<WriteResult, WriteError>;

/// Whether the contact was there to be removed.
pub(super) type Removed = Result<bool, StoreError>;

/// What requests that are served together have in common.
#[derive(PartialEq, Eq)]
pub(super) enum Kind {
    /// They write contacts.
    Write,
    /// They write those that are absent.
    Add,
    /// They remove contacts.
    Remove,
}

/// A request that waits for its turn.
pub(super) enum Pending {
    /// Rows to be written.
    Write(WriteRequest, Sender<Answer>),
    /// One contact to be removed for good.
    Remove(Document, Sender<Removed>),
}

impl Pending {
    pub fn rows(&self) -> usize {
        match self {
            Self::Write(request, _) => request.rows.len(),
            Self::Remove(..) => 1,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Write(request, _) if request.only_absent => Kind::Add,
            Self::Write(..) => Kind::Write,
            Self::Remove(..) => Kind::Remove,
        }
    }

    /// Nobody waits for the answer any more.
    pub fn is_abandoned(&self) -> bool {
        match self {
            Self::Write(_, answer) => answer.is_closed(),
            Self::Remove(_, answer) => answer.is_closed(),
        }
    }
}

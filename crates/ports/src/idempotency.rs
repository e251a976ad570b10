//! Reservations that let a client repeat a request without repeating its effect.

use std::time::Duration;

use async_trait::async_trait;
use domain::shared::WorkspaceId;

use crate::StoreError;

/// How long an answer is kept for replay, and the result of a request for its repetition.
pub const KEPT_FOR: Duration = Duration::from_hours(24);

/// What a key is unique within.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyScope {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// HTTP method, upper case.
    pub method: String,
    /// Path of the request, without its query.
    pub path: String,
    /// The client's key: 1 to 255 printable ASCII characters.
    pub key: String,
}

/// An answer as it is kept for replay.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// The headers worth repeating, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent.
    pub body: Vec<u8>,
}

/// Bodies may hold personal data, so only their size is shown.
impl std::fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredAnswer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a request finds under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reservation {
    /// Nobody used the key: this request holds it now.
    Fresh {
        /// Id of the write, new.
        write_id: i64,
    },
    /// An earlier attempt with the same content ended without an answer; this request takes over.
    Rerun {
        /// Id of the write, the one the earlier attempt had: what it stored is found by it.
        write_id: i64,
    },
    /// The same request was answered before.
    Replay(StoredAnswer),
    /// The key was used for other content.
    Mismatch,
    /// The same request is being worked on; its lease has not lapsed.
    Running {
        /// When asking again makes sense.
        retry_after: Duration,
    },
}

/// Reservations by scope. Every call commits on its own before it returns.
///
/// Of concurrent `reserve` calls for one scope exactly one gets `Fresh` or `Rerun`. A scope whose
/// entry is older than [`KEPT_FOR`] counts as unused.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Reserves the scope for `lease`, or says why not. `content` is the hash of what was sent.
    async fn reserve(
        &self,
        scope: &IdempotencyScope,
        content: [u8; 32],
        lease: Duration,
    ) -> Result<Reservation, StoreError>;

    /// Lets the lease of an attempt that still runs end `lease` from now.
    /// No change when the scope is not held under `write_id`, or was answered.
    async fn renew(
        &self,
        scope: &IdempotencyScope,
        write_id: i64,
        lease: Duration,
    ) -> Result<(), StoreError>;

    /// Keeps the answer for replay. No change when the scope is not held under `write_id`.
    async fn complete(
        &self,
        scope: &IdempotencyScope,
        write_id: i64,
        answer: &StoredAnswer,
    ) -> Result<(), StoreError>;

    /// Forgets a reservation whose request stored nothing: the key is unused again.
    /// No change when the scope is not held under `write_id`, or was answered.
    async fn release(&self, scope: &IdempotencyScope, write_id: i64) -> Result<(), StoreError>;

    /// Ends the lease of an attempt that may have stored something: the same request may come
    /// again at once and gets [`Reservation::Rerun`].
    /// No change when the scope is not held under `write_id`, or was answered.
    async fn abandon(&self, scope: &IdempotencyScope, write_id: i64) -> Result<(), StoreError>;

    /// Deletes at most `limit` entries that count as unused, and at most `limit` receipts of the same age;
    /// answers how many of both.
    async fn purge(&self, limit: usize) -> Result<u64, StoreError>;
}

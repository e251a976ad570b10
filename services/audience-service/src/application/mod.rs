//! Use cases of audience-service. They know the domain and the ports, nothing else.

pub mod audiences;
pub mod contacts;
pub mod customers;
mod events;
mod housekeeping;
pub mod notifications;
pub mod operations;
pub mod outcomes;
mod receipts;
pub mod recycle;
mod redrive;
pub mod uploads;

use std::sync::Arc;

use ::operations::Frame;
use chrono::TimeDelta;
use ports::{
    Clock, IdGenerator,
    contacts::ContactStore,
    files::{BlobStore, RecordFormats, Spool},
    store::{AudienceQueries, AudienceStore},
};
use tokio_util::sync::CancellationToken;

pub use kernel::{Actor, AppError, RequestId, Topic, Wake};

use contacts::{PageIndexes, Writer};

/// Result of a use case.
pub type AppResult<T> = Result<T, AppError>;

/// Rows that long work takes in one step, each with a checkpoint of its own.
#[derive(Debug, Clone, Copy)]
pub struct StepSizes {
    /// Contacts that a removal or a copy judges.
    pub judged: usize,
    /// Documents that an upload writes.
    pub written: usize,
    /// Rows that a purge deletes.
    pub purged: usize,
}

impl Default for StepSizes {
    fn default() -> Self {
        Self {
            judged: 4_000,
            written: 4_000,
            purged: 2_000,
        }
    }
}

/// What the use cases need from outside.
#[derive(Clone)]
pub struct Deps {
    /// Units of work.
    pub store: Arc<dyn AudienceStore>,
    /// Reads outside a transaction.
    pub queries: Arc<dyn AudienceQueries>,
    /// Contacts.
    pub contacts: Arc<dyn ContactStore>,
    /// Uploaded files, lists of documents, rejected rows.
    pub blobs: Arc<dyn BlobStore>,
    /// Sorted scratch files.
    pub spool: Arc<dyn Spool>,
    /// Readers of CSV, NDJSON and XLSX.
    pub formats: Arc<dyn RecordFormats>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// How much long work does at a time.
    pub steps: StepSizes,
    /// How long events of customers are kept.
    pub customer_events_kept: TimeDelta,
    /// Name of this process in leases; new with every start.
    pub owner: String,
}

/// All use cases of the service.
pub struct App {
    pub(crate) deps: Deps,
    pub(crate) writer: Arc<Writer>,
    pub(crate) pages: Arc<PageIndexes>,
    pub(crate) wake: Wake,
    pub(crate) frame: Arc<Frame>,
    stopping: CancellationToken,
}

impl App {
    /// Puts the use cases on their ports.
    pub fn new(deps: Deps) -> Self {
        let pages = Arc::new(PageIndexes::new(deps.clone()));
        let (wake, stopping) = (Wake::default(), CancellationToken::new());
        let writer = Writer::new(deps.clone(), Arc::clone(&pages), stopping.clone());
        let frame = Frame::new(
            Arc::<dyn AudienceStore>::clone(&deps.store),
            Arc::<dyn AudienceQueries>::clone(&deps.queries),
            wake.clone(),
            Arc::clone(&deps.clock),
            deps.owner.clone(),
            stopping.clone(),
        );
        Self {
            writer: Arc::new(writer),
            pages,
            wake,
            frame: Arc::new(frame),
            stopping,
            deps,
        }
    }

    /// Signals between requests, workers and streams of this process.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Asks running operations to stop at their next checkpoint and to go back into the queue, and
    /// requests not to wait for what another process holds.
    pub fn stop_work(&self) {
        self.stopping.cancel();
    }

    /// The ports, for workers.
    pub fn deps(&self) -> &Deps {
        &self.deps
    }
}

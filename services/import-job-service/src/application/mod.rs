//! Use cases of import-job-service. They know the domain and the ports, nothing else.

pub mod clients;
mod control;
mod events;
mod read;
pub mod run;
mod schedule;
mod start;

use std::sync::Arc;

use domain::{importing::RequestsPerMinute, shared::Instant};
use operations::Frame;
use ports::{
    Clock, IdGenerator,
    crm::{Crm, RateBudget},
    importing::{ImportQueries, ImportStore, TokenVault},
};
use tokio_util::sync::CancellationToken;

pub use events::client_id;
pub use kernel::{Actor, AppError, RequestId, Wake};
pub use read::BatchState;
pub use start::{Begun, Params};

use run::Turns;

/// Result of a use case.
pub type AppResult<T> = Result<T, AppError>;

/// What an installation decides about all imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `IMPORT_START_AT`: tickets that were last changed before are none of ours.
    pub start_at: Instant,
    /// `EXTERNAL_API_REQUESTS_PER_MINUTE`, for clients that say nothing.
    pub requests_per_minute: RequestsPerMinute,
}

/// What the use cases need from outside.
#[derive(Clone)]
pub struct Deps {
    /// Units of work.
    pub store: Arc<dyn ImportStore>,
    /// Reads outside a transaction.
    pub queries: Arc<dyn ImportQueries>,
    /// The CRMs of clients.
    pub crm: Arc<dyn Crm>,
    /// The budget of requests to them.
    pub budget: Arc<dyn RateBudget>,
    /// Seals tokens.
    pub vault: Arc<dyn TokenVault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// Name of this process in leases; new with every start.
    pub owner: String,
    /// What the installation decides.
    pub policy: Policy,
}

/// All use cases of the service.
pub struct App {
    pub(crate) deps: Deps,
    pub(crate) turns: Turns,
    pub(crate) wake: Wake,
    pub(crate) frame: Arc<Frame>,
    stopping: CancellationToken,
}

impl App {
    /// Puts the use cases on their ports.
    pub fn new(deps: Deps) -> Self {
        let (wake, stopping) = (Wake::default(), CancellationToken::new());
        let frame = Frame::new(
            Arc::<dyn ImportStore>::clone(&deps.store),
            Arc::<dyn ImportQueries>::clone(&deps.queries),
            wake.clone(),
            Arc::clone(&deps.clock),
            deps.owner.clone(),
            stopping.clone(),
        );
        Self {
            deps,
            turns: Turns::default(),
            wake,
            frame: Arc::new(frame),
            stopping,
        }
    }

    /// Asks runs to stop where they are, and to go back into the queue.
    pub fn stop_work(&self) {
        self.stopping.cancel();
    }

    /// What they stand on.
    pub const fn deps(&self) -> &Deps {
        &self.deps
    }

    /// Who waits for what.
    pub const fn wake(&self) -> &Wake {
        &self.wake
    }
}

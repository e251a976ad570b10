//! The work of a run: page by page, each in one transaction.

mod contacts;
mod context;
mod fetch;
mod list;
mod messages;
mod quota;
mod state;
mod tickets;
mod turns;

use std::sync::Arc;

use domain::{
    importing::RequestsPerMinute,
    operation::Operation,
    shared::{ClientId, Instant},
};
use kernel::{AppError, Stop, Wake};
use operations::Signals;
use ports::{
    Clock,
    importing::{ImportKind, ImportStore},
    store::Lease,
};

use super::{EndRun, Params};
use context::ImportRun;
pub use fetch::PageFetchers;

/// What an installation decides about all imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `IMPORT_START_AT`: tickets that were last changed before are none of ours.
    pub start_at: Instant,
    /// `EXTERNAL_API_REQUESTS_PER_MINUTE`, for clients that say nothing.
    pub requests_per_minute: RequestsPerMinute,
}

/// Imports the lists of one client at a time.
pub struct Importer {
    pub store: Arc<dyn ImportStore>,
    pub fetchers: PageFetchers,
    pub end: EndRun,
    pub clock: Arc<dyn Clock>,
    pub wake: Wake,
    pub policy: Policy,
}

impl Importer {
    /// Runs an operation from its checkpoint to its end.
    ///
    /// # Errors
    /// Whatever ends the run otherwise.
    pub async fn run(
        &self,
        operation: &Operation,
        params: &Params,
        lease: &Lease,
        signals: &Arc<Signals>,
    ) -> Result<(), AppError> {
        let kind = params.kind()?;
        let workspace = &operation.workspace;
        let mut unit = self.store.begin_import().await?;
        let id = ClientId::from_raw(params.client);
        let found = unit.clients().get(workspace, id).await?;
        let gone = || AppError::failed("client_gone", "the client is no longer there");
        let client = found.ok_or_else(gone)?;
        let found = unit.operations().get(workspace, lease.operation).await?;
        let checkpoint = found.ok_or(Stop::LeaseLost)?.checkpoint;
        drop(unit);
        let run = Arc::new(ImportRun {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            wake: self.wake.clone(),
            client,
            lease: lease.clone(),
            signals: Arc::clone(signals),
        });
        let default_rate = self.policy.requests_per_minute;
        let fetcher = self.fetchers.open(&run, default_rate).await?;
        let (ending, cursor) = match kind {
            ImportKind::Tickets => {
                tickets::run(&run, &fetcher, self.policy.start_at, &checkpoint).await?
            }
            ImportKind::Contacts => (contacts::run(&run, &fetcher, &checkpoint).await?, None),
        };
        ports::crash::point("import.before_finish");
        let cursor = cursor.map(|to| (id, to));
        self.end.execute(lease, workspace, &ending, cursor).await?;
        ports::crash::point("import.finished");
        Ok(())
    }
}

//! The use cases of the service, each on the ports that it needs.

use std::sync::Arc;

use kernel::Wake;
use operations::Frame;
use ports::{
    Clock, IdGenerator, SecretVault,
    crm::{Crm, RateBudget},
    importing::{ImportQueries, ImportStore},
};
use tokio_util::sync::CancellationToken;

use crate::{
    batch::{PurgeBatches, ReadBatch, StartBatch},
    client::{ChangeClient, ClientBuilder, CreateClient, Credentials, EnsureClient, ReadClients},
    row::ReadRows,
    run::{
        EndRun, ImportWorker, Importer, PageFetchers, Policy, ReadRuns, RunControl, RunStarter,
        StartDueRuns, StartRun,
    },
};

/// What stands behind the ports, and what an installation decides.
#[derive(Clone)]
pub struct Setup {
    pub store: Arc<dyn ImportStore>,
    pub queries: Arc<dyn ImportQueries>,
    pub crm: Arc<dyn Crm>,
    pub budget: Arc<dyn RateBudget>,
    pub vault: Arc<dyn SecretVault>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdGenerator>,
    /// Name of this process in leases; new with every start.
    pub owner: String,
    pub policy: Policy,
}

/// The use cases of the service.
#[derive(Clone)]
pub struct UseCases {
    pub create_client: CreateClient,
    pub ensure_client: EnsureClient,
    pub change_client: ChangeClient,
    pub clients: ReadClients,
    pub rows: ReadRows,
    pub start_run: StartRun,
    pub runs: ReadRuns,
    pub control: Arc<RunControl>,
    pub start_due_runs: StartDueRuns,
    pub worker: ImportWorker,
    pub start_batch: StartBatch,
    pub batch: ReadBatch,
    pub purge_batches: PurgeBatches,
    pub wake: Wake,
    /// Fires when runs are to stop where they are, and to go back into the queue.
    pub stopping: CancellationToken,
}

impl Setup {
    fn frame(&self, wake: &Wake, stopping: &CancellationToken) -> Frame {
        Frame::new(
            self.store.clone(),
            self.queries.clone(),
            wake.clone(),
            self.clock.clone(),
            self.owner.clone(),
            stopping.clone(),
        )
    }

    fn credentials(&self) -> Credentials {
        Credentials {
            crm: self.crm.clone(),
            vault: self.vault.clone(),
        }
    }

    fn starter(&self) -> RunStarter {
        RunStarter {
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }

    fn importer(&self, wake: &Wake) -> Importer {
        Importer {
            store: self.store.clone(),
            fetchers: PageFetchers::new(self.credentials(), self.budget.clone()),
            end: EndRun {
                store: self.store.clone(),
                clock: self.clock.clone(),
            },
            clock: self.clock.clone(),
            wake: wake.clone(),
            policy: self.policy,
        }
    }
}

impl UseCases {
    /// Puts the use cases on their ports.
    pub fn new(setup: &Setup) -> Self {
        let (wake, stopping) = (Wake::default(), CancellationToken::new());
        let store = || Arc::clone(&setup.store);
        let queries = || Arc::clone(&setup.queries);
        let clock = || Arc::clone(&setup.clock);
        let frame = Arc::new(setup.frame(&wake, &stopping));
        let (credentials, starter) = (setup.credentials(), setup.starter());
        let builder = ClientBuilder {
            credentials: credentials.clone(),
            clock: clock(),
            ids: setup.ids.clone(),
        };
        let clients = ReadClients { queries: queries() };
        let runs = ReadRuns {
            queries: queries(),
            frame: frame.clone(),
        };
        let importer = setup.importer(&wake);
        let control = RunControl {
            store: store(),
            frame: frame.clone(),
            end: importer.end.clone(),
        };
        Self {
            create_client: CreateClient {
                store: store(),
                builder: builder.clone(),
            },
            ensure_client: EnsureClient {
                store: store(),
                builder,
            },
            change_client: ChangeClient {
                store: store(),
                credentials,
                clock: clock(),
            },
            rows: ReadRows {
                queries: queries(),
                clients: clients.clone(),
            },
            clients,
            start_run: StartRun {
                store: store(),
                starter: starter.clone(),
                runs: runs.clone(),
                wake: wake.clone(),
            },
            runs,
            control: Arc::new(control),
            start_due_runs: StartDueRuns {
                store: store(),
                starter: starter.clone(),
                clock: clock(),
                wake: wake.clone(),
            },
            worker: ImportWorker::new(frame, importer),
            start_batch: StartBatch {
                store: store(),
                starter,
                wake: wake.clone(),
            },
            batch: ReadBatch { queries: queries() },
            purge_batches: PurgeBatches {
                store: store(),
                clock: clock(),
            },
            wake,
            stopping,
        }
    }
}

//! Running imports: claiming one, keeping its lease, and ending it.

mod asker;
mod contacts;
mod end;
mod messages;
mod page;
mod tickets;
mod turns;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::operation::{Failures, Operation, OperationKind, OperationState, Stall};
use ports::{
    ErrorClass, StoreError,
    importing::{ClientId, ImportClient, ImportKind},
    store::{Claimed, Lease, LeaseError, OperationUpdate},
    trace,
};

use super::{App, AppError, AppResult, start::Params};
pub(crate) use end::Ending;
pub(crate) use turns::Turns;

/// How long a lease lasts without a heartbeat.
const LEASE_SECONDS: u32 = 30;
/// How often a worker says that it is alive.
const BEAT: Duration = Duration::from_secs(3);
/// Who worked for so long without a failure got on: longer than a store that is away is waited for.
const WORKED: Duration = Duration::from_secs(30);
/// Claims without any progress after which a run is given up: it would take down one worker after
/// another.
const MAX_CLAIMS: u32 = 10;

/// A run in the hands of this worker.
pub(crate) struct Job {
    pub app: Arc<App>,
    pub client: ImportClient,
    pub lease: Lease,
}

impl App {
    /// Takes the next run that is due.
    ///
    /// # Errors
    /// Store errors.
    pub async fn claim(&self) -> AppResult<Option<Claimed>> {
        let now = self.deps.clock.now();
        let kinds = [OperationKind::Import];
        let mut unit = self.deps.store.begin_import().await?;
        let claimed = unit
            .operations()
            .claim(&kinds, &self.deps.owner, LEASE_SECONDS, now)
            .await?;
        if claimed.is_some() {
            unit.commit().await?;
        }
        Ok(claimed)
    }

    /// Works on a run to its end, or until its lease is lost.
    pub async fn work_on(self: &Arc<Self>, claimed: Claimed) {
        let traceparent = claimed.traceparent.clone();
        // What comes of it belongs to the trace of who asked for it.
        trace::scope(traceparent, self.work(claimed)).await;
    }

    async fn work(self: &Arc<Self>, claimed: Claimed) {
        let Claimed {
            operation,
            lease,
            claims,
            ..
        } = claimed;
        tracing::info!(operation = %operation.id, "import started");
        let outcome = if claims > MAX_CLAIMS {
            Err(AppError::CrashedTooOften)
        } else {
            tokio::select! {
                biased;
                stop = self.watch_over(&lease) => Err(stop),
                outcome = self.run_with_retries(&lease, &operation) => outcome,
            }
        };
        match outcome {
            Ok(()) => tracing::info!(operation = %operation.id, "import ended"),
            Err(AppError::LeaseLost) => {
                tracing::warn!(operation = %operation.id, "import taken over elsewhere");
            }
            Err(AppError::Stopping) => {
                if let Err(error) = self.hand_back(&lease).await {
                    tracing::warn!(%error, operation = %operation.id, "not handed back");
                }
            }
            Err(error) => {
                let ending = match error {
                    AppError::Cancelled => Ending::Cancelled(error.failure()),
                    error => {
                        tracing::warn!(%error, operation = %operation.id, "import failed");
                        Ending::Failed(error.failure())
                    }
                };
                let ended = self.end_leased(&lease, &operation.workspace, ending).await;
                if let Err(error) = ended {
                    // The lease lapses, and a later claim finds the run again.
                    tracing::error!(%error, operation = %operation.id, "import could not be ended");
                }
            }
        }
        self.wake.outbox();
        self.wake.control();
    }

    /// Prolongs the lease until the work must stop; answers why.
    async fn watch_over(&self, lease: &Lease) -> AppError {
        let signal = self.wake.on_control();
        loop {
            let signalled = signal.notified();
            match self.beat(lease).await {
                Ok(true) => return AppError::Cancelled,
                Ok(false) => {}
                Err(LeaseError::Lost) => return AppError::LeaseLost,
                Err(LeaseError::Store(error)) => {
                    tracing::warn!(%error, operation = %lease.operation, "heartbeat failed");
                }
            }
            tokio::select! {
                () = self.stopping.cancelled() => return AppError::Stopping,
                () = signalled => {}
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }

    async fn beat(&self, lease: &Lease) -> Result<bool, LeaseError> {
        let mut unit = self.deps.store.begin_import().await?;
        let cancel = unit.operations().heartbeat(lease, LEASE_SECONDS).await?;
        unit.commit().await?;
        Ok(cancel)
    }

    /// Runs until the end, again where a store was away.
    async fn run_with_retries(
        self: &Arc<Self>,
        lease: &Lease,
        claimed: &Operation,
    ) -> AppResult<()> {
        let mut failures = Failures::none();
        loop {
            let began = Instant::now();
            let error = match self.run_from_checkpoint(lease, claimed).await {
                Err(AppError::Store(error)) if error.class() == ErrorClass::Transient => error,
                outcome => return outcome,
            };
            let now = Instant::now();
            let stall = match error {
                StoreError::DiskFull => Stall::DiskFull,
                _ => Stall::StoreAway,
            };
            let Some(rest) = failures.another(stall, now - began > WORKED, now) else {
                return Err(error.into());
            };
            tracing::warn!(%error, operation = %lease.operation, "trying again");
            if rest.told {
                self.stand(lease, stall).await;
            }
            tokio::time::sleep(rest.pause).await;
        }
    }

    /// Says that a run stands still, and why, where that can be stored. Its first request after
    /// that says that it runs again.
    async fn stand(&self, lease: &Lease, stall: Stall) {
        let update = OperationUpdate {
            state: Some(OperationState::Waiting),
            reason: Some(stall.to_string()),
            ..OperationUpdate::default()
        };
        let stored = async {
            let mut unit = self.deps.store.begin_import().await?;
            unit.operations().update_leased(lease, &update).await?;
            Ok::<_, LeaseError>(unit.commit().await?)
        };
        if let Err(error) = stored.await {
            tracing::debug!(%error, operation = %lease.operation, "not stored that it waits");
        }
    }

    async fn run_from_checkpoint(
        self: &Arc<Self>,
        lease: &Lease,
        claimed: &Operation,
    ) -> AppResult<()> {
        let corrupt = || StoreError::Corrupt("parameters of an import");
        let params: Params =
            serde_json::from_value(claimed.params.clone()).map_err(|_| corrupt())?;
        let kind = ImportKind::parse(&params.kind).ok_or_else(corrupt)?;
        let workspace = &claimed.workspace;
        let mut unit = self.deps.store.begin_import().await?;
        let id = ClientId(params.client);
        let found = unit.clients().get(workspace, id).await?;
        let client = found.ok_or(AppError::NotFound)?;
        let found = unit.operations().get(workspace, lease.operation).await?;
        let operation = found.ok_or(AppError::LeaseLost)?;
        drop(unit);
        let job = Arc::new(Job {
            app: Arc::clone(self),
            lease: lease.clone(),
            client,
        });
        let asker = job.asker().await?;
        match kind {
            ImportKind::Tickets => tickets::run(&job, &asker, operation.checkpoint).await,
            ImportKind::Contacts => contacts::run(&job, &asker, operation.checkpoint).await,
        }
    }

    /// Gives a run back to the queue, to be gone on with after a restart or elsewhere.
    async fn hand_back(&self, lease: &Lease) -> AppResult<()> {
        let update = OperationUpdate {
            state: Some(OperationState::Queued),
            ..OperationUpdate::default()
        };
        let mut unit = self.deps.store.begin_import().await?;
        let given = unit.operations().update_leased(lease, &update).await;
        match given {
            Ok(()) => Ok(unit.commit().await?),
            Err(LeaseError::Lost) => Ok(()),
            Err(LeaseError::Store(error)) => Err(error.into()),
        }
    }
}

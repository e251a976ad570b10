//! Asking a CRM for pages within its budget, as often as it is sensible.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::{
    importing::{BudgetKey, Failure, Page, RequestsPerMinute, Retry, next_try},
    operation::OperationState,
    shared::Instant,
};
use futures::future::BoxFuture;
use ports::{
    crm::{CrmEndpoint, Reserved, SourceError, TicketSource},
    store::OperationUpdate,
};
use tokio::{sync::Mutex, time};

use super::{Job, turns::Turn};
use crate::application::AppResult;

/// What is granted and not started within this time lapses.
const FRESH: Duration = Duration::from_millis(500);
/// A limit may be raised while somebody waits for it.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Shorter waits are not shown.
const SHOWN: Duration = Duration::from_secs(1);
/// How long a limit is taken to be what it was.
const LIMIT_KEPT: Duration = Duration::from_secs(10);
/// One after the other, so many requests a minute can be had of a CRM that takes its time.
const PER_FETCHER: u32 = 250;
/// Most requests of a run on their way.
const MOST_FETCHERS: u32 = 32;

/// One request for a page.
pub(super) trait Request<'a, T>:
    Fn(&'a dyn TicketSource) -> BoxFuture<'a, Result<Page<T>, SourceError>> + Send
{
}

impl<'a, T, F> Request<'a, T> for F where
    F: Fn(&'a dyn TicketSource) -> BoxFuture<'a, Result<Page<T>, SourceError>> + Send
{
}

/// Asks the CRM of one run.
pub(super) struct Asker {
    job: Arc<Job>,
    source: Arc<dyn TicketSource>,
    budget: BudgetKey,
    turn: Turn,
    permits: Mutex<Permits>,
    /// The other side's clock when it answered last, in milliseconds; 0 before.
    clock: AtomicI64,
}

/// Requests that may be started.
struct Permits {
    left: u32,
    until: time::Instant,
    limit: RequestsPerMinute,
    limit_until: time::Instant,
    /// Whether the run is shown as waiting.
    shown: bool,
}

impl Job {
    /// Whoever asks for this run.
    pub(super) async fn asker(self: &Arc<Self>) -> AppResult<Arc<Asker>> {
        let client = &self.client;
        let endpoint = CrmEndpoint {
            base_url: client.base_url.clone(),
            token: self.app.token(client)?,
            tls_verify: client.tls_verify,
        };
        let now = time::Instant::now();
        let permits = Permits {
            left: 0,
            until: now,
            limit: self.limit().await?,
            limit_until: now + LIMIT_KEPT,
            // What a worker before left behind is unknown.
            shown: true,
        };
        Ok(Arc::new(Asker {
            source: self.app.deps.crm.open(&endpoint)?,
            turn: self.app.turns.of(&client.budget),
            budget: client.budget.clone(),
            permits: Mutex::new(permits),
            clock: AtomicI64::new(0),
            job: Arc::clone(self),
        }))
    }

    /// The lowest rate of all who share the budget.
    async fn limit(&self) -> AppResult<RequestsPerMinute> {
        let default = self.app.deps.policy.requests_per_minute;
        let mut unit = self.app.deps.store.begin_import().await?;
        let budget = &self.client.budget;
        let lowest = unit.clients().lowest_rate(budget, default).await?;
        // The client itself may have been switched off since the run began.
        let own = self.client.requests_per_minute.unwrap_or(default);
        Ok(lowest.min(own))
    }

    /// Shows the run as waiting for its quota, or as running again.
    async fn show(&self, waiting: bool) -> AppResult<()> {
        let update = OperationUpdate {
            state: Some(if waiting {
                OperationState::Waiting
            } else {
                OperationState::Running
            }),
            reason: waiting.then(|| "quota".to_owned()),
            ..OperationUpdate::default()
        };
        let mut unit = self.app.deps.store.begin_import().await?;
        unit.operations()
            .update_leased(&self.lease, &update)
            .await?;
        Ok(unit.commit().await?)
    }
}

impl Asker {
    /// How many requests are worth having on their way at a time.
    pub(super) async fn fetchers(&self) -> usize {
        let limit = self.permits.lock().await.limit.get();
        (limit / PER_FETCHER + 1).min(MOST_FETCHERS) as usize
    }

    /// The other side's clock, where it has told it; else ours.
    pub(super) fn clock(&self) -> Instant {
        let told = self.clock.load(Ordering::Relaxed);
        let told = (told > 0).then(|| Instant::from_timestamp_millis(told));
        told.flatten()
            .unwrap_or_else(|| self.job.app.deps.clock.now())
    }

    /// A page, asked for until it is there or it is clear that it will not come.
    ///
    /// # Errors
    /// `Source` when it will not come; store errors of the budget; `LeaseLost`.
    pub(super) async fn ask<'a, T>(&'a self, request: impl Request<'a, T>) -> AppResult<Page<T>> {
        let mut failures = 0;
        loop {
            self.permit().await?;
            let error = match request(&*self.source).await {
                Ok(page) => {
                    self.note_clock(page.clock);
                    return Ok(page);
                }
                Err(error) => error,
            };
            let failure = error.failure();
            if !matches!(failure, Failure::Quota(_)) {
                failures += 1;
            }
            match next_try(failure, failures, rand::random()) {
                Retry::GiveUp => return Err(error.into()),
                Retry::After(pause) if matches!(failure, Failure::Quota(_)) => {
                    // Whoever shares the budget would only be refused as well.
                    self.job.app.deps.budget.pause(&self.budget, pause).await?;
                    self.permits.lock().await.left = 0;
                }
                Retry::After(pause) => time::sleep(pause).await,
            }
        }
    }

    fn note_clock(&self, clock: Option<Instant>) {
        if let Some(clock) = clock {
            self.clock
                .fetch_max(clock.timestamp_millis(), Ordering::Relaxed);
        }
    }

    /// Waits until one request may start.
    async fn permit(&self) -> AppResult<()> {
        let mut permits = self.permits.lock().await;
        if permits.left > 0 && time::Instant::now() < permits.until {
            permits.left -= 1;
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        loop {
            let now = time::Instant::now();
            if now >= permits.limit_until {
                permits.limit = self.job.limit().await?;
                permits.limit_until = now + LIMIT_KEPT;
            }
            // A tenth of a second's worth, so that a fast CRM does not cost a transaction a request.
            let wanted = (permits.limit.get() / 600).clamp(1, MOST_FETCHERS);
            let budget = &self.job.app.deps.budget;
            match budget.reserve(&self.budget, permits.limit, wanted).await? {
                Reserved::Granted(count) => {
                    permits.left = count.saturating_sub(1);
                    permits.until = time::Instant::now() + FRESH;
                    if permits.shown {
                        self.job.show(false).await?;
                        permits.shown = false;
                    }
                    return Ok(());
                }
                Reserved::Wait(wait) => {
                    if wait > SHOWN && !permits.shown {
                        self.job.show(true).await?;
                        permits.shown = true;
                    }
                    time::sleep(wait.min(LOOK_AGAIN)).await;
                }
            }
        }
    }
}

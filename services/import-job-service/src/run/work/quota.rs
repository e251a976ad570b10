//! The requests that one run may start, of the budget that it shares.

use std::{sync::Arc, time::Duration};

use domain::{
    importing::{BudgetKey, RequestsPerMinute},
    operation::OperationState,
};
use kernel::AppError;
use ports::{
    crm::{RateBudget, Reserved},
    store::OperationUpdate,
};
use tokio::{sync::Mutex, time};

use super::{context::ImportRun, turns::Turn};

/// What is granted and not started within this time lapses.
const FRESH: Duration = Duration::from_millis(500);
/// Longest wait before the limit is read again: it may be raised meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Shorter waits are not shown.
const SHOWN: Duration = Duration::from_secs(1);
/// How long a limit is taken to be what it was.
const LIMIT_KEPT: Duration = Duration::from_secs(10);
/// Requests a minute that one fetcher gets out of a slow CRM.
const PER_FETCHER: u32 = 250;
/// Most requests of a run in flight.
const MOST_FETCHERS: u32 = 32;

/// The quota of one run.
pub struct Quota {
    run: Arc<ImportRun>,
    budget: Arc<dyn RateBudget>,
    key: BudgetKey,
    default_rate: RequestsPerMinute,
    turn: Turn,
    permits: Mutex<Permits>,
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

impl Quota {
    /// The quota of a run, which asks in its turn; with the rate of clients that say none.
    pub async fn new(
        run: Arc<ImportRun>,
        budget: Arc<dyn RateBudget>,
        turn: Turn,
        default_rate: RequestsPerMinute,
    ) -> Result<Self, AppError> {
        let now = time::Instant::now();
        let permits = Permits {
            left: 0,
            until: now,
            limit: limit(&run, default_rate).await?,
            limit_until: now + LIMIT_KEPT,
            // What a worker before left behind is unknown.
            shown: true,
        };
        Ok(Self {
            budget,
            key: run.client.budget.clone(),
            default_rate,
            turn,
            permits: Mutex::new(permits),
            run,
        })
    }

    /// How many requests are worth having in flight at a time.
    pub async fn fetchers(&self) -> usize {
        let limit = self.permits.lock().await.limit.get();
        (limit / PER_FETCHER + 1).min(MOST_FETCHERS) as usize
    }

    /// Pauses all who share the budget: their requests would be refused as well.
    pub async fn pause(&self, time: Duration) -> Result<(), AppError> {
        self.budget.pause(&self.key, time).await?;
        self.permits.lock().await.left = 0;
        Ok(())
    }

    /// Waits until one request may start.
    pub async fn acquire(&self) -> Result<(), AppError> {
        let mut permits = self.permits.lock().await;
        if permits.left > 0 && time::Instant::now() < permits.until {
            permits.left -= 1;
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        loop {
            let now = time::Instant::now();
            if now >= permits.limit_until {
                permits.limit = limit(&self.run, self.default_rate).await?;
                permits.limit_until = now + LIMIT_KEPT;
            }
            // A tenth of a second's worth, so that a fast CRM does not cost a transaction a request.
            let wanted = (permits.limit.get() / 600).clamp(1, MOST_FETCHERS);
            let reserved = self.budget.reserve(&self.key, permits.limit, wanted);
            match reserved.await? {
                Reserved::Granted(count) => {
                    permits.left = count.saturating_sub(1);
                    permits.until = time::Instant::now() + FRESH;
                    if permits.shown {
                        show(&self.run, false).await?;
                        permits.shown = false;
                    }
                    return Ok(());
                }
                Reserved::Wait(wait) => {
                    if wait > SHOWN && !permits.shown {
                        show(&self.run, true).await?;
                        permits.shown = true;
                    }
                    time::sleep(wait.min(LOOK_AGAIN)).await;
                }
            }
        }
    }
}

/// The lowest rate of all who share the budget.
async fn limit(run: &ImportRun, default: RequestsPerMinute) -> Result<RequestsPerMinute, AppError> {
    let mut unit = run.store.begin_import().await?;
    let budget = &run.client.budget;
    let lowest = unit.clients().lowest_rate(budget, default).await?;
    // The client itself may have been switched off since the run began.
    let own = run.client.requests_per_minute.unwrap_or(default);
    Ok(lowest.min(own))
}

/// Shows the run as waiting for its quota, or as running again.
async fn show(run: &ImportRun, waiting: bool) -> Result<(), AppError> {
    let update = OperationUpdate {
        state: Some(if waiting {
            OperationState::Waiting
        } else {
            OperationState::Running
        }),
        reason: waiting.then(|| "quota".to_owned()),
        ..OperationUpdate::default()
    };
    let mut unit = run.store.begin_import().await?;
    unit.operations().update_leased(&run.lease, &update).await?;
    Ok(unit.commit().await?)
}

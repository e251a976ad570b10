//! Fetches pages from a CRM, as often as it is sensible.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::{
    importing::{Failure, Page, RequestsPerMinute, Retry, next_try},
    shared::Instant,
};
use futures::future::BoxFuture;
use kernel::AppError;
use ports::{
    Clock,
    crm::{RateBudget, SourceError, TicketSource},
};
use tokio::time;

use super::{context::ImportRun, quota::Quota, turns::Turns};
use crate::client::Credentials;

/// Opens the CRMs of runs.
pub struct PageFetchers {
    credentials: Credentials,
    budget: Arc<dyn RateBudget>,
    turns: Turns,
}

impl PageFetchers {
    /// Fetchers that share a budget.
    pub fn new(credentials: Credentials, budget: Arc<dyn RateBudget>) -> Self {
        Self {
            credentials,
            budget,
            turns: Turns::default(),
        }
    }

    /// The page fetcher of a run.
    ///
    /// # Errors
    /// `Failed` with `token_lost`; `Source` where the CRM must not be reached; store errors.
    pub(super) async fn open(
        &self,
        run: &Arc<ImportRun>,
        default_rate: RequestsPerMinute,
    ) -> Result<Arc<PageFetcher>, AppError> {
        let source = self.credentials.open(&run.client)?;
        let turn = self.turns.of(&run.client.budget);
        let budget = Arc::clone(&self.budget);
        Ok(Arc::new(PageFetcher {
            source,
            quota: Quota::new(Arc::clone(run), budget, turn, default_rate).await?,
            remote_clock: AtomicI64::new(0),
            clock: Arc::clone(&run.clock),
        }))
    }
}

/// The page fetcher of one run.
pub struct PageFetcher {
    source: Arc<dyn TicketSource>,
    quota: Quota,
    clock: Arc<dyn Clock>,
    /// The other side's clock when it answered last, in milliseconds; 0 before.
    remote_clock: AtomicI64,
}

/// One request for a page.
pub type PageFuture<'a, T> = BoxFuture<'a, Result<Page<T>, SourceError>>;

impl PageFetcher {
    /// How many requests are worth having in flight at a time.
    pub async fn fetchers(&self) -> usize {
        self.quota.fetchers().await
    }

    /// The other side's clock, where it has told it; else ours.
    pub fn clock(&self) -> Instant {
        let told = self.remote_clock.load(Ordering::Relaxed);
        let told = (told > 0).then(|| Instant::from_timestamp_millis(told));
        told.flatten().unwrap_or_else(|| self.clock.now())
    }

    /// A page, requested until it is there or it is clear that it will not come.
    ///
    /// # Errors
    /// `Source` when it will not come; store errors of the budget; `LeaseLost`.
    pub async fn fetch<'a, T>(
        &'a self,
        request: impl Fn(&'a dyn TicketSource) -> PageFuture<'a, T> + Send,
    ) -> Result<Page<T>, AppError> {
        let mut failures = 0;
        loop {
            self.quota.acquire().await?;
            let error = match request(&*self.source).await {
                Ok(page) => {
                    if let Some(clock) = page.clock {
                        let clock = clock.timestamp_millis();
                        self.remote_clock.fetch_max(clock, Ordering::Relaxed);
                    }
                    return Ok(page);
                }
                Err(error) => error,
            };
            let failure = error.failure();
            let asked_to_wait = matches!(failure, Failure::Quota(_));
            if !asked_to_wait {
                failures += 1;
            }
            match next_try(failure, failures, rand::random()) {
                Retry::GiveUp => return Err(error.into()),
                Retry::After(pause) if asked_to_wait => self.quota.pause(pause).await?,
                Retry::After(pause) => time::sleep(pause).await,
            }
        }
    }
}

//! Runs that a schedule asks for, and rows that have served their time.

use chrono::TimeDelta;
use domain::scheduling::Schedule;

use super::{App, AppResult};

/// Clients started in one look.
const AT_A_TIME: i64 = 100;
/// How long a batch can be asked about.
const BATCHES_KEPT: TimeDelta = TimeDelta::days(30);

impl App {
    /// Begins the runs that are due, and answers of how many clients. What was missed while nobody
    /// looked runs once.
    ///
    /// # Errors
    /// Store errors.
    pub async fn start_due(&self) -> AppResult<usize> {
        let now = self.deps.clock.now();
        let mut unit = self.deps.store.begin_import().await?;
        let due = unit.clients().due(now, AT_A_TIME).await?;
        let mut started = 0;
        for client in &due {
            let Some(from) = client.next_run_at else {
                continue;
            };
            let next = client
                .schedule
                .as_ref()
                .and_then(|s| Schedule::next_after(s, now));
            if unit.clients().reschedule(client.id, from, next).await? {
                self.begin_scheduled(unit.as_mut(), client).await?;
                started += 1;
            }
        }
        unit.commit().await?;
        if started > 0 {
            self.wake.work();
        }
        Ok(started)
    }

    /// Forgets old batches, and answers how many.
    ///
    /// # Errors
    /// Store errors.
    pub async fn purge_batches(&self) -> AppResult<u64> {
        let before = self.deps.clock.now() - BATCHES_KEPT;
        let mut unit = self.deps.store.begin_import().await?;
        let gone = unit.batches().purge(before, 1_000).await?;
        unit.commit().await?;
        Ok(gone)
    }
}

//! Starts the runs that schedules ask for.

use std::sync::Arc;

use domain::shared::UserId;
use kernel::{AppError, Wake};
use ports::{
    Clock, StoreError,
    importing::{ImportKind, ImportStore},
};

use super::RunStarter;

/// Clients started in one transaction.
const AT_A_TIME: i64 = 100;
/// Who starts what a schedule asks for.
const SCHEDULE: &str = "schedule";

/// Starts runs that are due.
#[derive(Clone)]
pub struct StartDueRuns {
    pub store: Arc<dyn ImportStore>,
    pub starter: RunStarter,
    pub clock: Arc<dyn Clock>,
    pub wake: Wake,
}

impl StartDueRuns {
    /// Starts both kinds of runs of clients that are due, and answers of how many clients. Several
    /// missed times run once.
    #[tracing::instrument(name = "run.start_due", skip_all)]
    pub async fn execute(&self) -> Result<usize, AppError> {
        let user = UserId::parse(SCHEDULE).map_err(|e| StoreError::Internal(Box::new(e)))?;
        let now = self.clock.now();
        let mut unit = self.store.begin_import().await?;
        let due = unit.clients().due(now, AT_A_TIME).await?;
        let mut started = 0;
        for client in &due {
            let Some(from) = client.next_run_at else {
                continue;
            };
            let next = client.schedule.as_ref().and_then(|s| s.next_after(now));
            if unit.clients().reschedule(client.id, from, next).await? {
                for kind in [ImportKind::Tickets, ImportKind::Contacts] {
                    self.starter
                        .begin(unit.as_mut(), client, kind, &user)
                        .await?;
                }
                started += 1;
            }
        }
        unit.commit().await?;
        if started > 0 {
            self.wake.work();
        }
        Ok(started)
    }
}

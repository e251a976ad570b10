//! Outcomes of attempts to reach people, reported by diallers and other systems.

use domain::shared::Violation;
use ports::store::{Durability, OutcomeRecord};

use super::{Actor, App, AppError, AppResult};

/// Most outcomes of one request.
pub const MAX_OUTCOMES: usize = 100_000;

/// An outcome that was not stored.
#[derive(Debug, Clone)]
pub struct RejectedOutcome {
    /// Its index in the request.
    pub index: usize,
    /// What is wrong with it, below the item.
    pub violation: Violation,
}

/// What became of the reported outcomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomesRecorded {
    /// New ones.
    pub recorded: usize,
    /// Reported before.
    pub repeated: usize,
}

impl App {
    /// Stores outcomes, each once.
    ///
    /// # Errors
    /// Store errors.
    pub async fn record_outcomes(
        &self,
        actor: &Actor,
        records: Vec<OutcomeRecord>,
    ) -> AppResult<OutcomesRecorded> {
        if records.is_empty() {
            return Ok(OutcomesRecorded::default());
        }
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        let new = uow.outcomes().add(&actor.workspace, &records).await?;
        uow.commit().await.map_err(AppError::from)?;
        let recorded = new.iter().filter(|n| **n).count();
        Ok(OutcomesRecorded {
            recorded,
            repeated: new.len() - recorded,
        })
    }
}

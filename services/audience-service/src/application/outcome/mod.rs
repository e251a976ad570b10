//! Outcomes of attempts to reach people, reported by diallers and other systems.

use std::collections::HashSet;
use std::sync::Arc;

use domain::{contact::Document, shared::Violation};
use kernel::receipt;
use ports::store::{AudienceQueries, AudienceStore, Durability, OutcomeRecord};

use serde::{Deserialize, Serialize};

use super::{Actor, AppResult, RequestId};

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomesRecorded {
    /// New ones.
    pub recorded: usize,
    /// Reported before.
    pub repeated: usize,
}

/// Reported outcomes of attempts to reach people.
#[derive(Clone)]
pub struct Outcomes {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
}

impl Outcomes {
    /// Those of these people who have opted out.
    ///
    /// # Errors
    /// Store errors.
    pub async fn opted_out<'d>(
        &self,
        actor: &Actor,
        people: impl IntoIterator<Item = &'d Document>,
    ) -> AppResult<HashSet<Document>> {
        let people: Vec<Document> = people.into_iter().cloned().collect();
        let found = self.queries.opted_out_among(&actor.workspace, &people);
        Ok(found.await?.into_iter().collect())
    }

    /// Stores outcomes, each once.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "outcome.record", skip_all)]
    pub async fn record(
        &self,
        actor: &Actor,
        request_id: RequestId,
        records: Vec<OutcomeRecord>,
    ) -> AppResult<OutcomesRecorded> {
        if records.is_empty() {
            return Ok(OutcomesRecorded::default());
        }
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = receipt::earlier(uow.receipts(), request_id).await? {
            return Ok(earlier);
        }
        let new = uow.outcomes().add(&actor.workspace, &records).await?;
        let recorded = new.iter().filter(|n| **n).count();
        let did = OutcomesRecorded {
            recorded,
            repeated: new.len() - recorded,
        };
        receipt::keep(uow.receipts(), request_id, &did).await?;
        uow.commit().await?;
        ports::crash::point("request.before_answer");
        Ok(did)
    }
}

//! Outcomes of attempts to reach people, reported by diallers and other systems.

use std::collections::HashSet;
use std::sync::Arc;

use domain::{
    contact::Document,
    recycle::{OutcomeRecord, parse_outcome},
    shared::Rejection,
};
use kernel::receipt;
use ports::{
    Clock,
    store::{AudienceQueries, AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Actor, AppResult, RequestId};

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
    pub(crate) clock: Arc<dyn Clock>,
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

    /// Stores outcomes as they are reported, each once; items that break a rule are rejected one by one.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "outcome.report", skip_all)]
    pub async fn report(
        &self,
        actor: &Actor,
        request_id: RequestId,
        items: Vec<Value>,
    ) -> AppResult<(OutcomesRecorded, Vec<Rejection>)> {
        let now = self.clock.now();
        let (mut records, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.into_iter().enumerate() {
            match parse_outcome(item, now) {
                Ok(record) => records.push(record),
                Err(error) => rejected.push(Rejection { index, error }),
            }
        }
        let recorded = self.record(actor, request_id, records).await?;
        Ok((recorded, rejected))
    }

    /// Stores outcomes, each once.
    ///
    /// # Errors
    /// Store errors.
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

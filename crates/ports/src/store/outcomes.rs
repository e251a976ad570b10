//! Reported outcomes of attempts to reach people.

use async_trait::async_trait;
use domain::{
    contact::Document,
    recycle::{OutcomeFacts, OutcomeRecord},
    shared::WorkspaceId,
};

use crate::StoreError;

/// Outcomes of one transaction.
#[async_trait]
pub trait OutcomeRepository: Send {
    /// Adds outcomes; `true` for each that is new, `false` where it was reported before.
    async fn add(
        &mut self,
        workspace: &WorkspaceId,
        records: &[OutcomeRecord],
    ) -> Result<Vec<bool>, StoreError>;
}

/// Reading of outcomes, in the order in which recycling walks.
#[async_trait]
pub trait OutcomeQueries: Send + Sync {
    /// Facts of all people of the workspace with a document after `after` and not after `until`,
    /// ascending. Only people that have any.
    async fn facts_between(
        &self,
        workspace: &WorkspaceId,
        after: Option<&Document>,
        until: &Document,
    ) -> Result<Vec<(Document, OutcomeFacts)>, StoreError>;

    /// Facts of one person, in the order in which they were reported.
    async fn facts_of(
        &self,
        workspace: &WorkspaceId,
        document: &Document,
    ) -> Result<OutcomeFacts, StoreError>;

    /// Those of these people who have opted out, in any order.
    async fn opted_out_among(
        &self,
        workspace: &WorkspaceId,
        documents: &[Document],
    ) -> Result<Vec<Document>, StoreError>;

    /// People who opted out, ascending, after `after`.
    async fn opted_out(
        &self,
        workspace: &WorkspaceId,
        after: Option<&Document>,
        limit: i64,
    ) -> Result<Vec<Document>, StoreError>;

    /// A number that grows with every new report of the workspace: what a plan is valid for.
    async fn version(&self, workspace: &WorkspaceId) -> Result<i64, StoreError>;
}

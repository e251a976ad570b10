//! Resolving segments: who fulfils conditions, according to a store of customers.

use async_trait::async_trait;
use domain::{segment::SegmentQuery, shared::WorkspaceId};

use crate::StoreError;

/// A customer who fulfils a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its key in audiences.
    pub key: String,
    /// Its number.
    pub customer: i64,
    /// Grows with every change of the customer.
    pub version: i64,
    /// Whether it said no wherever it said anything.
    pub unsubscribed: bool,
}

/// How many customers fulfil a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentCounts {
    /// All conditions.
    pub matched: i64,
    /// How many were looked at.
    pub looked_at: i64,
    /// Each condition by itself, group by group.
    pub by_condition: Vec<i64>,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A condition asks for what the source does not have.
    #[error("the source of customers has no {0}")]
    Missing(&'static str),
    /// It took longer than it may.
    #[error("the query took too long")]
    TooLong,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers who fulfils conditions. It reads only, and never waits for writers.
#[async_trait]
pub trait SegmentResolver: Send + Sync {
    /// How many customers fulfil a query, and how many each of its conditions.
    async fn counts(&self, query: &SegmentQuery) -> Result<SegmentCounts, ResolveError>;

    /// The first customers who fulfil a query, ordered by key and number; at most `limit`.
    async fn members(
        &self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<Vec<Member>, ResolveError>;

    /// Customers who fulfil a query, all of them, ordered by key and number, in batches.
    async fn stream(&self, query: SegmentQuery) -> Result<Box<dyn MemberStream>, ResolveError>;

    /// The first keys of customers that lie after a key, in their order, each once; at most `limit`.
    async fn keys(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ResolveError>;

    /// The least and the greatest number of a customer.
    async fn numbers(&self, workspace: &WorkspaceId) -> Result<Option<(i64, i64)>, ResolveError>;
}

/// Members that are still to come.
#[async_trait]
pub trait MemberStream: Send {
    /// The next of them; none at the end.
    async fn next(&mut self) -> Result<Vec<Member>, ResolveError>;
}

//! Resolving segments: who fulfils conditions, according to a store of customers.

use async_trait::async_trait;
use domain::{contact::ContactBody, segment::SegmentQuery, shared::WorkspaceId};

use crate::StoreError;

/// A customer who fulfils a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its key in audiences.
    pub key: String,
    /// Its number, where it is registered.
    pub customer: Option<i64>,
    /// Another one after every change of the customer.
    pub version: i64,
    /// Whether it said no wherever it said anything.
    pub unsubscribed: bool,
    /// What a source outside says of it; of what the own store has, nothing.
    pub given: Option<Box<ContactBody>>,
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
    /// Bytes that a source outside bills for them.
    pub bytes: u64,
}

/// What reading members came to so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadMembers {
    /// Bytes that a source outside bills for it.
    pub bytes: u64,
    /// People without a key that can be read; they are no members.
    pub unreadable: u64,
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
    /// It would be billed for more bytes than are left of a limit. Nothing was billed.
    #[error("the query needs {} bytes, and {limit} of `{of}` are left", needed.map_or_else(|| "more".to_owned(), |needed| needed.to_string()))]
    BytesLimit {
        /// How many it needs, where that is known.
        needed: Option<u64>,
        /// How many are left.
        limit: u64,
        /// Of which limit.
        of: &'static str,
    },
    /// The source refuses, and would refuse again. Neither credentials nor values are in it.
    #[error("{detail}")]
    Refused {
        /// Stable code in `snake_case`.
        code: &'static str,
        /// One sentence for a person.
        detail: String,
    },
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

    /// Both at once: the counts, and the first members.
    async fn preview(
        &self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<(SegmentCounts, Vec<Member>), ResolveError> {
        let counts = self.counts(query).await?;
        Ok((counts, self.members(query, limit).await?))
    }

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

    /// What reading them came to so far.
    fn read(&self) -> ReadMembers {
        ReadMembers::default()
    }
}

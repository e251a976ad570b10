//! A resolver that something happens to before it answers.

use std::sync::Arc;

use async_trait::async_trait;
use audience_service::Ports;
use domain::{segment::SegmentQuery, shared::WorkspaceId};
use futures::future::BoxFuture;
use ports::segments::{Member, MemberStream, ResolveError, SegmentCounts, SegmentResolver};

/// What is asked for.
pub enum Ask<'q> {
    /// Some members at once.
    Members(&'q SegmentQuery),
    /// All members, part by part.
    Stream,
}

/// What happens before it is answered.
pub type Before = dyn Fn(Ask<'_>) -> BoxFuture<'static, Result<(), ResolveError>> + Send + Sync;

/// The resolver of some ports, behind what happens before it answers.
struct Interposed {
    inner: Arc<dyn SegmentResolver>,
    before: Box<Before>,
}

/// Lets something happen before the resolver answers.
pub fn interpose(ports: &mut Ports, before: Box<Before>) {
    let inner = Arc::clone(&ports.segments);
    ports.segments = Arc::new(Interposed { inner, before });
}

#[async_trait]
impl SegmentResolver for Interposed {
    async fn counts(&self, query: &SegmentQuery) -> Result<SegmentCounts, ResolveError> {
        self.inner.counts(query).await
    }

    async fn members(
        &self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<Vec<Member>, ResolveError> {
        (self.before)(Ask::Members(query)).await?;
        self.inner.members(query, limit).await
    }

    async fn stream(&self, query: SegmentQuery) -> Result<Box<dyn MemberStream>, ResolveError> {
        (self.before)(Ask::Stream).await?;
        self.inner.stream(query).await
    }

    async fn keys(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ResolveError> {
        self.inner.keys(workspace, after, limit).await
    }

    async fn numbers(&self, workspace: &WorkspaceId) -> Result<Option<(i64, i64)>, ResolveError> {
        self.inner.numbers(workspace).await
    }
}

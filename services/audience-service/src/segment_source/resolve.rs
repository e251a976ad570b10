//! Resolving segments where the customers of their workspace are.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    segment::{Condition, Predicate, Reference, Scope, SegmentQuery},
    shared::{AudienceId, WorkspaceId},
};
use ports::{
    StoreError,
    segments::{Member, MemberStream, ReadMembers, ResolveError, SegmentCounts, SegmentResolver},
    warehouse::{Question, WarehouseError, WarehousePeople},
};

use super::{
    BytesBudget, OpenSource,
    budget::Taken,
    member::member,
    open::{OpenError, Opened},
};

/// Resolves segments in the own store, or in the warehouse that a workspace has said.
#[derive(Clone)]
pub(crate) struct WorkspaceResolver {
    pub(crate) own: Arc<dyn SegmentResolver>,
    pub(crate) open: OpenSource,
    pub(crate) budget: BytesBudget,
}

impl WorkspaceResolver {
    /// The warehouse of a workspace; none where its customers are in the own store.
    async fn outside(&self, workspace: &WorkspaceId) -> Result<Option<Outside>, ResolveError> {
        let opened = self.open.of(workspace).await.map_err(|error| match error {
            OpenError::Store(error) => error.into(),
            OpenError::Warehouse(error) => unanswered(error, ""),
        })?;
        Ok(opened.map(|opened| Outside {
            opened,
            own: Arc::clone(&self.own),
            budget: self.budget.clone(),
        }))
    }
}

#[async_trait]
impl SegmentResolver for WorkspaceResolver {
    async fn counts(&self, query: &SegmentQuery) -> Result<SegmentCounts, ResolveError> {
        match self.outside(&query.workspace).await? {
            Some(outside) => outside.counts(query).await,
            None => self.own.counts(query).await,
        }
    }

    async fn members(
        &self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<Vec<Member>, ResolveError> {
        match self.outside(&query.workspace).await? {
            Some(outside) => Ok(outside.members(query, limit).await?.0),
            None => self.own.members(query, limit).await,
        }
    }

    async fn preview(
        &self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<(SegmentCounts, Vec<Member>), ResolveError> {
        let Some(outside) = self.outside(&query.workspace).await? else {
            return self.own.preview(query, limit).await;
        };
        let mut counts = outside.counts(query).await?;
        let (members, read) = outside.members(query, limit).await?;
        counts.bytes += read.bytes;
        Ok((counts, members))
    }

    async fn stream(&self, query: SegmentQuery) -> Result<Box<dyn MemberStream>, ResolveError> {
        match self.outside(&query.workspace).await? {
            Some(outside) => Ok(Box::new(outside.stream(query, None).await?)),
            None => self.own.stream(query).await,
        }
    }

    async fn keys(
        &self,
        workspace: &WorkspaceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ResolveError> {
        match self.outside(workspace).await? {
            // Range by range of keys, each range would be billed as all of them.
            Some(_) => Err(ResolveError::Missing("lists of contacts")),
            None => self.own.keys(workspace, after, limit).await,
        }
    }

    async fn numbers(&self, workspace: &WorkspaceId) -> Result<Option<(i64, i64)>, ResolveError> {
        match self.outside(workspace).await? {
            Some(_) => Ok(None),
            None => self.own.numbers(workspace).await,
        }
    }
}

/// The warehouse of a workspace, asked within its budget.
struct Outside {
    opened: Opened,
    own: Arc<dyn SegmentResolver>,
    budget: BytesBudget,
}

impl Outside {
    /// What the query needs, by a dry run, taken of the budget.
    async fn take(&self, query: &SegmentQuery, question: Question) -> Result<Taken, ResolveError> {
        let bytes = self.opened.warehouse.cost(query, question).await;
        let bytes = bytes.map_err(|error| unanswered(error, ""))?;
        let source = &self.opened.source;
        self.budget.take(&query.workspace, source, bytes).await
    }

    async fn counts(&self, query: &SegmentQuery) -> Result<SegmentCounts, ResolveError> {
        let taken = self.take(query, Question::Counts).await?;
        match self.opened.warehouse.counts(query, taken.most).await {
            Ok((counts, billed)) => {
                self.budget.settle(&taken, billed).await?;
                Ok(counts)
            }
            Err(error) => Err(given_up(&self.budget, &taken, error).await?),
        }
    }

    async fn members(
        self,
        query: &SegmentQuery,
        limit: usize,
    ) -> Result<(Vec<Member>, ReadMembers), ResolveError> {
        let mut stream = self.stream(query.clone(), Some(limit)).await?;
        let mut members = Vec::new();
        while members.len() < limit {
            let batch = stream.next().await?;
            if batch.is_empty() {
                break;
            }
            members.extend(batch);
        }
        members.truncate(limit);
        Ok((members, stream.read))
    }

    async fn stream(
        self,
        query: SegmentQuery,
        limit: Option<usize>,
    ) -> Result<Stream, ResolveError> {
        let taken = self.take(&query, Question::People(limit)).await?;
        let warehouse = &self.opened.warehouse;
        let people = match warehouse.people(&query, limit, taken.most).await {
            Ok(people) => people,
            Err(error) => return Err(given_up(&self.budget, &taken, error).await?),
        };
        Ok(Stream {
            people,
            query,
            own: self.own,
            budget: self.budget,
            taken: Some(taken),
            last: None,
            read: ReadMembers::default(),
        })
    }
}

/// Members of a warehouse, page by page.
struct Stream {
    people: Box<dyn WarehousePeople>,
    query: SegmentQuery,
    own: Arc<dyn SegmentResolver>,
    budget: BytesBudget,
    /// Until it is known what the query is billed for.
    taken: Option<Taken>,
    last: Option<String>,
    read: ReadMembers,
}

impl Stream {
    /// Counts what the query is billed for, once its first page is there.
    async fn settle(&mut self) -> Result<(), ResolveError> {
        let Some(taken) = self.taken.take() else {
            return Ok(());
        };
        // Where it is not told, what the dry run said counts.
        let billed = self.people.billed().await.unwrap_or(taken.bytes);
        self.read.bytes = billed;
        self.budget.settle(&taken, billed).await
    }

    async fn failed(&mut self, error: WarehouseError) -> ResolveError {
        match self.taken.take() {
            None => unanswered(error, ""),
            Some(taken) => match given_up(&self.budget, &taken, error).await {
                Ok(error) | Err(error) => error,
            },
        }
    }
}

/// Says of members which customers they are.
async fn identify(
    own: &dyn SegmentResolver,
    query: &SegmentQuery,
    members: &mut [Member],
) -> Result<(), ResolveError> {
    let any = AudienceId::from_raw(1);
    let condition = Condition::Audience {
        id: any,
        negated: false,
    };
    let keys = members.iter().map(|member| member.key.clone()).collect();
    let asked = SegmentQuery {
        workspace: query.workspace.clone(),
        predicate: Predicate::of(condition, query.predicate.notation),
        references: [(any, Reference::Keys(keys))].into(),
        now: query.now,
        scope: Scope::All,
    };
    let known = own.members(&asked, usize::MAX).await?;
    for member in members {
        let at = known.partition_point(|known| known.key < member.key);
        let known = known.get(at).filter(|known| known.key == member.key);
        member.customer = known.and_then(|known| known.customer);
        member.unsubscribed = known.is_some_and(|known| known.unsubscribed);
    }
    Ok(())
}

#[async_trait]
impl MemberStream for Stream {
    async fn next(&mut self) -> Result<Vec<Member>, ResolveError> {
        loop {
            let page = match self.people.next().await {
                Ok(page) => page,
                Err(error) => return Err(self.failed(error).await),
            };
            self.settle().await?;
            if page.is_empty() {
                return Ok(Vec::new());
            }
            let rows = page.len() as u64;
            let now = self.query.now;
            let members = page.into_iter().filter_map(|person| member(person, now));
            let mut members: Vec<Member> = members.collect();
            self.read.unreadable += rows - members.len() as u64;
            let last = self.last.iter().chain(members.iter().map(|m| &m.key));
            if !last.is_sorted() {
                return Err(ResolveError::Refused {
                    code: "malformed_answer",
                    detail: "the answer is not in the order that was asked for".to_owned(),
                });
            }
            if let Some(last) = members.last() {
                self.last = Some(last.key.clone());
                identify(&*self.own, &self.query, &mut members).await?;
                return Ok(members);
            }
        }
    }

    fn read(&self) -> ReadMembers {
        self.read
    }
}

/// What a query that has no answer comes to. It is billed for nothing where it was refused; a job that was begun
/// and did not end may be, and counts as it was taken.
async fn given_up(
    budget: &BytesBudget,
    taken: &Taken,
    error: WarehouseError,
) -> Result<ResolveError, ResolveError> {
    let may_be_billed = match &error {
        WarehouseError::Refused { code, .. } => {
            matches!(
                *code,
                "source_timeout" | "query_cancelled" | "malformed_answer"
            )
        }
        _ => false,
    };
    if !may_be_billed {
        budget.settle(taken, 0).await?;
    }
    Ok(unanswered(error, taken.of))
}

/// Why a warehouse has no answer, to whoever resolves.
fn unanswered(error: WarehouseError, of: &'static str) -> ResolveError {
    match error {
        WarehouseError::Missing(what) => ResolveError::Missing(what),
        WarehouseError::BytesLimit { limit, needed } => {
            ResolveError::BytesLimit { needed, limit, of }
        }
        WarehouseError::Away { detail, .. } => StoreError::Unavailable(detail.into()).into(),
        WarehouseError::Refused { code, detail } => ResolveError::Refused { code, detail },
    }
}

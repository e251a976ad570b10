//! Who would be a member, before anything is stored.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    audience::{Definition, GroupType},
    contact::Document,
    customer::CustomerId,
    operation::{OperationKind, OperationResult, PreviewReport, Report},
    segment::{Scope, SegmentQuery},
    shared::{OperationId, WorkspaceId},
};
use kernel::payload;
use operations::{Ending, Job, Run};
use ports::{
    Clock,
    segments::{Member, SegmentCounts, SegmentResolver},
    store::{AudienceQueries, NewOperation},
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::{
    conditions::{Named, ReadConditions},
    unresolved,
};
use crate::{
    Actor, AppError, AppResult, RequestId,
    operation::{AcceptOperation, EndOperation},
};

/// Members that are shown.
const SAMPLE: usize = 20;
/// Customers of one statement where lists of contacts take part.
const STEP: usize = 20_000;
/// Longest wait for an answer, and where nothing is said.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Customers above which a part is looked at.
const EXACT: i64 = 100_000;
/// Parts of them, and numbers in each.
const PARTS: i64 = 50;
const PART: i64 = 300;

/// What is known of who would be a member.
#[derive(Debug)]
pub enum Previewed {
    /// Who.
    Found(PreviewReport),
    /// An operation finds it.
    Later(OperationId),
}

/// What a preview works from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PreviewParams {
    groups: Vec<serde_json::Value>,
    group_type: Option<GroupType>,
}

/// Number and masked document of a member that is shown.
type Sampled = (Option<i64>, Option<String>);

/// Says who would be a member.
#[derive(Clone)]
pub struct PreviewSegment {
    pub(crate) read: ReadConditions,
    pub(crate) resolver: Arc<dyn SegmentResolver>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) accept: AcceptOperation,
}

impl PreviewSegment {
    /// Who would be a member. Of many customers, a part that is spread over all of them is looked at. What takes
    /// longer than `patience` is left to an operation.
    ///
    /// # Errors
    /// `Invalid`; store errors.
    #[tracing::instrument(name = "segment.preview", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        definition: Definition,
        patience: Duration,
    ) -> AppResult<Previewed> {
        let workspace = &actor.workspace;
        // What is wrong is said now, however long the rest takes.
        self.read.parse(workspace, &definition).await?;
        self.read.ensure_sound(workspace, None, &definition).await?;
        // Who does not wait gets an operation, however quick it would have been.
        if !patience.is_zero() {
            let look = self.look(workspace, &definition);
            if let Ok(found) = timeout(patience.min(PATIENCE), look).await {
                return found.map(Previewed::Found);
            }
        }
        tracing::info!("the preview goes on as an operation");
        let (kind, now) = (OperationKind::Preview, self.clock.now());
        let params = PreviewParams {
            groups: definition.groups,
            group_type: definition.group_type,
        };
        let operation = NewOperation {
            params: payload::encode(&params)?,
            ..self
                .accept
                .new_operation(actor, request_id, kind, None, now)
        };
        let accepted = self.accept.accept_alone(request_id, operation).await?;
        Ok(Previewed::Later(accepted))
    }

    async fn look(
        &self,
        workspace: &WorkspaceId,
        definition: &Definition,
    ) -> AppResult<PreviewReport> {
        let begun = Instant::now();
        let predicate = self.read.parse(workspace, definition).await?;
        let named = self.read.named(workspace, &predicate).await?;
        let total = self.queries.customer_counts(workspace).await?.total;
        let scope = match named.lists.is_empty() {
            true => self.scope(workspace, total).await?,
            false => Scope::All,
        };
        let mut query = SegmentQuery {
            workspace: workspace.clone(),
            predicate,
            references: named.references.clone(),
            now: self.clock.now(),
            scope,
        };
        let exact = query.scope == Scope::All;
        let (counts, sample) = match named.lists.is_empty() {
            true => {
                let found = self.resolver.preview(&query, SAMPLE).await;
                let (counts, members) = found.map_err(unresolved)?;
                (counts, self.sample(&query, &members).await?)
            }
            false => self.beside_lists(&mut query, &named).await?,
        };
        let grown = |count: i64| match exact || counts.looked_at == 0 {
            true => count,
            false => estimate(count, total, counts.looked_at),
        };
        Ok(PreviewReport {
            count: grown(counts.matched),
            exact,
            sample,
            by_condition: placed(&query, &counts, grown)?,
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            bytes: counts.bytes,
        })
    }

    async fn scope(&self, workspace: &WorkspaceId, total: i64) -> AppResult<Scope> {
        let numbers = match total > EXACT {
            true => self.resolver.numbers(workspace).await.map_err(unresolved)?,
            false => None,
        };
        let Some((least, greatest)) = numbers else {
            return Ok(Scope::All);
        };
        let step = ((greatest - least + 1) / PARTS).max(PART);
        let parts = (0..PARTS).map(|part| least + part * step);
        Ok(Scope::Ranges(
            parts.map(|first| (first, first + PART - 1)).collect(),
        ))
    }

    /// Where lists of contacts take part, range by range of keys, as a refresh does it.
    async fn beside_lists(
        &self,
        query: &mut SegmentQuery,
        named: &Named,
    ) -> AppResult<(SegmentCounts, Vec<Sampled>)> {
        let (mut counts, mut sample) = (SegmentCounts::default(), Vec::new());
        counts.by_condition = vec![0; query.predicate.conditions().count()];
        let mut after: Option<String> = None;
        loop {
            let keys = self
                .resolver
                .keys(&query.workspace, after.as_deref(), STEP)
                .await;
            let keys = keys.map_err(unresolved)?;
            let Some(until) = keys.last().cloned() else {
                return Ok((counts, sample));
            };
            query.references = self.read.with_keys(named, after.as_deref(), &keys).await?;
            query.scope = Scope::Keys {
                after: after.replace(until.clone()),
                until: Some(until),
            };
            let found = self.resolver.counts(query).await.map_err(unresolved)?;
            counts.matched += found.matched;
            counts.looked_at += found.looked_at;
            for (sum, more) in counts.by_condition.iter_mut().zip(found.by_condition) {
                *sum += more;
            }
            if found.matched > 0 && sample.len() < SAMPLE {
                let members = self.resolver.members(query, SAMPLE - sample.len()).await;
                let members = members.map_err(unresolved)?;
                sample.extend(self.sample(query, &members).await?);
            }
        }
    }

    /// The members that are shown: as they are registered, or as a source outside says it.
    async fn sample(&self, query: &SegmentQuery, members: &[Member]) -> AppResult<Vec<Sampled>> {
        let own = members.iter().filter(|member| member.given.is_none());
        let ids = own.filter_map(|member| member.customer.map(CustomerId::from_raw));
        let ids: Vec<CustomerId> = ids.collect();
        let customers = self.queries.customers_of(&query.workspace, &ids).await?;
        let own = customers.into_iter().map(|customer| {
            let document = customer.document.as_ref().map(Document::masked);
            (Some(customer.id.raw()), document)
        });
        let outside = members.iter().filter(|member| member.given.is_some());
        let outside = outside.map(|member| {
            let document = Document::from_stored(member.key.clone());
            (member.customer, Some(document.masked()))
        });
        Ok(own.chain(outside).collect())
    }
}

/// Finds what takes longer than somebody waits.
pub(crate) struct RunPreview {
    pub(crate) preview: PreviewSegment,
    pub(crate) ends: EndOperation,
}

#[async_trait]
impl Job for RunPreview {
    type Params = PreviewParams;
    type Checkpoint = ();
    const KINDS: &'static [OperationKind] = &[OperationKind::Preview];

    async fn run(&self, run: &mut Run, params: PreviewParams) -> AppResult<()> {
        let definition = Definition {
            groups: params.groups,
            group_type: params.group_type,
            ..Definition::default()
        };
        let workspace = &run.operation.workspace;
        let report = tokio::select! {
            stop = run.signals.stopped() => return Err(stop.into()),
            found = self.preview.look(workspace, &definition) => found?,
        };
        let ending = Ending::succeeded(Report::Preview(report), OperationResult::Complete);
        self.ends.run(run, &ending).await
    }
}

/// Of all, as many as of those that were looked at.
fn estimate(count: i64, total: i64, looked_at: i64) -> i64 {
    let wide = i128::from(count) * i128::from(total) / i128::from(looked_at.max(1));
    i64::try_from(wide).unwrap_or(i64::MAX)
}

/// The counts beside the places of their conditions.
fn placed(
    query: &SegmentQuery,
    counts: &SegmentCounts,
    grown: impl Fn(i64) -> i64,
) -> AppResult<Vec<(usize, usize, i64)>> {
    let groups = query.predicate.groups.iter().enumerate();
    let places = groups.flat_map(|(group, in_group)| {
        (0..in_group.conditions.len()).map(move |condition| (group, condition))
    });
    let places: Vec<(usize, usize)> = places.collect();
    if places.len() != counts.by_condition.len() {
        let corrupt = ports::StoreError::Corrupt("counts of a segment");
        return Err(AppError::from(corrupt));
    }
    let counted = places.into_iter().zip(&counts.by_condition);
    Ok(counted
        .map(|((group, condition), count)| (group, condition, grown(*count)))
        .collect())
}

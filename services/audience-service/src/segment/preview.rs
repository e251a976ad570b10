//! Who would be a member, before anything is stored.

use std::{sync::Arc, time::Duration};

use domain::{
    audience::Definition,
    contact::Document,
    customer::CustomerId,
    segment::{Scope, SegmentQuery},
};
use ports::{
    Clock,
    segments::{Member, SegmentCounts, SegmentResolver},
    store::AudienceQueries,
};
use tokio::time::{Instant, timeout};

use super::{
    conditions::{Named, ReadConditions},
    unresolved,
};
use crate::{Actor, AppError, AppResult};

/// Members that are shown.
const SAMPLE: usize = 20;
/// Customers of one statement where lists of contacts take part.
const STEP: usize = 20_000;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Customers above which a part is looked at.
const EXACT: i64 = 100_000;
/// Parts of them, and numbers in each.
const PARTS: i64 = 50;
const PART: i64 = 1_000;

/// Who would be a member.
#[derive(Debug)]
pub struct Preview {
    /// How many.
    pub count: i64,
    /// Whether everybody was looked at.
    pub exact: bool,
    /// Some of them.
    pub sample: Vec<Sampled>,
    /// How many fulfil each condition by itself: group, condition, and number.
    pub by_condition: Vec<(usize, usize, i64)>,
    /// How long it took.
    pub took: Duration,
    /// Bytes that a source outside bills for it.
    pub bytes: u64,
}

/// A member that is shown.
#[derive(Debug)]
pub struct Sampled {
    /// Its number, where it is registered.
    pub customer: Option<CustomerId>,
    /// Its document.
    pub document: Option<Document>,
}

/// Says who would be a member.
#[derive(Clone)]
pub struct PreviewSegment {
    pub(crate) read: ReadConditions,
    pub(crate) resolver: Arc<dyn SegmentResolver>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl PreviewSegment {
    /// Who would be a member. Of many customers, a part that is spread over all of them is looked at.
    ///
    /// # Errors
    /// `Invalid`; `Unavailable` where it takes too long.
    #[tracing::instrument(name = "segment.preview", skip_all)]
    pub async fn execute(&self, actor: &Actor, definition: &Definition) -> AppResult<Preview> {
        let begun = Instant::now();
        let answer = timeout(PATIENCE, self.look(actor, definition, begun)).await;
        answer.unwrap_or_else(|_| {
            let detail = "the preview took longer than ten seconds";
            Err(ports::StoreError::Unavailable(detail.into()).into())
        })
    }

    async fn look(
        &self,
        actor: &Actor,
        definition: &Definition,
        begun: Instant,
    ) -> AppResult<Preview> {
        let predicate = self.read.parse(&actor.workspace, definition).await?;
        self.read
            .ensure_sound(&actor.workspace, None, definition)
            .await?;
        let named = self.read.named(&actor.workspace, &predicate).await?;
        let total = self.queries.customer_counts(&actor.workspace).await?.total;
        let scope = match named.lists.is_empty() {
            true => self.scope(actor, total).await?,
            false => Scope::All,
        };
        let mut query = SegmentQuery {
            workspace: actor.workspace.clone(),
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
        Ok(Preview {
            count: grown(counts.matched),
            exact,
            sample,
            by_condition: placed(&query, &counts, grown)?,
            took: begun.elapsed(),
            bytes: counts.bytes,
        })
    }

    async fn scope(&self, actor: &Actor, total: i64) -> AppResult<Scope> {
        let numbers = match total > EXACT {
            true => self
                .resolver
                .numbers(&actor.workspace)
                .await
                .map_err(unresolved)?,
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
        let ids: Vec<CustomerId> = own.filter_map(number).collect();
        let customers = self.queries.customers_of(&query.workspace, &ids).await?;
        let own = customers.into_iter().map(|customer| Sampled {
            customer: Some(customer.id),
            document: customer.document,
        });
        let outside = members.iter().filter(|member| member.given.is_some());
        let outside = outside.map(|member| Sampled {
            customer: number(member),
            document: Some(Document::from_stored(member.key.clone())),
        });
        Ok(own.chain(outside).collect())
    }
}

fn number(member: &Member) -> Option<CustomerId> {
    member.customer.map(CustomerId::from_raw)
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

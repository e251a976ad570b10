//! Who would be a member, before anything is stored.

use std::{sync::Arc, time::Duration};

use domain::{
    audience::Definition,
    customer::{Customer, CustomerId},
    segment::{Scope, SegmentQuery},
};
use ports::{
    Clock,
    segments::{SegmentCounts, SegmentResolver},
    store::AudienceQueries,
};
use tokio::time::{Instant, timeout};

use super::{conditions::ReadConditions, unresolved};
use crate::{Actor, AppError, AppResult};

/// Members that are shown.
const SAMPLE: usize = 20;
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
    pub sample: Vec<Customer>,
    /// How many fulfil each condition by itself: group, condition, and number.
    pub by_condition: Vec<(usize, usize, i64)>,
    /// How long it took.
    pub took: Duration,
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
        let predicate = self.read.parse(definition)?;
        self.read
            .ensure_sound(&actor.workspace, None, &predicate)
            .await?;
        let named = self.read.named(&actor.workspace, &predicate).await?;
        let references = self.read.with_keys(&named, None, None).await?;
        let total = self.queries.customer_counts(&actor.workspace).await?.total;
        let scope = self.scope(actor, total).await?;
        let query = SegmentQuery {
            workspace: actor.workspace.clone(),
            predicate,
            references,
            now: self.clock.now(),
            scope,
        };
        let counts = self.resolver.counts(&query).await.map_err(unresolved)?;
        let exact = query.scope == Scope::All;
        let sample = self.sample(&query).await?;
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

    async fn sample(&self, query: &SegmentQuery) -> AppResult<Vec<Customer>> {
        let members = self
            .resolver
            .members(query, SAMPLE)
            .await
            .map_err(unresolved)?;
        let ids = members.iter().map(|m| CustomerId::from_raw(m.customer));
        let ids: Vec<CustomerId> = ids.collect();
        Ok(self.queries.customers_of(&query.workspace, &ids).await?)
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

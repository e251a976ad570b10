//! Reading.

use std::{collections::HashMap, sync::Arc};

use domain::{
    shared::ItemError,
    suppression::{SuppressedHash, Suppression, parse_suppressed},
};
use ports::store::{AudienceQueries, SuppressionFilter};
use serde_json::Value;

use super::{Hashes, Refusal};
use crate::{Actor, AppResult};

/// What is known of somebody who was looked up, or why nobody was.
pub type LookedUp = Result<Option<Suppression>, Refusal>;

/// Reads suppressions.
#[derive(Clone)]
pub struct ReadSuppressions {
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) hashes: Hashes,
}

impl ReadSuppressions {
    /// A page of suppressions, newest first, and whether there are more.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "suppression.list", skip_all)]
    pub async fn list(
        &self,
        actor: &Actor,
        mut filter: SuppressionFilter,
    ) -> AppResult<(Vec<Suppression>, bool)> {
        let limit = usize::try_from(filter.limit).unwrap_or(0);
        filter.limit += 1;
        let queries = &self.queries;
        let mut rows = queries.suppressions(&actor.workspace, &filter).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, more))
    }

    /// Whether people are suppressed, in the order of the items.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "suppression.look_up", skip_all)]
    pub async fn look_up(&self, actor: &Actor, items: Vec<Value>) -> AppResult<Vec<LookedUp>> {
        let workspace = &actor.workspace;
        let read = |item| Ok(self.hashes.of(workspace, &parse_suppressed(item)?));
        let items: Vec<Result<SuppressedHash, ItemError>> = items.into_iter().map(read).collect();
        let people: Vec<SuppressedHash> = items.iter().flatten().cloned().collect();
        let found = self.queries.suppressed_among(workspace, &people).await?;
        let found: HashMap<SuppressedHash, Suppression> = found
            .into_iter()
            .map(|one| (one.who.clone(), one))
            .collect();
        let one = |item: Result<SuppressedHash, ItemError>| match item {
            Ok(who) => Ok(found.get(&who).cloned()),
            Err(error) => Err(Refusal::from(error)),
        };
        Ok(items.into_iter().map(one).collect())
    }
}

//! What conditions may name.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    audience::Definition,
    shared::{AudienceId, Violation, WorkspaceId},
};
use ports::{
    StoreError,
    store::{AudienceQueries, Referring, UnitOfWork},
};

use crate::{AppError, AppResult};

/// Most audiences that lead from one to the next.
const MAX_LEVELS: usize = 5;

/// Where audiences are looked up.
pub(crate) enum Look<'a> {
    /// As of now, which may have changed when conditions are stored.
    Now(&'a dyn AudienceQueries),
    /// For as long as the unit of work lasts.
    Held(&'a mut dyn UnitOfWork),
}

impl Look<'_> {
    /// The live ones of these audiences, each with those that its conditions name.
    async fn at(
        &mut self,
        workspace: &WorkspaceId,
        ids: &BTreeSet<AudienceId>,
    ) -> Result<BTreeMap<AudienceId, Vec<AudienceId>>, StoreError> {
        let ids: Vec<AudienceId> = ids.iter().copied().collect();
        let found = match self {
            Self::Now(queries) => queries.referring(workspace, &ids).await?,
            Self::Held(uow) => uow.usages().referring(workspace, &ids).await?,
        };
        let pair = |found: Referring| (found.audience, found.refers_to);
        Ok(found.into_iter().map(pair).collect())
    }
}

/// Refuses conditions that name an audience that is not there, that lead back to the audience whose they
/// are, or further than five levels.
///
/// # Errors
/// `Invalid` at each condition with `unknown_audience`, `audience_cycle` or `too_many_levels`; store errors.
pub(crate) async fn ensure_sound(
    mut look: Look<'_>,
    workspace: &WorkspaceId,
    of: Option<AudienceId>,
    definition: &Definition,
) -> AppResult<()> {
    let named = definition.references();
    let mut level: BTreeSet<AudienceId> = named.keys().copied().collect();
    let mut origins: BTreeMap<AudienceId, BTreeSet<AudienceId>> = BTreeMap::new();
    for id in &level {
        origins.insert(*id, BTreeSet::from([*id]));
    }
    let mut broken: BTreeMap<AudienceId, (&'static str, &str)> = BTreeMap::new();
    for depth in 1.. {
        if level.is_empty() {
            break;
        }
        let live = look.at(workspace, &level).await?;
        if depth == 1 {
            let unknown = level.iter().filter(|id| !live.contains_key(id));
            broken.extend(unknown.map(|id| (*id, ("unknown_audience", UNKNOWN))));
        }
        if let Some(circular) = of.and_then(|of| origins.get(&of)) {
            broken.extend(circular.iter().map(|id| (*id, ("audience_cycle", CIRCLE))));
        }
        if depth > MAX_LEVELS {
            let deep = level.iter().filter(|id| live.contains_key(id));
            for origin in deep.filter_map(|id| origins.get(id)).flatten() {
                broken.entry(*origin).or_insert(("too_many_levels", DEEP));
            }
            break;
        }
        let mut next: BTreeMap<AudienceId, BTreeSet<AudienceId>> = BTreeMap::new();
        for (id, refers_to) in &live {
            let of_it = origins.get(id).cloned().unwrap_or_default();
            for to in refers_to {
                next.entry(*to).or_default().extend(&of_it);
            }
        }
        level = next.keys().copied().collect();
        origins = next;
    }
    if broken.is_empty() {
        return Ok(());
    }
    let violation = |(id, (code, detail)): (AudienceId, (&'static str, &str))| {
        let at = named.get(&id).cloned().unwrap_or_default();
        Violation::new(at, code, detail)
    };
    Err(AppError::Invalid(
        broken.into_iter().map(violation).collect(),
    ))
}

const UNKNOWN: &str = "there is no such audience";
const CIRCLE: &str = "the conditions of this audience lead back here";
const DEEP: &str = "audiences may refer to each other over five levels";

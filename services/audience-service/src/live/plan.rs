//! The live audiences of a workspace, and what may change their members.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use domain::{
    audience::{Audience, AudienceStatus, AudienceType, RefreshCause},
    operation::{Operation, OperationKind},
    segment::{Edge, Predicate, Reference, Watch},
    shared::{AudienceId, Instant, WorkspaceId},
};
use ports::store::{Durability, OperationFilter, PlannedAudience};

use super::FollowChanges;
use crate::{AppResult, segment::Named};

/// Least time between two refreshes because of what an audience names.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Minutes between two refreshes of an audience whose customers are elsewhere, where it says nothing else.
const OUTSIDE: u32 = 15;
/// Operations of an audience that are looked at.
const OPERATIONS: i64 = 5;

/// What an audience was resolved by besides customers: the state of each audience that its conditions name, and
/// when scores were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedBy {
    state: (Vec<(AudienceId, i64, i64)>, Option<Instant>),
    since: Instant,
}

/// When an audience whose customers are elsewhere is refreshed next, by when it was last.
fn due_outside(audience_type: &AudienceType, last: Option<Instant>) -> Instant {
    let minutes = match audience_type {
        AudienceType::Live {
            refresh_minutes: Some(minutes),
        } => *minutes,
        _ => OUTSIDE,
    };
    last.map_or(Instant::UNIX_EPOCH, |last| {
        last + TimeDelta::minutes(i64::from(minutes))
    })
}

/// A live audience, ready to be looked at.
pub(super) struct Planned {
    pub audience: Audience,
    pub predicate: Predicate,
    pub named: Named,
    pub watch: Watch,
    /// Whether events are published of who enters and leaves.
    pub member_events: bool,
}

/// Whether an audience follows changes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does.
    Follows,
    /// It is being resolved: changes wait until it has been.
    Waits,
    /// It could not be resolved; the next refresh begins anew.
    Failed,
}

/// The live audiences of a workspace.
pub(super) struct Plan {
    pub audiences: Vec<Planned>,
    /// All of them, those included that cannot be read.
    pub of: Vec<PlannedAudience>,
}

impl Plan {
    /// What time alone may change.
    pub fn edges(&self) -> BTreeSet<Edge> {
        let edges = self.audiences.iter().flat_map(|p| &p.watch.edges);
        edges.cloned().collect()
    }

    /// Under which keys dates are to be found.
    pub fn dates(edges: &BTreeSet<Edge>) -> BTreeSet<&str> {
        let dates = edges.iter().filter_map(|edge| match edge {
            Edge::Value(field, _) => Some(field.as_str()),
            Edge::Event(..) | Edge::Outcome(_) => None,
        });
        dates.collect()
    }
}

impl FollowChanges {
    pub(super) async fn plan(
        &self,
        workspace: &WorkspaceId,
        audiences: Vec<Audience>,
    ) -> AppResult<Plan> {
        let of = audiences.iter().map(|audience| PlannedAudience {
            id: audience.id,
            version: audience.version,
        });
        let mut plan = Plan {
            of: of.collect(),
            audiences: Vec::with_capacity(audiences.len()),
        };
        let settings = self.queries.workspace_settings(workspace).await?;
        for audience in audiences {
            // Its refresh says why, to whoever looks.
            let Ok(predicate) = self.read.read(&audience.definition, settings.notation) else {
                continue;
            };
            let named = self.read.named(workspace, &predicate).await?;
            let mut watch = predicate.watch();
            for reference in named.references.values() {
                if let Reference::Conditions(predicate) = reference {
                    watch.merge(predicate.watch());
                }
            }
            plan.audiences.push(Planned {
                audience,
                predicate,
                named,
                watch,
                member_events: settings.member_events,
            });
        }
        Ok(plan)
    }

    /// Starts refreshes of audiences that name others which have changed, or scores that were made anew.
    pub(super) async fn resolve_anew(&self, plan: &Plan) -> AppResult<()> {
        let now = self.now();
        let mut scored_at: HashMap<&str, Option<Instant>> = HashMap::new();
        for planned in &plan.audiences {
            let workspace = &planned.audience.workspace;
            if planned.named.states.is_empty() && !planned.watch.scores {
                continue;
            }
            let scored = match (planned.watch.scores, scored_at.get(workspace.as_str())) {
                (false, _) => None,
                (true, Some(known)) => *known,
                (true, None) => {
                    let mut uow = self.store.begin(Durability::Derived).await?;
                    let settings = uow.scores().settings(workspace).await?;
                    let scored = settings.and_then(|settings| settings.scored_at);
                    scored_at.insert(workspace.as_str(), scored);
                    scored
                }
            };
            let state = (planned.named.states.clone(), scored);
            let id = planned.audience.id;
            let known = self.known(id);
            let fresh = known
                .as_ref()
                .is_some_and(|known| known.state == state || now - known.since < PAUSE);
            if fresh || self.standing(&planned.audience).await? != Standing::Follows {
                continue;
            }
            self.refresh
                .by_itself(workspace, id, RefreshCause::Live)
                .await?;
            self.remember(id, ResolvedBy { state, since: now });
        }
        Ok(())
    }

    fn remember(&self, id: AudienceId, resolved: ResolvedBy) {
        let mut by = self.resolved_by.lock().unwrap_or_else(|e| e.into_inner());
        by.insert(id, resolved);
    }

    fn known(&self, id: AudienceId) -> Option<ResolvedBy> {
        let by = self.resolved_by.lock().unwrap_or_else(|e| e.into_inner());
        by.get(&id).cloned()
    }

    /// Starts refreshes of audiences whose customers are elsewhere, every so many minutes.
    pub(super) async fn ask_outside(&self, plan: &Plan) -> AppResult<()> {
        let now = self.now();
        for Planned { audience, .. } in &plan.audiences {
            let last = self.queries.refreshes(audience.id, None, 1).await?;
            let last = last.first().map(|refreshed| refreshed.began_at);
            let begun = self.known(audience.id).map(|known| known.since);
            let due = due_outside(&audience.definition.audience_type, last.max(begun));
            if due > now || self.standing(audience).await? == Standing::Waits {
                continue;
            }
            let by = ResolvedBy {
                state: (Vec::new(), None),
                since: now,
            };
            self.remember(audience.id, by);
            let (workspace, id) = (&audience.workspace, audience.id);
            self.refresh
                .by_itself(workspace, id, RefreshCause::Scheduled)
                .await?;
        }
        Ok(())
    }

    /// Whether an audience follows changes now.
    pub(super) async fn standing(&self, audience: &Audience) -> AppResult<Standing> {
        let filter = OperationFilter {
            kind: Some(OperationKind::Refresh),
            audience: Some(audience.id),
            limit: OPERATIONS,
            ..OperationFilter::default()
        };
        let found = self
            .queries
            .operations(&audience.workspace, &filter)
            .await?;
        // One that waits to be confirmed compares anew with what is there then.
        let resolves = |o: &Operation| !o.state.is_terminal() && !o.awaits_confirmation();
        Ok(match audience.status {
            _ if found.iter().any(resolves) => Standing::Waits,
            AudienceStatus::Active => Standing::Follows,
            AudienceStatus::Failed => Standing::Failed,
            AudienceStatus::InProgress | AudienceStatus::Draft => Standing::Waits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_elsewhere_are_asked_every_fifteen_minutes_or_as_said() {
        let live = |refresh_minutes| AudienceType::Live { refresh_minutes };
        let last = Instant::UNIX_EPOCH + TimeDelta::days(1);
        let after = |minutes| last + TimeDelta::minutes(minutes);
        assert_eq!(due_outside(&live(None), Some(last)), after(15));
        assert_eq!(due_outside(&live(Some(5)), Some(last)), after(5));
        assert_eq!(due_outside(&live(None), None), Instant::UNIX_EPOCH);
    }
}

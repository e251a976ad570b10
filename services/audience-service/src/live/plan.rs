//! The live audiences of a workspace, and what may change their members.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use domain::{
    audience::{Audience, AudienceStatus, RefreshCause},
    operation::{Operation, OperationKind},
    segment::{Edge, Predicate, Reference, Watch},
    shared::{AudienceId, Instant, WorkspaceId},
};
use ports::store::{Durability, OperationFilter, PlannedAudience};

use super::FollowChanges;
use crate::{
    Actor, AppResult, RequestId,
    segment::{Named, RefreshParams},
};

/// Least time between two refreshes because of what an audience names.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Operations of an audience that are looked at.
const OPERATIONS: i64 = 5;

/// What an audience was resolved by besides customers: the state of each audience that its conditions name, and
/// when scores were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedBy {
    state: (Vec<(AudienceId, i64, i64)>, Option<Instant>),
    since: Instant,
}

/// A live audience, ready to be looked at.
pub(super) struct Planned {
    pub audience: Audience,
    pub predicate: Predicate,
    pub named: Named,
    pub watch: Watch,
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
        let notation = self.read.notation(workspace).await?;
        for audience in audiences {
            // Its refresh says why, to whoever looks.
            let Ok(predicate) = self.read.read(&audience.definition, notation) else {
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
            self.refresh_now(&planned.audience).await?;
            let resolved = ResolvedBy { state, since: now };
            let mut by = self.resolved_by.lock().unwrap_or_else(|e| e.into_inner());
            by.insert(id, resolved);
        }
        Ok(())
    }

    fn known(&self, id: AudienceId) -> Option<ResolvedBy> {
        let by = self.resolved_by.lock().unwrap_or_else(|e| e.into_inner());
        by.get(&id).cloned()
    }

    async fn refresh_now(&self, audience: &Audience) -> AppResult<()> {
        let actor = Actor {
            workspace: audience.workspace.clone(),
            user: audience.created_by.clone(),
        };
        let request_id = RequestId {
            write_id: self.refresh.accept.ids.next(),
            keyed: false,
        };
        let params = RefreshParams {
            cause: RefreshCause::Live,
            guard_percent: None,
        };
        let begun = self
            .refresh
            .execute(&actor, request_id, audience.id, params);
        begun.await.map(drop)
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

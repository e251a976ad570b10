//! What readers see of a workspace.

use std::sync::Arc;

use audience_service::{UseCases, audience::ListAudiences};
use domain::{
    operation::{self, OperationKind, OperationState},
    shared::{AudienceId, OperationId},
};
use ports::store::{AudiencePage, OperationFilter};

use super::{
    real::{self, contact, reasons},
    system::actor,
    world::{Doc, Report, State, Values},
};

/// Small enough that most audiences have several pages.
const PER_PAGE: usize = 3;

/// An audience as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenAudience {
    pub dropped: bool,
    pub contacts: i64,
    pub members: Vec<(Doc, Values)>,
}

/// An operation as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenOp {
    pub kind: &'static str,
    pub state: State,
    pub undone: bool,
    pub report: Option<Report>,
    pub attempt: u32,
}

/// A workspace as readers see it, and the ids of what is in it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub audiences: Vec<SeenAudience>,
    pub audience_ids: Vec<AudienceId>,
    pub ops: Vec<SeenOp>,
    pub op_ids: Vec<OperationId>,
}

fn report(report: &operation::Report) -> Report {
    match report {
        operation::Report::Upload(r) => {
            assert!(r.balances(), "{r:?}");
            Report::Upload {
                received: r.received,
                created: r.created,
                updated: r.updated,
                unchanged: r.unchanged,
                superseded: r.superseded,
                rejected: r.rejected,
            }
        }
        operation::Report::Removal(r) => Report::Removal {
            total: r.total,
            removed: r.removed,
            by_reason: reasons(&r.by_reason),
            withheld: r.withheld,
        },
        operation::Report::Import(_)
        | operation::Report::Refresh(_)
        | operation::Report::Preview(_) => {
            unreachable!("nothing is imported, refreshed or previewed here")
        }
    }
}

fn seen_op(op: &operation::Operation) -> SeenOp {
    let state = match op.state {
        OperationState::Queued | OperationState::Waiting => State::Queued,
        OperationState::Running => State::Running,
        OperationState::Succeeded => State::Succeeded,
        OperationState::Failed => State::Failed,
        OperationState::Cancelled => State::Cancelled,
    };
    SeenOp {
        kind: op.kind.as_str(),
        state,
        undone: op.undone_at.is_some(),
        // Until the end it only says how far the work is.
        report: op
            .report
            .as_ref()
            .filter(|_| op.state.is_terminal())
            .map(report),
        attempt: op.attempt as u32,
    }
}

/// Everything that readers see of a workspace.
pub async fn see(app: Arc<UseCases>, ws: usize) -> Seen {
    let actor = actor(ws);
    let mut seen = Seen::default();
    let page = AudiencePage {
        limit: 200,
        ..AudiencePage::default()
    };
    let list = ListAudiences {
        page,
        ..ListAudiences::default()
    };
    for audience in app.find.list(&actor, list).await.unwrap().0 {
        let walk = app
            .contacts
            .read
            .walk(&actor, audience.id, None, 1_000)
            .await
            .unwrap();
        let numbered = real::pages(Arc::clone(&app), ws, audience.id, PER_PAGE).await;
        let walked = real::page(&walk.rows, false);
        assert_eq!(numbered, walked, "pages and walk of {}", audience.id);
        seen.audience_ids.push(audience.id);
        seen.audiences.push(SeenAudience {
            dropped: audience.deleted_at.is_some(),
            contacts: audience.contacts,
            members: walk.rows.iter().map(contact).collect(),
        });
    }
    let filter = OperationFilter {
        limit: 500,
        ..OperationFilter::default()
    };
    let (mut ops, _) = app.operations.find.list(&actor, filter).await.unwrap();
    ops.sort_by_key(|o| o.id);
    for op in ops.iter().filter(|o| o.kind != OperationKind::Purge) {
        seen.op_ids.push(op.id);
        seen.ops.push(seen_op(op));
    }
    seen
}

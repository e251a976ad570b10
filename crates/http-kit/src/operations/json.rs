//! Operations as V1 writes them.

use std::{borrow::Cow, collections::BTreeMap};

use api_types::operations::{FailureJson, OperationJson, ProgressJson};
use chrono::TimeDelta;
use domain::{
    operation::{Operation, OperationState, Progress},
    shared::{Instant, OperationId},
};
use operations::Abilities;
use ports::StoreError;

use super::{Details, OperationService};
use crate::{Problem, timestamp};

/// An operation as it is now.
///
/// # Errors
/// `Corrupt` when what is stored of it cannot be read.
pub fn operation_json(
    service: &dyn OperationService,
    operation: Operation,
) -> Result<OperationJson, StoreError> {
    let details = service.details(&operation)?;
    let now = service.frame().now();
    let pace = Pace::of(&operation, now);
    let links = links(&operation, &details, now);
    let Progress { done, total } = operation.progress;
    Ok(OperationJson {
        id: operation.id.to_string(),
        kind: operation.kind.as_str().into(),
        state: operation.state.as_str().into(),
        result: operation.result.map(|r| r.as_str().into()),
        progress: ProgressJson { done, total },
        rate: pace.rate,
        eta: pace.eta.map(timestamp),
        report: details.report,
        attempt: operation.attempt,
        created_by: operation.created_by.to_string(),
        created_at: timestamp(operation.created_at),
        started_at: operation.started_at.map(timestamp),
        finished_at: operation.finished_at.map(timestamp),
        undone_at: operation.undone_at.map(timestamp),
        undo_until: operation.undo_until.map(timestamp),
        audience_id: operation.audience.map(|a| a.to_string()),
        target_audience_id: details.target.map(|a| a.to_string()),
        audience_ids: details.made.iter().map(ToString::to_string).collect(),
        links,
        reason: operation.reason,
        error: operation.error.map(|failure| FailureJson {
            code: failure.code,
            detail: failure.detail,
        }),
    })
}

/// How fast a running operation is.
#[derive(Debug, Default, PartialEq)]
struct Pace {
    rate: Option<f64>,
    eta: Option<Instant>,
}

impl Pace {
    fn of(operation: &Operation, now: Instant) -> Self {
        let started = operation
            .started_at
            .filter(|_| operation.state == OperationState::Running);
        let Some(started) = started else {
            return Self::default();
        };
        let elapsed = (now - started).num_milliseconds();
        if elapsed <= 0 {
            return Self::default();
        }
        let Progress { done, total } = operation.progress;
        let eta = total.filter(|_| done > 0).and_then(|total| {
            let left = i128::from((total - done).max(0));
            let millis = left * i128::from(elapsed) / i128::from(done);
            let left = TimeDelta::try_milliseconds(i64::try_from(millis).ok()?)?;
            now.checked_add_signed(left)
        });
        let tenths = i128::from(done) * 10_000 / i128::from(elapsed);
        let rate = i32::try_from(tenths).ok().map(|t| f64::from(t) / 10.0);
        Self { rate, eta }
    }
}

/// Path of an operation.
pub fn path_of(id: OperationId) -> String {
    format!("/api/v1/operations/{id}")
}

type Links = BTreeMap<Cow<'static, str>, String>;

fn links(operation: &Operation, details: &Details, now: Instant) -> Links {
    let can = Abilities::of(operation, now);
    let own = path_of(operation.id);
    let mut links: Links = details.links.clone();
    links.insert("events".into(), format!("{own}/events"));
    links.insert("self".into(), own.clone());
    let actions = [
        ("cancel", can.cancel),
        ("retry", can.retry),
        ("undo", can.undo),
        ("rejected", details.rejected),
    ];
    for (action, _) in actions.into_iter().filter(|(_, possible)| *possible) {
        links.insert(action.into(), format!("{own}/{action}"));
    }
    if let Some(audience) = operation.audience {
        let path = format!("/api/v1/audiences/{audience}");
        links.insert("audience".into(), path);
    }
    links
}

/// The id in a path: one that cannot be an id names nothing.
pub fn path_id(text: &str) -> Result<OperationId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;

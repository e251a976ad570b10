//! Operations as rows.

use diesel::prelude::*;
use domain::{
    operation::{Operation, OperationState, Progress},
    shared::{AudienceId, OperationId, UserId, WorkspaceId},
};
use ports::{StoreError, store::OperationUpdate};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    core::types::{At, Json},
    schema::operations::operations,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = operations)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct OperationRow {
    id: i64,
    workspace: String,
    audience: Option<i64>,
    kind: String,
    state: String,
    reason: Option<String>,
    result: Option<String>,
    done: i64,
    total: Option<i64>,
    report: Option<Json>,
    error: Option<Json>,
    attempt: i32,
    params: Json,
    checkpoint: Json,
    cancel_requested: bool,
    created_by: String,
    created_at: At,
    started_at: Option<At>,
    finished_at: Option<At>,
    undone_at: Option<At>,
    undo_until: Option<At>,
    /// Fencing number of the last claim.
    pub(super) fence: i64,
    pub(super) claims: i32,
    pub(super) traceparent: Option<String>,
}

impl TryFrom<OperationRow> for Operation {
    type Error = StoreError;

    fn try_from(row: OperationRow) -> Result<Self, StoreError> {
        let corrupt = |what| move |()| StoreError::Corrupt(what);
        let result = row.result.map(|text| text.parse()).transpose();
        Ok(Self {
            id: OperationId::from_raw(row.id),
            workspace: WorkspaceId::parse(&row.workspace)
                .map_err(|_| StoreError::Corrupt("workspace of an operation"))?,
            audience: row.audience.map(AudienceId::from_raw),
            kind: row.kind.parse().map_err(corrupt("kind of an operation"))?,
            state: row
                .state
                .parse()
                .map_err(corrupt("state of an operation"))?,
            reason: row.reason,
            result: result.map_err(corrupt("result of an operation"))?,
            progress: Progress {
                done: row.done,
                total: row.total,
            },
            report: read(row.report, "report of an operation")?,
            error: read(row.error, "error of an operation")?,
            attempt: row.attempt,
            params: row.params.0,
            checkpoint: row.checkpoint.0,
            cancel_requested: row.cancel_requested,
            created_by: UserId::parse(&row.created_by)
                .map_err(|_| StoreError::Corrupt("creator of an operation"))?,
            created_at: row.created_at.0,
            started_at: row.started_at.map(|at| at.0),
            finished_at: row.finished_at.map(|at| at.0),
            undone_at: row.undone_at.map(|at| at.0),
            undo_until: row.undo_until.map(|at| at.0),
        })
    }
}

fn read<T: DeserializeOwned>(
    json: Option<Json>,
    what: &'static str,
) -> Result<Option<T>, StoreError> {
    let value = json.map(|json| serde_json::from_value(json.0)).transpose();
    value.map_err(|_| StoreError::Corrupt(what))
}

fn write<T: Serialize>(value: Option<&T>) -> Result<Option<Json>, StoreError> {
    let value = value.map(serde_json::to_value).transpose();
    Ok(value
        .map_err(|e| StoreError::Internal(Box::new(e)))?
        .map(Json))
}

/// What an update writes. `None` leaves a column as it is, `Some(None)` empties it.
#[derive(AsChangeset, Default)]
#[diesel(table_name = operations)]
pub(super) struct Changes {
    state: Option<&'static str>,
    reason: Option<Option<String>>,
    result: Option<&'static str>,
    done: Option<i64>,
    total: Option<Option<i64>>,
    report: Option<Json>,
    error: Option<Json>,
    checkpoint: Option<Json>,
    finished_at: Option<At>,
    undo_until: Option<At>,
    undone_at: Option<At>,
    owner: Option<Option<String>>,
    lease_until: Option<Option<At>>,
    claims: Option<i32>,
}

impl Changes {
    /// A change by the worker that has the operation: an ended or queued state ends its lease, and
    /// whatever it achieved shows that it does not only crash. To wait is no achievement.
    pub(super) fn from_worker(update: &OperationUpdate) -> Result<Self, StoreError> {
        let ends = |s: OperationState| s.is_terminal() || s == OperationState::Queued;
        let achieved = update.state.is_some_and(ends) || update.checkpoint.is_some();
        let mut changes = Self::new(update)?;
        changes.claims = achieved.then_some(0);
        if update.state.is_some_and(ends) || update.parks {
            changes.end_lease();
        }
        Ok(changes)
    }

    /// A change by someone else: whoever has the operation loses it to a new state.
    pub(super) fn from_request(update: &OperationUpdate) -> Result<Self, StoreError> {
        let mut changes = Self::new(update)?;
        if update.state.is_some() {
            changes.end_lease();
        }
        Ok(changes)
    }

    fn end_lease(&mut self) {
        self.owner = Some(None);
        self.lease_until = Some(None);
    }

    fn new(update: &OperationUpdate) -> Result<Self, StoreError> {
        let leaves_waiting = update
            .state
            .is_some_and(|state| state != OperationState::Waiting);
        let reason = if leaves_waiting {
            Some(None)
        } else {
            update.reason.clone().map(Some)
        };
        Ok(Self {
            state: update.state.map(OperationState::as_str),
            reason,
            result: update.result.map(|result| result.as_str()),
            done: update.progress.map(|progress| progress.done),
            total: update.progress.map(|progress| progress.total),
            report: write(update.report.as_ref())?,
            error: write(update.error.as_ref())?,
            checkpoint: update.checkpoint.clone().map(Json),
            finished_at: update.finished_at.map(At),
            undo_until: update.undo_until.map(At),
            undone_at: update.undone_at.map(At),
            ..Self::default()
        })
    }
}

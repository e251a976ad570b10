//! Reading operations.

use std::cmp::Reverse;

use api_types::{List, operations::OperationJson};
use domain::{
    operation::{Operation, OperationKind, OperationState},
    shared::{OperationId, Violation, one_of},
};
use kernel::Actor;
use ports::{StoreError, store::OperationFilter};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{Caller, OperationService, Operations, operation_json};
use crate::{Answer, ApiResult, Id, Problem, Query, paging};

/// Which operations.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `upload`, `create`, `recycle`, `clear`, `duplicate` or `import`.
    kind: Option<String>,
    /// `queued`, `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    state: Option<String>,
    /// Working on this audience.
    audience_id: Option<String>,
    /// 1 to 1000, 100 as a rule.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The last operation of the page before.
#[derive(Serialize, Deserialize)]
struct Position(i64);

/// Lists operations, newest first.
#[utoipa::path(
    get, path = "/operations", tag = "operations", operation_id = "listOperations",
    params(Which),
    responses(
        (status = 200, description = "A page", body = List<OperationJson>),
        (status = 400, description = "`invalid_cursor`"),
        (status = 422, description = "A parameter is wrong"),
    ),
)]
pub async fn list(caller: Caller, Query(which): Query<Which>) -> ApiResult {
    let cursors = caller.cursors("operations");
    let after: Option<Position> = cursors.open(which.cursor.as_deref())?;
    let filter = OperationFilter {
        before: after.map(|position| OperationId::from_raw(position.0)),
        ..filter(&which)?
    };
    let (page, more) = caller.page(&caller.actor, filter).await?;
    let position = |last: &(_, Operation)| Position(last.1.id.raw());
    let next_cursor = cursors.next(&page, more, position);
    let json =
        |(service, operation): (&dyn OperationService, _)| operation_json(service, operation);
    let data = page.into_iter().map(json).collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::ok(&List { data, next_cursor }))
}

impl Operations {
    /// Operations of all services, newest first, each with whose it is; and whether there are more.
    async fn page(
        &self,
        actor: &Actor,
        mut filter: OperationFilter,
    ) -> Result<(Vec<(&dyn OperationService, Operation)>, bool), StoreError> {
        let limit = usize::try_from(filter.limit).unwrap_or(0);
        filter.limit += 1;
        let mut page = Vec::new();
        for service in self.services.iter().map(AsRef::as_ref) {
            if filter.kind.is_none_or(|kind| service.has(kind)) {
                let rows = service
                    .frame()
                    .operations(&actor.workspace, &filter)
                    .await?;
                page.extend(rows.into_iter().map(|operation| (service, operation)));
            }
        }
        page.sort_by_key(|(_, operation)| Reverse(operation.id));
        let more = page.len() > limit;
        page.truncate(limit);
        Ok((page, more))
    }
}

fn filter(which: &Which) -> Result<OperationFilter, Problem> {
    let limit = paging::limit(which.limit.as_deref());
    let asked_for = OperationKind::ALL.iter().filter(|kind| kind.is_asked_for());
    let kinds: Vec<_> = asked_for.copied().collect();
    let kind = which.kind.as_deref();
    let kind = kind.map(|text| one_of("/kind", text, &kinds));
    let state = which.state.as_deref();
    let state = state.map(|text| one_of("/state", text, OperationState::ALL));
    let audience = which.audience_id.as_deref().map(|text| {
        let parsed = text.parse();
        parsed.map_err(|_| broken("/audience_id", "invalid_id", "not the id of an audience"))
    });
    Ok(OperationFilter {
        kind: kind.transpose()?,
        state: state.transpose()?,
        audience: audience.transpose()?,
        before: None,
        limit: i64::from(limit?),
    })
}

fn broken(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    Violation::new(pointer, code, detail).into()
}

/// Reads an operation.
#[utoipa::path(
    get, path = "/operations/{id}", tag = "operations", operation_id = "readOperation",
    params(Id<OperationId>),
    responses((status = 200, description = "The operation", body = OperationJson)),
)]
pub async fn read(caller: Caller, Id(id): Id<OperationId>) -> ApiResult {
    let (service, operation) = caller.find(&caller.actor, id).await?;
    Ok(Answer::ok(&operation_json(service.as_ref(), operation)?))
}

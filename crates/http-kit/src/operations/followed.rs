//! Answers to accepted long work: 202 with where to look, or, after waiting as asked, the end.

use std::time::Duration;

use actix_web::http::{
    StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use domain::{operation::Operation, shared::OperationId};
use kernel::Actor;
use serde::Serialize;

use super::{OperationService, operation_json, path_of};
use crate::{Answer, Problem, prefer};

/// Answers with the operation: 202 while it runs, 200 when it ended within the wait.
///
/// # Errors
/// Store errors as problems.
pub async fn accepted(
    service: &dyn OperationService,
    actor: &Actor,
    id: OperationId,
    wait: Option<Duration>,
) -> Result<Answer, Problem> {
    let json = |operation| Ok(operation_json(service, operation)?);
    answer(service, actor, id, &path_of(id), wait, json).await
}

/// As [`accepted`], where the operation is shown otherwise and elsewhere.
///
/// # Errors
/// Store errors as problems, and those of `show`.
pub async fn answer<T: Serialize>(
    service: &dyn OperationService,
    actor: &Actor,
    id: OperationId,
    path: &str,
    wait: Option<Duration>,
    show: impl FnOnce(Operation) -> Result<T, Problem>,
) -> Result<Answer, Problem> {
    let (frame, workspace) = (service.frame(), &actor.workspace);
    let patience = wait.unwrap_or_default();
    let found = frame.wait_for(workspace, id, patience).await?;
    let operation = found.ok_or_else(Problem::not_found)?;
    let ended = operation.state.is_terminal();
    let status = if ended && wait.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let mut answer = Answer::json(status, &show(operation)?);
    if let Ok(location) = HeaderValue::from_str(path) {
        answer = answer.with_header(header::LOCATION, location);
    }
    if let Some(wait) = wait.filter(|_| ended) {
        let applied = HeaderName::from_static("preference-applied");
        answer = answer.with_header(applied, prefer::applied(wait));
    }
    Ok(answer)
}

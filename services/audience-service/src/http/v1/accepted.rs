//! Answers to accepted long work: 202 with where to look, or, after waiting as asked, the end.

use std::{sync::Arc, time::Duration};

use actix_web::http::{
    StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use domain::shared::OperationId;
use http_kit::{Answer, Problem, prefer};

use super::operations::OperationJson;
use crate::application::{Actor, App, audiences::Accepted};

/// Answers with the operation: 202 while it runs, 200 when it ended within the wait.
///
/// # Errors
/// Store errors as problems.
pub async fn accepted(
    app: &Arc<App>,
    actor: &Actor,
    accepted: Accepted,
    wait: Option<Duration>,
) -> Result<Answer, Problem> {
    followed(app, actor, accepted.operation, wait).await
}

/// As [`accepted`], for an operation that was there before.
///
/// # Errors
/// Store errors as problems.
pub async fn followed(
    app: &Arc<App>,
    actor: &Actor,
    id: OperationId,
    wait: Option<Duration>,
) -> Result<Answer, Problem> {
    let operation = match wait {
        Some(wait) => app.wait_for(actor, id, wait).await?,
        None => app.operation(actor, id).await?,
    };
    let ended = operation.state.is_terminal();
    let status = if ended && wait.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let mut answer = Answer::json(status, &OperationJson::new(app, operation)?);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/operations/{id}")) {
        answer = answer.with_header(header::LOCATION, location);
    }
    if let Some(wait) = wait.filter(|_| ended) {
        let applied = HeaderName::from_static("preference-applied");
        answer = answer.with_header(applied, prefer::applied(wait));
    }
    Ok(answer)
}

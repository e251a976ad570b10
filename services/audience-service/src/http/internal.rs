//! What other services of the installation ask: [`kernel::directory`]. It is no part of the API that is described.

use std::sync::Arc;

use actix_web::{Error, HttpRequest, dev::Payload, http::StatusCode};
use http_kit::{
    Answer, Api, ApiResult, Authenticated, Problem,
    body::{self, BodyError},
};
use kernel::directory::{Question, SERVICE_HEADER, answer};

use super::ApiState;

http_kit::routes!(ApiState; self::{ask});

/// A service of the installation.
pub struct Peer(Arc<Api<ApiState>>);

impl Authenticated<ApiState> for Peer {
    async fn authenticate(request: &HttpRequest, api: &Arc<Api<ApiState>>) -> Result<Self, Error> {
        if api.state().peers.opens_for(request, SERVICE_HEADER) {
            return Ok(Self(Arc::clone(api)));
        }
        Err(Problem::unauthorized("unauthorized").into())
    }
}

/// Answers a question about a workspace.
#[utoipa::path(
    post,
    path = "/internal/directory",
    tag = "internal",
    operation_id = "askDirectory"
)]
pub async fn ask(peer: Peer, request: HttpRequest, payload: Payload) -> ApiResult {
    let (state, limit) = (peer.0.state(), peer.0.context().body_limit);
    let invalid = |error: BodyError| error.into_problem(StatusCode::UNPROCESSABLE_ENTITY);
    let body = body::read(payload, request.headers(), limit).await;
    let question: Question = body::parse(&body.map_err(invalid)?).map_err(invalid)?;
    let recipients = &state.app.recipients;
    let answer = answer(state.directory.as_ref(), recipients, question).await?;
    Ok(Answer::ok(&answer))
}

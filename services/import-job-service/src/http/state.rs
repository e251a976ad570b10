//! What handlers share, and the frame they run in.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Payload};
use domain::shared::WorkspaceId;
use http_kit::{
    Answer, Authenticator, Idempotency, Problem, Sealer,
    body::{self, BodyError},
    idempotency::{Call, content_hash},
    spawned,
};
use runtime::Changes;
use serde::{Serialize, de::DeserializeOwned};

use super::face_j::AdminToken;
use crate::application::{Actor, App, RequestId};

/// Largest body in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// What handlers share.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases.
    pub app: Arc<App>,
    /// Tells who calls V1.
    pub authenticator: Authenticator,
    /// Opens face J.
    pub admin: AdminToken,
    /// Runs POSTs once.
    pub idempotency: Idempotency,
    /// Runs other state changes to their end.
    pub changes: Changes,
    /// Cursors.
    pub sealer: Sealer,
}

impl ApiState {
    /// Who calls.
    ///
    /// # Errors
    /// 401 and 403 as problems.
    pub async fn caller(&self, request: &HttpRequest) -> Result<Actor, Problem> {
        let principal = self.authenticator.authenticate(request).await?;
        Ok(Actor {
            workspace: principal.workspace,
            user: principal.user,
        })
    }

    /// Reads and parses a JSON object; with the hash of its bytes.
    ///
    /// # Errors
    /// 400, 413, 415 and 422 as problems.
    pub async fn json<T: DeserializeOwned>(
        &self,
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<(T, [u8; 32]), Problem> {
        let invalid = |error: BodyError| error.into_problem(StatusCode::UNPROCESSABLE_ENTITY);
        let read = body::read_json(payload.into_inner(), request.headers(), LARGEST_BODY).await;
        let bytes = read.map_err(invalid)?;
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first.is_some_and(|byte| *byte != b'{') {
            // Serde would also take the values of a struct as an array, in their order.
            body::parse::<serde_json::Map<String, serde_json::Value>>(&bytes).map_err(invalid)?;
        }
        let value = body::parse(&bytes).map_err(invalid)?;
        Ok((value, content_hash(&bytes)))
    }

    /// Runs a POST's change once per idempotency key, and to its end.
    ///
    /// # Errors
    /// What the key or the change answers, as a problem.
    pub async fn once<C, F>(
        &self,
        request: &HttpRequest,
        actor: &Actor,
        content: [u8; 32],
        change: C,
    ) -> Result<HttpResponse, Problem>
    where
        C: FnOnce(RequestId) -> F + Send + 'static,
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let call = Call::of(request, &actor.workspace, content)?;
        let run = |request_id: RequestId| async move {
            Box::pin(change(request_id))
                .await
                .unwrap_or_else(Answer::from)
        };
        let answer = self.idempotency.run(call, run).await?;
        Ok(answer.into())
    }

    /// Runs another change to its end.
    ///
    /// # Errors
    /// What the change answers, as a problem.
    pub async fn change<F>(&self, change: F) -> Result<HttpResponse, Problem>
    where
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let answer = spawned(&self.changes, Box::pin(change)).await??;
        Ok(answer.into())
    }

    /// Seals a position in a list of a workspace.
    pub fn seal(&self, workspace: &WorkspaceId, list: &str, at: &impl Serialize) -> Option<String> {
        let bytes = serde_json::to_vec(at).ok()?;
        Some(self.sealer.seal(&format!("{list}:{workspace}"), &bytes))
    }

    /// Opens a cursor of that list, where there is one.
    ///
    /// # Errors
    /// 400 `invalid_cursor` for one that was altered or made for another list.
    pub fn open<T: DeserializeOwned>(
        &self,
        workspace: &WorkspaceId,
        list: &str,
        cursor: Option<&str>,
    ) -> Result<Option<T>, Problem> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let bytes = self.sealer.open(&format!("{list}:{workspace}"), cursor);
        let at = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let detail = "the cursor was altered, or was made for another list";
        at.map(Some)
            .ok_or_else(|| Problem::bad_request("invalid_cursor", detail))
    }
}

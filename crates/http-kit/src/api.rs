//! What every handler works with, and the frame that changes run in.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, dev,
    http::StatusCode,
    web::{self, Bytes, Payload},
};
use domain::shared::WorkspaceId;
use kernel::{Actor, RequestId};
use runtime::Changes;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    Answer, Authenticator, Idempotency, Problem, Sealer,
    body::{self, BodyError},
    idempotency::{Call, content_hash},
    spawned,
};

/// When to ask again for a stream while too many are open.
const STREAMS_AGAIN: Duration = Duration::from_secs(5);

/// Bytes of a body that are read on a thread of their own.
const LARGE_BODY: usize = 256 * 1024;

/// What every handler works with.
#[derive(Clone)]
pub struct ApiContext {
    /// Tells who calls.
    pub authenticator: Authenticator,
    /// Runs POSTs once.
    pub idempotency: Idempotency,
    /// Runs other state changes to their end.
    pub changes: Changes,
    /// Cursors and plans.
    pub sealer: Sealer,
    /// Largest JSON body in bytes.
    pub body_limit: usize,
    /// One permit for each event stream that may be open.
    pub streams: Arc<Semaphore>,
    /// Fires when streams must end.
    pub stopping: CancellationToken,
}

impl ApiContext {
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

    /// Reads and parses a JSON body. `invalid` is the face's status for JSON of the wrong shape.
    ///
    /// # Errors
    /// 400, 413, 415 and `invalid` as problems.
    pub async fn json<T: DeserializeOwned + Send + 'static>(
        &self,
        request: &HttpRequest,
        payload: Payload,
        invalid: StatusCode,
    ) -> Result<Body<T>, Problem> {
        self.read_json(request, payload.into_inner(), invalid).await
    }

    pub(crate) async fn read_json<T: DeserializeOwned + Send + 'static>(
        &self,
        request: &HttpRequest,
        payload: dev::Payload,
        invalid: StatusCode,
    ) -> Result<Body<T>, Problem> {
        let read = body::read_json(payload, request.headers(), self.body_limit).await;
        let bytes = read.map_err(|e| e.into_problem(invalid))?;
        parsed(bytes, invalid).await
    }

    /// As [`Self::json`], where the body may be missing altogether.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn optional_json<T: DeserializeOwned + Default + Send + 'static>(
        &self,
        request: &HttpRequest,
        payload: Payload,
        invalid: StatusCode,
    ) -> Result<Body<T>, Problem> {
        self.read_optional_json(request, payload.into_inner(), invalid)
            .await
    }

    pub(crate) async fn read_optional_json<T: DeserializeOwned + Default + Send + 'static>(
        &self,
        request: &HttpRequest,
        payload: dev::Payload,
        invalid: StatusCode,
    ) -> Result<Body<T>, Problem> {
        let read = body::read_json(payload, request.headers(), self.body_limit).await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(BodyError::Missing) => {
                return Ok(Body {
                    hash: content_hash(&[]),
                    value: T::default(),
                });
            }
            Err(error) => return Err(error.into_problem(invalid)),
        };
        parsed(bytes, invalid).await
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

    /// Runs another method's change to its end.
    ///
    /// # Errors
    /// What the change answers, as a problem.
    pub async fn change<F>(&self, change: F) -> Result<HttpResponse, Problem>
    where
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        Ok(self.spawn(change).await?.into())
    }

    pub(crate) async fn spawn<F>(&self, change: F) -> Result<Answer, Problem>
    where
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        spawned(&self.changes, Box::pin(change)).await?
    }

    /// Room for one more event stream, held as long as it is open.
    ///
    /// # Errors
    /// 503 while there is none.
    pub fn stream_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let permit = Arc::clone(&self.streams).try_acquire_owned();
        permit.map_err(|_| Problem::unavailable(STREAMS_AGAIN))
    }

    /// Seals a position in a list of a workspace.
    pub fn seal(&self, workspace: &WorkspaceId, list: &str, at: &impl Serialize) -> Option<String> {
        self.sealer.seal_value(&format!("{list}:{workspace}"), at)
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
        let at = self
            .sealer
            .open_value(&format!("{list}:{workspace}"), cursor);
        let detail = "the cursor was altered, or was made for another list";
        at.map(Some)
            .ok_or_else(|| Problem::bad_request("invalid_cursor", detail))
    }
}

/// Hashes and parses a body, a large one where it does not hold up other requests.
async fn parsed<T>(bytes: Bytes, invalid: StatusCode) -> Result<Body<T>, Problem>
where
    T: DeserializeOwned + Send + 'static,
{
    let large = bytes.len() > LARGE_BODY;
    let parse = move || (content_hash(&bytes), object(&bytes));
    let (hash, value) = match large {
        true => web::block(parse).await.map_err(|_| Problem::internal())?,
        false => parse(),
    };
    let value = value.map_err(|e: BodyError| e.into_problem(invalid))?;
    Ok(Body { hash, value })
}

/// Parses an object. Serde would also take the values of a struct as an array, in their order.
fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    if first.is_some_and(|b| *b != b'{') {
        body::parse::<serde_json::Map<String, serde_json::Value>>(bytes)?;
    }
    body::parse(bytes)
}

/// A parsed body, and the hash of its bytes.
pub struct Body<T> {
    /// For the comparison of repeated requests.
    pub hash: [u8; 32],
    /// The content.
    pub value: T,
}

//! What every handler works with, and the frame that changes run in.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, dev,
    http::StatusCode,
    web::{self, Bytes},
};
use kernel::Actor;
use runtime::Changes;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    Answer, Authenticator, Idempotency, Problem, Sealer,
    body::{self, BodyError},
    idempotency::content_hash,
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

    /// As [`Self::read_json`], where the body may be missing altogether.
    ///
    /// # Errors
    /// As [`Self::read_json`].
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

    /// Runs a change to its end, whoever waits for it.
    ///
    /// # Errors
    /// What the change answers, as a problem.
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

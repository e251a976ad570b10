//! `Idempotency-Key`: the same request again gives the same answer, and its effect once.

use std::{pin::pin, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
};
use domain::shared::WorkspaceId;
use kernel::RequestId;
use ports::{
    IdGenerator, StoreError,
    idempotency::{IdempotencyScope, IdempotencyStore, Reservation},
};
use runtime::Changes;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::{Answer, Problem, changes::in_context};

const KEY_HEADER: &str = "idempotency-key";
const REPLAYED_HEADER: HeaderName = HeaderName::from_static("idempotent-replayed");
const MAX_KEY: usize = 255;
/// How often a lease is renewed while it lasts.
const RENEWALS: u32 = 3;

/// Why a request with a key gets no answer of its own. Each face renders it in its own shape.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The header is not one value of 1 to 255 printable ASCII characters.
    #[error("Idempotency-Key must be 1 to 255 printable ASCII characters")]
    InvalidKey,
    /// The key was used for other content.
    #[error("this Idempotency-Key was used for other content")]
    Mismatch,
    /// The same request is still running.
    #[error("the same request is still running")]
    InProgress {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The change panicked or was cut by the end of the process.
    #[error("the change ended without a result")]
    Interrupted,
    /// Reservations cannot be read or written now.
    #[error("the reservation could not be made")]
    Store(#[from] StoreError),
}

impl From<IdempotencyError> for Problem {
    fn from(error: IdempotencyError) -> Self {
        let detail = format!("{error}.");
        match error {
            IdempotencyError::InvalidKey => Self::bad_request("invalid_idempotency_key", detail),
            IdempotencyError::Mismatch => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch")
                    .with_detail(detail)
            }
            IdempotencyError::InProgress { retry_after } => {
                Self::conflict("idempotency_in_progress")
                    .with_detail(detail)
                    .with_retry_after(retry_after)
            }
            IdempotencyError::Interrupted => Self::internal(),
            IdempotencyError::Store(error) => error.into(),
        }
    }
}

/// The request as idempotency sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    workspace: WorkspaceId,
    method: String,
    path: String,
    key: Option<String>,
    content: [u8; 32],
}

impl Call {
    /// Reads the key of a request. `content` is the hash of what was sent: [`content_hash`] of a
    /// body; for a file that of its content, not of the multipart form around it.
    ///
    /// # Errors
    /// [`IdempotencyError::InvalidKey`].
    pub fn of(
        request: &HttpRequest,
        workspace: &WorkspaceId,
        content: [u8; 32],
    ) -> Result<Self, IdempotencyError> {
        let mut hash = Sha256::new_with_prefix(content);
        hash.update(request.query_string());
        Ok(Self {
            workspace: workspace.clone(),
            method: request.method().as_str().to_owned(),
            path: request.path().to_owned(),
            key: key(request.headers())?,
            content: hash.finalize().into(),
        })
    }

    /// The same call with content that is only known once it was received, as that of a file.
    #[must_use]
    pub fn with_content(mut self, content: &[u8]) -> Self {
        let mut hash = Sha256::new_with_prefix(self.content);
        hash.update(content);
        self.content = hash.finalize().into();
        self
    }
}

/// The hash of a body.
pub fn content_hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

fn key(headers: &HeaderMap) -> Result<Option<String>, IdempotencyError> {
    let mut values = headers.get_all(KEY_HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let printable = value.as_bytes().iter().all(|b| matches!(b, b' '..=b'~'));
    if values.next().is_some() || value.is_empty() || value.len() > MAX_KEY || !printable {
        return Err(IdempotencyError::InvalidKey);
    }
    let key = value.to_str().map_err(|_| IdempotencyError::InvalidKey)?;
    Ok(Some(key.to_owned()))
}

/// Runs the state changes of POST handlers.
#[derive(Clone)]
pub struct Idempotency {
    store: Arc<dyn IdempotencyStore>,
    ids: Arc<dyn IdGenerator>,
    changes: Changes,
    lease: Duration,
}

impl Idempotency {
    /// `lease` is how long the key of a change whose process died stays reserved.
    pub fn new(
        store: Arc<dyn IdempotencyStore>,
        ids: Arc<dyn IdGenerator>,
        changes: Changes,
        lease: Duration,
    ) -> Self {
        Self {
            store,
            ids,
            changes,
            lease,
        }
    }

    /// The identity of a change without a key.
    pub fn fresh(&self) -> RequestId {
        RequestId {
            write_id: self.ids.next(),
            keyed: false,
        }
    }

    /// Runs `change` to its end even if the client goes away, and keeps its answer for replay
    /// when the client sent a key. Refusals (4xx that store nothing) and failures are not kept.
    ///
    /// # Errors
    /// When the key is in use, or the change was interrupted.
    pub async fn run<C, F>(&self, call: Call, change: C) -> Result<Answer, IdempotencyError>
    where
        C: FnOnce(RequestId) -> F + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let this = self.clone();
        let Call {
            workspace,
            method,
            path,
            key,
            content,
        } = call;
        let Some(key) = key else {
            let request = this.fresh();
            let change = in_context(async move { change(request).await });
            return self
                .changes
                .run(change)
                .await
                .map_err(|_| IdempotencyError::Interrupted);
        };
        let scope = IdempotencyScope {
            workspace,
            method,
            path,
            key,
        };
        let task = in_context(async move { this.run_keyed(scope, content, change).await });
        self.changes
            .run(task)
            .await
            .map_err(|_| IdempotencyError::Interrupted)?
    }

    async fn run_keyed<C, F>(
        self,
        scope: IdempotencyScope,
        content: [u8; 32],
        change: C,
    ) -> Result<Answer, IdempotencyError>
    where
        C: FnOnce(RequestId) -> F + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let (write_id, rerun) = match self.store.reserve(&scope, content, self.lease).await? {
            Reservation::Fresh { write_id } => (write_id, false),
            Reservation::Rerun { write_id } => (write_id, true),
            Reservation::Mismatch => return Err(IdempotencyError::Mismatch),
            Reservation::Running { retry_after } => {
                return Err(IdempotencyError::InProgress { retry_after });
            }
            Reservation::Replay(stored) => {
                let answer = Answer::from_stored(stored);
                let answer = answer.ok_or(StoreError::Corrupt("stored answer"))?;
                return Ok(answer.with_header(REPLAYED_HEADER, HeaderValue::from_static("true")));
            }
        };
        let request = RequestId {
            write_id,
            keyed: true,
        };
        // A task of its own: a panic must not leave the key reserved for the whole lease.
        let change = self
            .changes
            .run(in_context(async move { change(request).await }));
        let outcome = self.held(&scope, write_id, change).await;
        let settled = match &outcome {
            Ok(answer) if answer.status.is_server_error() => {
                self.store.abandon(&scope, write_id).await
            }
            // After a first attempt that may have stored something, a refusal proves nothing.
            Ok(answer) if stores_nothing(answer.status) && !rerun => {
                self.store.release(&scope, write_id).await
            }
            Ok(answer) if stores_nothing(answer.status) => {
                self.store.abandon(&scope, write_id).await
            }
            Ok(answer) => {
                self.store
                    .complete(&scope, write_id, &answer.to_stored())
                    .await
            }
            Err(_) => self.store.abandon(&scope, write_id).await,
        };
        if let Err(error) = settled {
            // The effect stands; when the lease lapses the request runs again under its write id.
            let error = crate::problem::chain(&error);
            tracing::warn!(
                error,
                write_id,
                "the end of an idempotent request was not recorded"
            );
        }
        outcome.map_err(|_| IdempotencyError::Interrupted)
    }
}

impl Idempotency {
    /// Renews the lease until `change` has ended.
    async fn held<T>(
        &self,
        scope: &IdempotencyScope,
        write_id: i64,
        change: impl Future<Output = T>,
    ) -> T {
        let mut change = pin!(change);
        loop {
            if let Ok(ended) = timeout(self.lease / RENEWALS, &mut change).await {
                return ended;
            }
            // Where it cannot be renewed, a repetition takes over under the same write id.
            if let Err(error) = self.store.renew(scope, write_id, self.lease).await {
                let error = crate::problem::chain(&error);
                tracing::warn!(error, write_id, "a reservation could not be renewed");
            }
        }
    }
}

/// Whether an answer means that the request was refused before it changed anything.
fn stores_nothing(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 422 | 429
    )
}

#[cfg(test)]
#[path = "idempotency_tests.rs"]
pub(crate) mod tests;

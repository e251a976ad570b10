//! Face J: starting imports with the administrator's token. Its bodies are the seed's to the letter,
//! with one member more.

mod contacts;
mod jobs;

use std::sync::Arc;

use actix_web::{
    Error, HttpRequest, HttpResponse,
    error::InternalError,
    http::{StatusCode, header},
};
use http_kit::{Api, Authenticated, ErrorShape, spawned};
use kernel::AppError;
use ports::importing::ImportKind;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use super::ApiState;

/// Carries the token.
pub const HEADER: &str = "x-admin-token";
/// How the slug of all clients is written.
const ALL: &str = "all";

http_kit::routes! {
    ApiState;
    jobs::{import_all, import_one, job},
    contacts::{sync},
}

/// What opens face J. Without one nothing does.
#[derive(Clone, Default)]
pub struct AdminToken(Option<[u8; 32]>);

impl AdminToken {
    /// From the configuration.
    pub fn new(token: Option<&str>) -> Self {
        let set = token.filter(|token| !token.is_empty());
        Self(set.map(|token| Sha256::digest(token).into()))
    }

    /// Whether there is one.
    pub const fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a request carries it, once. Hashes are compared, in constant time, so that neither
    /// length nor content shows in how long it takes.
    fn opens_for(&self, request: &HttpRequest) -> bool {
        let mut sent = request.headers().get_all(HEADER);
        let (Some(token), None, Some(expected)) = (sent.next(), sent.next(), &self.0) else {
            return false;
        };
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        digest.ct_eq(expected).into()
    }
}

/// The administrator: the first argument of every handler of this face.
pub struct Admin(Arc<Api<ApiState>>);

impl Authenticated<ApiState> for Admin {
    async fn authenticate(request: &HttpRequest, api: &Arc<Api<ApiState>>) -> Result<Self, Error> {
        if api.state().admin.opens_for(request) {
            return Ok(Self(Arc::clone(api)));
        }
        let answer = refused(StatusCode::UNAUTHORIZED, "unauthorized");
        Err(InternalError::from_response("unauthorized", answer).into())
    }
}

/// How this face writes what is refused before it is reached.
pub const ERRORS: ErrorShape = ErrorShape {
    has: |path| path.starts_with("/api/jobs/") || path.starts_with("/api/admin/"),
    body: |problem| {
        let reason = problem.status().canonical_reason().unwrap_or("error");
        json!(Refused {
            error: &reason.to_lowercase()
        })
    },
    status: |problem, _| problem.status(),
    schema: "Refused",
};

/// Why nothing was started.
#[derive(Serialize, ToSchema)]
pub struct Refused<'a> {
    error: &'a str,
}

fn refused(status: StatusCode, error: &str) -> HttpResponse {
    HttpResponse::build(status).json(Refused { error })
}

fn failed(error: &AppError) -> HttpResponse {
    match error {
        AppError::NotFound => refused(StatusCode::NOT_FOUND, "not found"),
        AppError::Store(ports::StoreError::Unavailable(_)) => HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "1"))
            .json(Refused {
                error: "unavailable",
            }),
        error => {
            tracing::error!(%error, "a job could not be started");
            refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }
    }
}

/// What was started.
#[derive(Serialize, ToSchema)]
pub struct Started<'a> {
    message: &'a str,
    /// As it was sent; `all` where none was.
    slug: &'a str,
    /// A batch, which `GET /api/jobs/{id}` tells about.
    operation_id: String,
}

/// Starts a batch to the end of its transaction, whether or not the caller stays.
async fn start(admin: &Admin, kind: ImportKind, slug: Option<String>) -> HttpResponse {
    let (context, state) = (admin.0.context(), admin.0.state());
    let start = state.cases.start_batch.clone();
    let asked = slug.clone();
    let begin = async move { start.execute(kind, asked.as_deref()).await };
    let begun: Result<_, AppError> = match spawned(&context.changes, begin).await {
        Ok(begun) => begun,
        Err(_) => return refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
    };
    let message = match kind {
        ImportKind::Tickets => "Import job started",
        ImportKind::Contacts => "Contacts sync job started",
    };
    match begun {
        Ok(id) => HttpResponse::Accepted().json(Started {
            message,
            slug: slug.as_deref().unwrap_or(ALL),
            operation_id: id.to_string(),
        }),
        Err(error) => failed(&error),
    }
}

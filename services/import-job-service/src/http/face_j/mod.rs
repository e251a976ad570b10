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

/// The administrator: the first argument of every handler of this face.
pub struct Admin(Arc<Api<ApiState>>);

impl Authenticated<ApiState> for Admin {
    async fn authenticate(request: &HttpRequest, api: &Arc<Api<ApiState>>) -> Result<Self, Error> {
        if api.state().admin.opens_for(request, HEADER) {
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

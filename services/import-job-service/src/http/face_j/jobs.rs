//! Imports of tickets, and what became of a job.

use actix_web::HttpResponse;
use http_kit::Id;
use kernel::AppError;
use ports::importing::ImportKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ALL, Admin, Refused, Started, failed, start};
use crate::batch::BatchState;

/// A batch of runs.
#[derive(Serialize, ToSchema)]
pub struct Job {
    id: String,
    kind: &'static str,
    slug: String,
    state: &'static str,
    clients_processed: usize,
    runs: Vec<JobRun>,
    created_at: String,
}

/// A run that a batch began or joined.
#[derive(Serialize, ToSchema)]
pub struct JobRun {
    operation_id: String,
    slug: String,
    state: &'static str,
}

/// Starts the import of all active clients.
#[utoipa::path(
    post, path = "/api/jobs/import", tag = "jobs", operation_id = "importAll",
    security(("admin" = [])),
    responses(
        (status = 202, description = "Started", body = Started),
        (status = 401, description = "Wrong or missing token", body = Refused),
    )
)]
pub async fn import_all(admin: Admin) -> HttpResponse {
    start(&admin, ImportKind::Tickets, None).await
}

/// Starts the import of one client; whether there is one does not show.
#[utoipa::path(
    post, path = "/api/jobs/import/{slug}", tag = "jobs", operation_id = "importOne",
    security(("admin" = [])),
    params(("slug" = String, Path, description = "The client")),
    responses(
        (status = 202, description = "Started", body = Started),
        (status = 401, description = "Wrong or missing token", body = Refused),
    )
)]
pub async fn import_one(admin: Admin, Id(slug): Id<String>) -> HttpResponse {
    start(&admin, ImportKind::Tickets, Some(slug)).await
}

/// Tells where a batch stands.
#[utoipa::path(
    get, path = "/api/jobs/{id}", tag = "jobs", operation_id = "getJob",
    security(("admin" = [])),
    params(("id" = String, Path, description = "`operation_id` of the answer that started it")),
    responses(
        (status = 200, description = "The batch and its runs", body = Job),
        (status = 401, description = "Wrong or missing token", body = Refused),
        (status = 404, description = "There is none", body = Refused),
    )
)]
pub async fn job(admin: Admin, Id(id): Id<String>) -> HttpResponse {
    let Ok(id) = id.parse() else {
        return failed(&AppError::NotFound);
    };
    match admin.0.state().cases.batch.execute(id).await {
        Ok((batch, runs, stands)) => HttpResponse::Ok().json(Job {
            id: batch.id.to_string(),
            kind: batch.kind.as_str(),
            slug: batch.slug.unwrap_or_else(|| ALL.to_owned()),
            state: match stands {
                BatchState::Running => "running",
                BatchState::Completed => "completed",
            },
            clients_processed: runs.len(),
            runs: runs
                .into_iter()
                .map(|run| JobRun {
                    operation_id: run.operation.to_string(),
                    slug: run.slug,
                    state: run.state.as_str(),
                })
                .collect(),
            created_at: http_kit::timestamp(batch.created_at),
        }),
        Err(error) => failed(&error),
    }
}

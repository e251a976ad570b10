//! Rows that could not be used, to be mended and sent again: those that an operation rejected, and
//! those of a file of documents that have none.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header, web::Bytes};
use domain::shared::{OperationId, UploadId};
use futures::StreamExt;
use http_kit::{Id, Problem};
use ports::files::BlobStream;

use super::{
    attachment,
    rows_csv::{columns_of, csv},
};
use crate::{AppError, http::Caller};

const NDJSON: &str = "application/x-ndjson";

/// Downloads the rejected rows of an operation: where each is, what is wrong with it, and all columns
/// of the file as they came. Of a recycling by a file: the rows of it without a readable document.
#[utoipa::path(
    get, path = "/operations/{id}/rejected", tag = "operations", operation_id = "downloadRejected",
    params(
        Id<OperationId>,
        ("Accept" = Option<String>, Header, description = "`application/x-ndjson` for JSON lines"),
    ),
    responses(
        (
            status = 200, description = "row, line, field, code, detail, then the file's columns",
            content((String = "text/csv"), (String = "application/x-ndjson")),
        ),
        (status = 404, description = "There is no such operation, or it took no file"),
    ),
)]
pub async fn rejected_rows(
    caller: Caller,
    Id(id): Id<OperationId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (app, actor) = (&caller.app, &caller.actor);
    let stored = app.uploads.rejected.stream(actor, id).await?;
    let name = format!("{id}-rejected");
    if wants_ndjson(&request) {
        return Ok(lines(stored, &name));
    }
    let known = app.uploads.rejected.file_columns(actor, id).await?;
    let columns = columns_of(known, stored).await.map_err(AppError::from)?;
    Ok(table(
        app.uploads.rejected.stream(actor, id).await?,
        columns,
        &name,
    ))
}

/// Downloads the rows of a file that have no readable document, as a recycling sees the file: where
/// each is, why, and all columns of the file as they came.
#[utoipa::path(
    get, path = "/uploads/{id}/unreadable", tag = "uploads", operation_id = "downloadUnreadable",
    params(
        Id<UploadId>,
        ("Accept" = Option<String>, Header, description = "`application/x-ndjson` for JSON lines"),
    ),
    responses(
        (
            status = 200, description = "row, line, field, code, detail, then the file's columns",
            content((String = "text/csv"), (String = "application/x-ndjson")),
        ),
        (status = 404, description = "There is no such file"),
        (status = 422, description = "`document_not_mapped`"),
    ),
)]
pub async fn unreadable_rows(
    caller: Caller,
    Id(id): Id<UploadId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (app, actor) = (&caller.app, &caller.actor);
    let rows = app.uploads.exclusions.unreadable_rows(actor, id).await?;
    let name = format!("{id}-unreadable");
    if wants_ndjson(&request) {
        return Ok(lines(rows, &name));
    }
    let known = app.uploads.rejected.upload_columns(actor, id).await?;
    let columns = columns_of(known, rows).await.map_err(AppError::from)?;
    Ok(table(
        app.uploads.exclusions.unreadable_rows(actor, id).await?,
        columns,
        &name,
    ))
}

/// Path of the rows of a file that have no readable document.
pub fn unreadable_path(upload: UploadId) -> String {
    format!("/api/v1/uploads/{upload}/unreadable")
}

fn lines(rows: BlobStream, name: &str) -> HttpResponse {
    let rows = rows.map(|chunk| chunk.map(Bytes::from));
    file(&format!("{name}.ndjson"), NDJSON).streaming(rows)
}

fn table(rows: BlobStream, columns: Vec<String>, name: &str) -> HttpResponse {
    file(&format!("{name}.csv"), "text/csv; charset=utf-8").streaming(csv(rows, columns))
}

fn file(name: &str, content_type: &str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CONTENT_DISPOSITION, attachment(name)))
        .content_type(content_type);
    answer
}

fn wants_ndjson(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT);
    let mut types = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    types.any(|one| {
        let essence = one.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(NDJSON)
    })
}

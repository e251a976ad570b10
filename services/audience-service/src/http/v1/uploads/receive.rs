//! Receiving a file.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use api_types::uploads::UploadJson;
use domain::shared::UploadId;
use http_kit::{Answer, ApiResult, Id, Idempotent, Problem, Query, idempotency::Call};
use utoipa::ToSchema;

use super::{
    incoming::{self, Incoming},
    json::upload_json,
    options::{self, FileParameters},
};
use crate::{
    http::Caller,
    upload::{Received, ReceivedFile},
};

/// A form with a file.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only described; the form is read as it streams in"
)]
pub struct FileForm {
    /// As the parameter. Options go before the file.
    delimiter: Option<String>,
    /// As the parameter.
    encoding: Option<String>,
    /// As the parameter.
    header: Option<String>,
    /// As the parameter.
    sheet: Option<String>,
    /// CSV, NDJSON or XLSX.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// Receives a file and looks into it: format, columns, what they seem to mean, a sample. The body
/// is a form, or the file itself.
#[utoipa::path(
    post, path = "/uploads", tag = "uploads", operation_id = "uploadFile",
    request_body(content((FileForm = "multipart/form-data"), (String = "text/csv"), (String = "application/x-ndjson"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (String = "application/octet-stream"))),
    params(FileParameters),
    responses(
        (status = 201, description = "Received", body = UploadJson),
        (status = 400, description = "The body is empty or ended early"),
        (status = 413, description = "The file is too large"),
        (status = 415, description = "Neither a form nor a kind of file"),
        (status = 422, description = "The file is none that can be read, or not as it was said"),
        (status = 507, description = "There is no room for it"),
    ),
)]
pub async fn receive(
    caller: Caller,
    Query(parameters): Query<FileParameters>,
    Idempotent(once, ()): Idempotent<()>,
    request: HttpRequest,
    payload: Payload,
) -> ApiResult {
    let call = once.call()?;
    let incoming = Incoming::open(request.headers(), payload, &parameters).await?;
    let (pump, received) = incoming.split();
    // Boxed: the future is large, and the layers around it would each copy it on the stack.
    let storing = caller.change(|caller| Box::pin(store(caller, call, received)));
    // Either side ends the other: a lost client ends the file early, an unusable file the reading.
    let (pumped, stored) = futures::join!(pump.run(), storing);
    pumped?;
    stored
}

/// Runs to its end, whatever becomes of the client.
async fn store(caller: Caller, call: Call, received: Received<incoming::Chunks>) -> ApiResult {
    let said = options::fingerprint(&received.options);
    let file = Box::pin(caller.app.uploads.receive.receive(received)).await?;
    let call = call.with_content(file.sha256().as_bytes());
    let call = match said {
        Some(said) => call.with_content(&said),
        None => call,
    };
    remember(caller, call, file).await
}

/// Keeps the file, or deletes it where an earlier one answers for it.
async fn remember(caller: Caller, call: Call, file: ReceivedFile) -> ApiResult {
    let spare = file.clone();
    let taken = Arc::new(AtomicBool::new(false));
    let (keeper, take) = (caller.clone(), Arc::clone(&taken));
    let idempotency = &caller.context().idempotency;
    let answer = idempotency.run(call, move |request_id| async move {
        take.store(true, Ordering::Relaxed);
        let kept = keeper
            .app
            .uploads
            .receive
            .remember(&keeper.actor, request_id, file);
        match Box::pin(kept).await {
            Ok(stored) => created(upload_json(stored)),
            Err(error) => Problem::from(error).into(),
        }
    });
    // Boxed, as above.
    let answer = Box::pin(answer).await;
    if !taken.load(Ordering::Relaxed) {
        caller.app.uploads.receive.forget(spare).await?;
    }
    Ok(answer?)
}

fn created(upload: UploadJson) -> Answer {
    let location = HeaderValue::from_str(&format!("/api/v1/uploads/{}", upload.id));
    let answer = Answer::json(StatusCode::CREATED, &upload);
    match location {
        Ok(location) => answer.with_header(header::LOCATION, location),
        Err(_) => answer,
    }
}

/// Reads what was found in a received file.
#[utoipa::path(
    get, path = "/uploads/{id}", tag = "uploads", operation_id = "readUpload",
    params(Id<UploadId>),
    responses((status = 200, description = "The file", body = UploadJson)),
)]
pub async fn read(caller: Caller, Id(id): Id<UploadId>) -> ApiResult {
    let stored = caller.app.uploads.find.get(&caller.actor, id).await?;
    Ok(Answer::ok(&upload_json(stored)))
}

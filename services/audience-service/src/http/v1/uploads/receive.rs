//! Receiving a file.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Path, Payload, Query},
};
use http_kit::{Answer, Problem, ProblemBody, idempotency::Call};
use utoipa::ToSchema;

use super::{
    incoming::{self, Incoming},
    json::UploadJson,
    options::{self, FileParameters},
};
use crate::{
    application::{
        Actor,
        upload::{Received, ReceivedFile},
    },
    http::ApiState,
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
    post,
    path = "/uploads",
    tag = "uploads",
    operation_id = "uploadFile",
    params(FileParameters),
    request_body(content(
        (FileForm = "multipart/form-data"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (String = "application/octet-stream"),
    )),
    responses(
        (status = 201, description = "Received", body = UploadJson),
        (status = 400, description = "The body is empty or ended early", body = ProblemBody),
        (status = 413, description = "The file is too large", body = ProblemBody),
        (status = 415, description = "Neither a form nor a kind of file", body = ProblemBody),
        (
            status = 422,
            description = "The file is none that can be read, or not as it was said",
            body = ProblemBody
        ),
        (status = 507, description = "There is no room for it", body = ProblemBody),
    )
)]
pub async fn receive(
    state: Data<ApiState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let parameters = Query::<FileParameters>::from_query(request.query_string())
        .map_err(|error| Problem::bad_request("invalid_query", error.to_string()))?;
    let call = Call::of(&request, &actor.workspace, [0; 32])?;
    let incoming = Incoming::open(request.headers(), payload.into_inner(), &parameters).await?;
    let (pump, received) = incoming.split();
    // Boxed: the future is large, and the layers around it would each copy it on the stack.
    let storing = state.change(Box::pin(store((**state).clone(), actor, call, received)));
    // Either side ends the other: a lost client ends the file early, an unusable file the reading.
    let (pumped, stored) = futures::join!(pump.run(), storing);
    pumped?;
    stored
}

/// Runs to its end, whatever becomes of the client.
async fn store(
    state: ApiState,
    actor: Actor,
    call: Call,
    received: Received<incoming::Chunks>,
) -> Result<Answer, Problem> {
    let said = options::fingerprint(&received.options);
    let file = Box::pin(state.app.uploads.receive.receive(received)).await?;
    let call = call.with_content(file.sha256().as_bytes());
    let call = match said {
        Some(said) => call.with_content(&said),
        None => call,
    };
    remember(&state, actor, call, file).await
}

/// Keeps the file, or deletes it where an earlier one answers for it.
async fn remember(
    state: &ApiState,
    actor: Actor,
    call: Call,
    file: ReceivedFile,
) -> Result<Answer, Problem> {
    let spare = file.clone();
    let taken = Arc::new(AtomicBool::new(false));
    let (app, take) = (state.app.clone(), Arc::clone(&taken));
    let answer = state.idempotency.run(call, move |request_id| async move {
        take.store(true, Ordering::Relaxed);
        match Box::pin(app.uploads.receive.remember(&actor, request_id, file)).await {
            Ok(stored) => created(stored.into()),
            Err(error) => Problem::from(error).into(),
        }
    });
    // Boxed, as above.
    let answer = Box::pin(answer).await;
    if !taken.load(Ordering::Relaxed) {
        state.app.uploads.receive.forget(spare).await?;
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
    get,
    path = "/uploads/{id}",
    tag = "uploads",
    operation_id = "readUpload",
    params(("id" = String, Path, description = "`upl_…`")),
    responses(
        (status = 200, description = "The file", body = UploadJson),
        (status = 404, description = "There is none", body = ProblemBody),
    )
)]
pub async fn read(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path.parse().map_err(|_| Problem::not_found())?;
    let stored = state.app.uploads.find.get(&actor, id).await?;
    Ok(HttpResponse::Ok().json(UploadJson::from(stored)))
}

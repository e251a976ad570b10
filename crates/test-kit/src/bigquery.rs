//! A server that answers as BigQuery does, or as a test tells it to.

use std::{
    collections::VecDeque,
    io,
    net::TcpListener,
    sync::{Mutex, PoisonError},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    web::{self, Bytes},
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

/// A key that was made for tests and is of no account.
pub const KEY: &str = include_str!("bigquery_key.pem");
/// The token that the server hands out as the metadata server of a machine.
pub const TOKEN: &str = "ya29.a-token";

/// An answer.
#[derive(Clone)]
pub enum Answer {
    /// JSON, with this status.
    Json(u16, Value),
    /// With `Retry-After`.
    Later(u16, &'static str),
    /// A status, a media type and a body.
    Text(u16, &'static str, Vec<u8>),
    /// 200 and as much, of a body that was to be longer.
    Cut(Vec<u8>),
    /// 200 and this, of no announced length.
    Pieces(Vec<u8>),
    /// None, for as long as anybody waits.
    Silence,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The header, empty where there is none.
    pub authorization: String,
    /// Its body, `null` where that is no JSON.
    pub body: Value,
}

type Answers = dyn Fn(&Asked) -> Answer + Send + Sync;

struct Shared {
    answers: Box<Answers>,
    asked: Mutex<Vec<Asked>>,
}

/// Answers requests on a port of its own; cancellations and tokens apart.
pub struct Fake {
    /// Where it is.
    pub url: String,
    shared: web::Data<Shared>,
}

fn http(answer: Answer) -> HttpResponse {
    let of = |status| HttpResponse::build(StatusCode::from_u16(status).expect("a status"));
    match answer {
        Answer::Json(status, body) => of(status).json(body),
        Answer::Later(status, seconds) => of(status)
            .insert_header(("Retry-After", seconds))
            .json(json!({})),
        Answer::Text(status, media_type, body) => of(status).content_type(media_type).body(body),
        Answer::Cut(body) => {
            let length = body.len() as u64 + 100;
            let begun = stream::iter([Ok(Bytes::from(body))]);
            let rest =
                stream::once(async { Err(io::Error::from(io::ErrorKind::ConnectionAborted)) });
            of(200).no_chunking(length).streaming(begun.chain(rest))
        }
        Answer::Pieces(body) => of(200).streaming(stream::iter([Ok::<_, io::Error>(body.into())])),
        Answer::Silence => of(200).streaming(stream::pending::<io::Result<Bytes>>()),
    }
}

async fn serve(shared: web::Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let path = request.uri().to_string();
    if path.starts_with("/computeMetadata/") {
        let token = json!({ "access_token": TOKEN, "expires_in": 3_600, "token_type": "Bearer" });
        return http(Answer::Json(200, token));
    }
    let authorization = request.headers().get("authorization");
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let asked = Asked {
        method: request.method().to_string(),
        path,
        authorization: authorization.unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let log = || shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
    log().push(asked.clone());
    if asked.path.contains("/cancel") {
        return http(Answer::Json(
            200,
            json!({ "kind": "bigquery#jobCancelResponse" }),
        ));
    }
    http((shared.answers)(&asked))
}

impl Fake {
    /// Answers one after the other, the last for ever.
    pub fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
        Self::with(move |_| {
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            let next = match answers.len() {
                1 => answers.front().cloned(),
                _ => answers.pop_front(),
            };
            next.expect("an answer")
        })
    }

    /// Answers as this says.
    ///
    /// # Panics
    /// When there is no port to be had.
    pub fn with(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = web::Data::new(Shared {
            answers: Box::new(answers),
            asked: Mutex::default(),
        });
        let data = shared.clone();
        let app = move || {
            App::new()
                .app_data(data.clone())
                .default_service(web::to(serve))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .listen(listener)
            .expect("a server");
        tokio::spawn(server.run());
        Self { url, shared }
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.shared.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The paths of jobs that were cancelled so far.
    pub fn cancelled(&self) -> Vec<String> {
        let asked = self.asked().into_iter();
        asked
            .map(|asked| asked.path)
            .filter(|path| path.contains("/cancel"))
            .collect()
    }

    /// Waits for the only cancellation of a job, which comes from a task of its own.
    pub async fn cancelled_job(&self) -> String {
        loop {
            if let Some(path) = self.cancelled().pop() {
                return path;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The key file of a service account, with this key.
pub fn service_account(key: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "a-key-id",
        "private_key": key,
        "client_email": "a-user@p.iam.gserviceaccount.com",
        "client_id": "1",
        // Nobody is asked there, nor anywhere else.
        "token_uri": "http://169.254.169.254/token",
    })
}

/// The reference of the only job.
pub fn job() -> Value {
    json!({ "projectId": "p", "jobId": "job-1", "location": "southamerica-east1" })
}

/// The job runs.
pub fn running() -> Answer {
    Answer::Json(200, json!({ "jobReference": job(), "jobComplete": false }))
}

/// A dry run tells so many bytes.
pub fn bytes(bytes: u64) -> Answer {
    let answer = json!({ "jobReference": { "projectId": "p" }, "jobComplete": true,
        "totalBytesProcessed": bytes.to_string() });
    Answer::Json(200, answer)
}

/// A page of a result of so many rows, billed at 10 MiB: the names and types of its columns, and its values.
pub fn rows(
    total: u64,
    columns: &[(&str, &str)],
    rows: impl IntoIterator<Item = Vec<Value>>,
    token: Option<&str>,
) -> Answer {
    let fields = columns
        .iter()
        .map(|(name, of_type)| json!({ "name": name, "type": of_type, "mode": "NULLABLE" }));
    let cells = |row: Vec<Value>| {
        let cells: Vec<Value> = row.into_iter().map(|v| json!({ "v": v })).collect();
        json!({ "f": cells })
    };
    let rows: Vec<Value> = rows.into_iter().map(cells).collect();
    Answer::Json(
        200,
        json!({
            "jobReference": job(),
            "jobComplete": true,
            "schema": { "fields": fields.collect::<Vec<Value>>() },
            "rows": rows,
            "totalRows": total.to_string(),
            "pageToken": token,
            "totalBytesProcessed": "2048",
            "totalBytesBilled": "10485760",
        }),
    )
}

/// A refusal as BigQuery words it.
pub fn refusal(status: u16, reason: &str, message: &str) -> Answer {
    let errors = json!([{ "reason": reason, "message": message, "domain": "global" }]);
    let error = json!({ "code": status, "message": message, "errors": errors });
    Answer::Json(status, json!({ "error": error }))
}

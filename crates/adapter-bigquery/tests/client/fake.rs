//! A server that answers what a test tells it to, and a timer on which no time is lost.

use std::{
    collections::VecDeque,
    io,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    web::{self, Bytes},
};
use adapter_bigquery::{BigQuery, Credentials, Param, Query, Settings, Timer};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

/// An answer.
#[derive(Clone)]
pub enum Answer {
    Json(u16, Value),
    /// With `Retry-After`.
    Later(u16, &'static str),
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
    pub method: String,
    /// Path and query.
    pub path: String,
    pub authorization: String,
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Asked>>,
}

/// Answers one after the other, the last for ever; cancellations and tokens apart.
pub struct Fake {
    pub url: String,
    shared: web::Data<Shared>,
}

pub const TOKEN: &str = "ya29.a-token";

fn answer(answer: Answer) -> HttpResponse {
    let of = |status| HttpResponse::build(StatusCode::from_u16(status).unwrap());
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
        return answer(Answer::Json(200, token));
    }
    let authorization = request.headers().get("authorization");
    let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
    let is_cancel = path.contains("/cancel");
    shared.asked.lock().unwrap().push(Asked {
        method: request.method().to_string(),
        path,
        authorization: authorization.unwrap_or_default(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    if is_cancel {
        return answer(Answer::Json(
            200,
            json!({ "kind": "bigquery#jobCancelResponse" }),
        ));
    }
    let mut answers = shared.answers.lock().unwrap();
    let next = match answers.len() {
        1 => answers.front().cloned(),
        _ => answers.pop_front(),
    };
    answer(next.unwrap())
}

impl Fake {
    pub fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = web::Data::new(Shared {
            answers: Mutex::new(answers.into_iter().collect()),
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
            .unwrap();
        tokio::spawn(server.run());
        Self { url, shared }
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
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

    pub fn settings(&self) -> Settings {
        Settings {
            endpoint: self.url.clone(),
            ..Settings::new("p", Credentials::Anonymous)
        }
    }

    /// A client, and the pauses that it makes.
    pub fn client(&self) -> (BigQuery, Arc<Pauses>) {
        let pauses = Arc::new(Pauses::default());
        let client = BigQuery::new(&self.settings(), Arc::clone(&pauses) as _).unwrap();
        (client, pauses)
    }
}

/// A timer whose pauses are over at once.
pub struct Pauses {
    begun: Instant,
    made: Mutex<Vec<Duration>>,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            made: Mutex::default(),
        }
    }
}

impl Pauses {
    pub fn made(&self) -> Vec<Duration> {
        self.made.lock().unwrap().clone()
    }

    pub fn total(&self) -> Duration {
        self.made().iter().sum()
    }
}

#[async_trait::async_trait]
impl Timer for Pauses {
    fn now(&self) -> Instant {
        self.begun + self.total()
    }

    async fn sleep(&self, time: Duration) {
        self.made.lock().unwrap().push(time);
        tokio::task::yield_now().await;
    }
}

pub fn query() -> Query {
    Query {
        sql: "SELECT id FROM d.t WHERE name = @name".to_owned(),
        params: vec![("name".to_owned(), Param::Text("a-private-value".to_owned()))],
        location: None,
        maximum_bytes_billed: Some(1_000_000),
        timeout: Duration::from_secs(60),
    }
}

pub fn job() -> Value {
    json!({ "projectId": "p", "jobId": "job-1", "location": "southamerica-east1" })
}

pub fn running() -> Answer {
    Answer::Json(200, json!({ "jobReference": job(), "jobComplete": false }))
}

/// A page of a result of so many rows, with these numbers.
pub fn page(total: u64, ids: impl IntoIterator<Item = u64>, token: Option<&str>) -> Answer {
    let rows = ids.into_iter();
    let rows = rows.map(|id| json!({ "f": [{ "v": id.to_string() }] }));
    Answer::Json(
        200,
        json!({
            "jobReference": job(),
            "jobComplete": true,
            "schema": { "fields": [{ "name": "id", "type": "INTEGER", "mode": "NULLABLE" }] },
            "rows": rows.collect::<Vec<_>>(),
            "totalRows": total.to_string(),
            "pageToken": token,
            "totalBytesProcessed": "2048",
            "totalBytesBilled": "10485760",
        }),
    )
}

pub fn refusal(status: u16, reason: &str, message: &str) -> Answer {
    let errors = json!([{ "reason": reason, "message": message, "domain": "global" }]);
    let error = json!({ "code": status, "message": message, "errors": errors });
    Answer::Json(status, json!({ "error": error }))
}

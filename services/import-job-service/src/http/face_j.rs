//! Face J: starting imports with the administrator's token. Its bodies are the seed's to the letter,
//! with one member more.

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    http::{Method, StatusCode, header},
    web::{self, Data, Path, Payload, Query},
};
use domain::shared::OperationId;
use http_kit::{allow, body, spawned};
use kernel::AppError;
use ports::importing::ImportKind;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use super::ApiState;
use crate::batch::BatchState;

const HEADER: &str = "x-admin-token";
/// How the slug of all clients is written.
const ALL: &str = "all";
/// Largest body in bytes.
const LARGEST_BODY: usize = 64 * 1024;

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

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/api/jobs/import",
            Method::POST,
            web::to(import_all),
        ))
        .service(resource(
            "/api/jobs/import/{slug}",
            Method::POST,
            web::to(import_one),
        ))
        .service(resource(
            "/api/admin/sync/contacts",
            Method::POST,
            web::to(sync),
        ))
        .service(resource("/api/jobs/{id}", Method::GET, web::to(job)));
}

/// A path with one method, and this face's answer to all others.
fn resource(path: &str, method: Method, route: Route) -> Resource {
    let allowed = allow([&method]);
    let others = move || {
        let mut answer = HttpResponse::MethodNotAllowed();
        if let Some(allowed) = &allowed {
            answer.insert_header((header::ALLOW, allowed.clone()));
        }
        std::future::ready(answer.json(Refused {
            error: "method not allowed",
        }))
    };
    web::resource(path.to_owned())
        .route(route.method(method))
        .default_service(web::to(others))
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

/// Why nothing was started.
#[derive(Serialize, ToSchema)]
pub struct Refused<'a> {
    error: &'a str,
}

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

fn refused(status: StatusCode, error: &str) -> HttpResponse {
    HttpResponse::build(status).json(Refused { error })
}

fn unauthorized() -> HttpResponse {
    refused(StatusCode::UNAUTHORIZED, "unauthorized")
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

/// Starts a batch to the end of its transaction, whether or not the caller stays.
async fn start(state: &ApiState, kind: ImportKind, slug: Option<String>) -> HttpResponse {
    let start = state.cases.start_batch.clone();
    let asked = slug.clone();
    let begin = async move { start.execute(kind, asked.as_deref()).await };
    let begun: Result<OperationId, AppError> = match spawned(&state.changes, begin).await {
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

/// Starts the import of all active clients.
#[utoipa::path(
    post, path = "/api/jobs/import", tag = "jobs", operation_id = "importAll",
    security(("admin" = [])),
    responses(
        (status = 202, description = "Started", body = Started),
        (status = 401, description = "Wrong or missing token", body = Refused),
    )
)]
pub async fn import_all(state: Data<ApiState>, request: HttpRequest) -> HttpResponse {
    if !state.admin.opens_for(&request) {
        return unauthorized();
    }
    start(&state, ImportKind::Tickets, None).await
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
pub async fn import_one(
    state: Data<ApiState>,
    request: HttpRequest,
    slug: Path<String>,
) -> HttpResponse {
    if !state.admin.opens_for(&request) {
        return unauthorized();
    }
    start(&state, ImportKind::Tickets, Some(slug.into_inner())).await
}

/// Starts the import of contacts, of one client or of all.
#[utoipa::path(
    post, path = "/api/admin/sync/contacts", tag = "jobs", operation_id = "syncContacts",
    security(("admin" = [])),
    params(
        ("clientSlug" = Option<String>, Query, description = "The client"),
        ("slug" = Option<String>, Query, description = "The same"),
    ),
    request_body(content = Option<Object>, description = "`clientSlug` or `slug`, or nothing"),
    responses(
        (status = 202, description = "Started", body = Started),
        (status = 400, description = "The body cannot be read; nothing was started", body = Refused),
        (status = 401, description = "Wrong or missing token", body = Refused),
    )
)]
pub async fn sync(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Query<Vec<(String, String)>>,
    payload: Payload,
) -> HttpResponse {
    if !state.admin.opens_for(&request) {
        return unauthorized();
    }
    let read = body::read(payload.into_inner(), request.headers(), LARGEST_BODY).await;
    let sent = read.ok().and_then(|bytes| members(&bytes));
    let slug = sent.and_then(|body| chosen(&query, &body));
    match slug {
        Some(slug) => start(&state, ImportKind::Contacts, slug).await,
        None => refused(StatusCode::BAD_REQUEST, "invalid body"),
    }
}

/// The members of a body; none where there is no body, and no answer where it is no object.
fn members(bytes: &[u8]) -> Option<Map<String, Value>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(Map::new());
    }
    serde_json::from_slice(bytes).ok()
}

/// The slug that counts: `clientSlug` of the query, then of the body, then `slug` of the query, then of
/// the body. A blank one is none; no answer where one in the body is no text.
fn chosen(query: &[(String, String)], body: &Map<String, Value>) -> Option<Option<String>> {
    let in_query = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let in_body = |name: &str| match body.get(name) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.as_str())),
        Some(_) => None,
    };
    let candidates = [
        in_query("clientSlug"),
        in_body("clientSlug")?,
        in_query("slug"),
        in_body("slug")?,
    ];
    let named = candidates.into_iter().flatten().map(str::trim);
    Some(
        named
            .filter(|slug| !slug.is_empty())
            .map(str::to_owned)
            .next(),
    )
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
pub async fn job(state: Data<ApiState>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    if !state.admin.opens_for(&request) {
        return unauthorized();
    }
    let Ok(id) = id.parse() else {
        return failed(&AppError::NotFound);
    };
    match state.cases.batch.execute(id).await {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slugs_are_chosen_in_the_order_of_the_contract() {
        let query = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect::<Vec<_>>()
        };
        let pick = |pairs: &[(&str, &str)], body: Value| {
            let body = members(body.to_string().as_bytes())?;
            chosen(&query(pairs), &body)
        };
        let some = |slug: &str| Some(Some(slug.to_owned()));
        let all = [("slug", "c"), ("clientSlug", "a")];
        let body = json!({"clientSlug": "b", "slug": "d"});
        assert_eq!(pick(&all, body.clone()), some("a"));
        assert_eq!(pick(&[("slug", "c")], body), some("b"));
        assert_eq!(pick(&[("slug", "c")], json!({"slug": "d"})), some("c"));
        assert_eq!(pick(&[("slug", " ")], json!({"slug": " d "})), some("d"));
        assert_eq!(pick(&[], json!({"clientSlug": ""})), Some(None));
        assert_eq!(pick(&[], json!({"other": 1})), Some(None));
        for bad in [
            json!({"slug": 1}),
            json!({"clientSlug": null}),
            json!([]),
            json!("a"),
        ] {
            assert_eq!(pick(&[("clientSlug", "a")], bad.clone()), None, "{bad}");
        }
        assert_eq!(members(b" "), Some(Map::new()));
        assert_eq!(members(b"{"), None);
    }
}

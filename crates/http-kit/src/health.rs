//! `/livez`, `/readyz` and `/metrics`, for whoever runs the process.

use actix_web::{
    HttpResponse, Responder,
    http::{
        Method,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    web,
};
use runtime::Readiness;
use serde_json::{Map, Value, json};
use telemetry::Metrics;

use crate::resource;

/// Adds the three routes.
pub fn configure(config: &mut web::ServiceConfig, readiness: Readiness, metrics: Metrics) {
    let alive = web::to(async || plain("ok\n".to_owned()));
    let ready = web::to(move || {
        let readiness = readiness.clone();
        async move { ready(&readiness).await }
    });
    let metrics = web::to(move || {
        let text = metrics.render();
        async move {
            HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4"))
                .body(text)
        }
    });
    config
        .service(resource("/livez", [(Method::GET, alive)]))
        .service(resource("/readyz", [(Method::GET, ready)]))
        .service(resource("/metrics", [(Method::GET, metrics)]));
}

fn plain(text: String) -> impl Responder {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}

/// 200 when every check passed, else 503; either way with the result of each by name.
async fn ready(readiness: &Readiness) -> HttpResponse {
    let report = readiness.report().await;
    let checks: Map<String, Value> = report
        .checks
        .iter()
        .map(|check| {
            let result = check.problem.as_deref().unwrap_or("ok");
            (check.name.to_owned(), Value::from(result))
        })
        .collect();
    let mut response = if report.is_ready() {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({"ready": report.is_ready(), "checks": checks}))
}

#[cfg(test)]
mod tests {
    use actix_web::{App, test};

    use super::*;

    async fn get(readiness: &Readiness, path: &str) -> (u16, String) {
        let metrics = Metrics::new();
        let app = App::new().configure(|c| configure(c, readiness.clone(), metrics));
        let app = test::init_service(app).await;
        let request = test::TestRequest::get().uri(path).to_request();
        let response = test::call_service(&app, request).await;
        let status = response.status().as_u16();
        let body = test::read_body(response).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn a_process_that_is_not_ready_is_alive() {
        let readiness = Readiness::default();
        readiness.register("store", async || Ok(()));
        let (status, body) = get(&readiness, "/readyz").await;
        assert_eq!(
            (status, body.as_str()),
            (200, r#"{"checks":{"store":"ok"},"ready":true}"#)
        );
        readiness.register("bus", async || Err("closed".to_owned()));
        let (status, body) = get(&readiness, "/readyz").await;
        assert_eq!(status, 503);
        assert!(body.contains(r#""bus":"closed""#), "{body}");
        assert_eq!(get(&readiness, "/livez").await, (200, "ok\n".to_owned()));
        assert_eq!(get(&readiness, "/metrics").await.0, 200);
    }

    #[actix_web::test]
    async fn another_method_is_told_which_one_there_is() {
        let (readiness, metrics) = (Readiness::default(), Metrics::new());
        let app = App::new().configure(|c| configure(c, readiness, metrics));
        let app = test::init_service(app).await;
        for path in ["/livez", "/readyz", "/metrics"] {
            let request = test::TestRequest::post().uri(path).to_request();
            let response = test::call_service(&app, request).await;
            let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
            assert_eq!(response.status(), 405, "{path}");
            assert_eq!(header("allow"), "GET, HEAD");
            assert_eq!(header("content-type"), "application/problem+json");
        }
    }
}

use actix_web::{App, HttpResponse, http::header, middleware::from_fn, test, web};

use super::*;

async fn refuse() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

async fn panic() -> HttpResponse {
    panic!("defect")
}

const TRACEPARENT: (&str, &str) = (
    "traceparent",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
);

#[actix_web::test]
async fn a_request_is_measured_by_route_and_its_problem_names_the_trace() {
    let metrics = Metrics::new();
    let app = App::new()
        .app_data(Data::new(metrics.clone()))
        .wrap(from_fn(requests))
        .service(web::scope("/things").route("/{id}", web::get().to(refuse)));
    let app = test::init_service(app).await;
    let request = test::TestRequest::get().uri("/things/52998224725?x=1");
    let response = test::call_service(&app, request.insert_header(TRACEPARENT).to_request()).await;
    assert_eq!(response.status(), 404);
    let body: serde_json::Value = test::read_body_json(response).await;
    assert_eq!(body["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(body["instance"], "/things/52998224725");

    let missing = test::TestRequest::get()
        .uri("/nowhere/52998224725")
        .to_request();
    test::call_service(&app, missing).await;
    let text = metrics.render();
    assert!(
        text.contains(r#"route="/things/{id}",status="404""#),
        "{text}"
    );
    assert!(text.contains(r#"route="unmatched""#), "{text}");
    assert!(!text.contains("52998224725"), "{text}");
}

#[actix_web::test]
async fn a_panic_is_a_500_and_the_next_request_is_served() {
    let app = App::new()
        .wrap(from_fn(requests))
        .route("/panic", web::get().to(panic))
        .route("/", web::get().to(refuse));
    let app = test::init_service(app).await;
    let error = test::try_call_service(&app, test::TestRequest::get().uri("/panic").to_request())
        .await
        .err()
        .unwrap();
    let response = error.error_response();
    assert_eq!(response.status(), 500);
    let kind = response.headers().get(header::CONTENT_TYPE).unwrap();
    assert_eq!(kind, crate::problem::CONTENT_TYPE_PROBLEM);
    let next = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
    assert_eq!(next.status(), 404);
}

async fn told() -> HttpResponse {
    HttpResponse::Ok().body(ports::trace::current().unwrap())
}

#[actix_web::test]
async fn what_a_request_leaves_to_others_is_in_its_trace() {
    let app = App::new()
        .wrap(from_fn(requests))
        .route("/", web::get().to(told));
    let app = test::init_service(app).await;
    let request = test::TestRequest::get().insert_header(TRACEPARENT);
    let body = test::call_and_read_body(&app, request.to_request()).await;
    assert!(body.starts_with(b"00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    let untraced = test::TestRequest::get().to_request();
    let body = test::call_and_read_body(&app, untraced).await;
    assert_eq!(body.len(), TRACEPARENT.1.len());
    assert!(!body.starts_with(b"00-4bf92f3577b34da6a3ce929d0e0e4736-"));
}

#[actix_web::test]
async fn a_read_that_nobody_answers_ends_and_a_change_does_not() {
    async fn standstill() -> HttpResponse {
        std::future::pending().await
    }
    let app = App::new()
        .wrap(from_fn(requests))
        .route("/", web::get().to(standstill))
        .route("/", web::post().to(standstill));
    let app = test::init_service(app).await;
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let read = test::try_call_service(&app, test::TestRequest::get().to_request()).await;
    let response = read.err().unwrap().error_response();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(begun.elapsed().as_secs(), READ_WITHIN.as_secs());
    let change = test::try_call_service(&app, test::TestRequest::post().to_request());
    assert!(
        tokio::time::timeout(10 * READ_WITHIN, change)
            .await
            .is_err()
    );
}

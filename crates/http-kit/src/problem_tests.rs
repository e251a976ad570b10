use actix_web::{body::to_bytes, http::header};
use serde_json::json;

use super::*;

async fn sent(problem: &Problem) -> Value {
    let body = to_bytes(problem.to_response().into_body()).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[actix_web::test]
async fn carries_every_member_headers_and_extras() {
    let context = RequestContext {
        method: actix_web::http::Method::GET,
        errors: None,
        trace_id: TraceId::random(),
        traceparent: String::new(),
        path: "/api/v1/audiences/aud_1".into(),
    };
    let trace_id = context.trace_id.to_string();
    let problem = Problem::conflict("plan_stale")
        .with_detail("The audience has changed.")
        .with_violations(vec![Violation::new("/plan", "stale", "Plan again.")])
        .with_retry_after(Duration::from_millis(1200))
        .with_member("counts", json!({"removed": 3}));
    let (body, response) = context
        .scope(async { (sent(&problem).await, problem.to_response()) })
        .await;
    assert_eq!(
        body,
        json!({
            "type": "about:blank", "title": "Conflict", "status": 409, "code": "plan_stale",
            "detail": "The audience has changed.", "instance": "/api/v1/audiences/aud_1",
            "errors": [{"pointer": "/plan", "code": "stale", "detail": "Plan again."}],
            "trace_id": trace_id, "counts": {"removed": 3},
        })
    );
    assert_eq!(
        response.headers().get("content-type").unwrap(),
        CONTENT_TYPE_PROBLEM
    );
    assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "2");
}

#[actix_web::test]
async fn an_internal_error_tells_only_its_trace_id() {
    let cause = StoreError::Internal("password=hunter2".into());
    let body = sent(&Problem::from(cause)).await;
    let members: Vec<_> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        ["code", "detail", "status", "title", "trace_id", "type"]
    );
    assert!(!body["detail"].as_str().unwrap().contains("hunter2"));
    assert_eq!(body["status"], 500);
    assert_eq!(body["trace_id"].as_str().unwrap().len(), 32);
}

#[actix_web::test]
async fn store_errors_have_their_statuses() {
    let unavailable = Problem::from(StoreError::Unavailable("down".into()));
    assert_eq!(unavailable.status(), 503);
    assert_eq!(unavailable.headers()[0].0, header::RETRY_AFTER);
    assert_eq!(Problem::from(StoreError::DiskFull).status(), 507);
    assert_eq!(Problem::from(StoreError::StaleVersion).status(), 503);
    let twice = Problem::from(StoreError::Conflict {
        constraint: ports::constraint::WRITE_ID,
    });
    assert_eq!(twice.status(), 503, "the same call may succeed");
    assert_eq!(
        Problem::from(StoreError::Conflict {
            constraint: "other"
        })
        .status(),
        409
    );
    assert_eq!(Problem::from(StoreError::Corrupt("row")).status(), 500);
}

#[test]
fn every_problem_has_a_detail() {
    let broken = vec![Violation::new("/name", "too_long", "Too long.")];
    assert_eq!(Problem::unprocessable(broken).detail(), "Too long.");
    for status in (400..=599).filter_map(|status| StatusCode::from_u16(status).ok()) {
        let problem = Problem::new(status, "code");
        assert!(!problem.detail().is_empty(), "{status}");
        assert!(!problem.with_detail("").detail().is_empty(), "{status}");
    }
    assert_eq!(Problem::not_found().with_detail("Own.").detail(), "Own.");
}

#[test]
fn a_condition_that_is_not_supported_names_the_problem() {
    let unsupported = || Violation::new("/kind", "unsupported_condition", "Not here.");
    let alone = Problem::unprocessable(vec![unsupported(), unsupported()]);
    assert_eq!(alone.code(), "unsupported_condition");
    let broken = Violation::new("/name", "too_long", "Too long.");
    let both = Problem::unprocessable(vec![unsupported(), broken]);
    assert_eq!(both.code(), "validation_failed");
}

#[test]
fn unauthorized_challenges() {
    let response = Problem::unauthorized("unauthorized").to_response();
    assert_eq!(
        response.headers().get(header::WWW_AUTHENTICATE).unwrap(),
        "Bearer"
    );
}

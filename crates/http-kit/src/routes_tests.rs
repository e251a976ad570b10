use std::time::Duration;

use actix_web::{
    App,
    http::header::{CONTENT_TYPE, HeaderMap},
    test::{TestRequest, call_service, init_service},
};
use async_trait::async_trait;
use domain::shared::{Instant, OperationId, WorkspaceId};
use ports::{
    StoreError,
    auth::{ApiKeyOwner, ApiKeyStore},
};
use runtime::Changes;
use serde::Deserialize;
use tokio::{runtime::Handle, sync::Semaphore};

use super::*;
use crate::{
    Answer, ApiContext, ApiResult, Authenticator, Caller, Id, Idempotent, Ids, JsonBody, Query,
    Sealer, fallbacks,
};

/// Keys that take their time, so that whatever is read beside them is read first.
struct Slow;

#[async_trait]
impl ApiKeyStore for Slow {
    async fn owner_of(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyOwner>, StoreError> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let workspace = WorkspaceId::parse("ws1").unwrap();
        let key_id = "k".into();
        let known = *hash == crate::idempotency::content_hash(b"key");
        Ok(known.then_some(ApiKeyOwner { workspace, key_id }))
    }

    async fn ensure(&self, _: &[u8; 32], _: &ApiKeyOwner, _: Instant) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    _a: Option<String>,
}

#[derive(Deserialize)]
struct Number {
    number: i64,
}

mod handlers {
    use super::*;

    #[utoipa::path(post, path = "/things/{id}", responses((status = 200)))]
    pub async fn write(
        caller: Caller<i64>,
        Query(_which): Query<Which>,
        Id(_id): Id<OperationId>,
        Idempotent(once, JsonBody(body)): Idempotent<JsonBody<Number>>,
    ) -> ApiResult {
        once.run(move |_| async move { Ok(Answer::ok(&(body.number + *caller))) })
            .await
    }

    #[utoipa::path(get, path = "/things/{id}", responses((status = 200)))]
    pub async fn read(_: Caller<i64>, Id(id): Id<OperationId>) -> ApiResult {
        Ok(Answer::ok(&id.to_string()))
    }

    #[utoipa::path(get, path = "/things/{id}/parts/{part}", responses((status = 200)))]
    pub async fn part(_: Caller<i64>, Ids(_id, part): Ids<OperationId, String>) -> ApiResult {
        Ok(Answer::ok(&part))
    }

    #[utoipa::path(get, path = "/things/first", responses((status = 200)))]
    pub async fn first(_: Caller<i64>) -> ApiResult {
        Ok(Answer::ok(&"first"))
    }
}

crate::routes!(i64; handlers::{write, read, part, first});

fn api() -> Arc<Api<i64>> {
    let changes = Changes::new(Handle::current(), Default::default());
    let context = ApiContext {
        authenticator: Authenticator::new(Arc::new(Slow)),
        idempotency: crate::idempotency::tests::wrapper(),
        changes,
        sealer: Sealer::new(&[1; 32]),
        body_limit: 30,
        streams: Arc::new(Semaphore::new(1)),
        stopping: Default::default(),
    };
    Api::new(context, 40)
}

async fn sent(request: TestRequest) -> (u16, HeaderMap, String) {
    let app = App::new()
        .configure(fallbacks)
        .configure(routes().serve(&api()));
    let response = call_service(&init_service(app).await, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = actix_web::test::read_body(response).await;
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

fn post(path: &str, key: &str, body: &str) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header(("authorization", format!("Bearer {key}")))
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(body.to_owned())
}

#[actix_web::test]
async fn arguments_are_read_in_their_order_after_the_caller_is_known() {
    let too_large = format!("{{\"number\": 1, \"more\": \"{}\"}}", "x".repeat(40));
    for (path, key, body, status) in [
        ("/things/x?b=1", "other", too_large.as_str(), 401),
        ("/things/x?b=1", "key", &too_large, 400),
        ("/things/x?_a=1", "key", &too_large, 404),
        ("/things/op_1", "key", &too_large, 413),
        ("/things/op_1", "key", "{", 400),
        ("/things/op_1", "key", "{}", 422),
    ] {
        let wrong_key = post(path, key, body).insert_header(("idempotency-key", ""));
        assert_eq!(sent(wrong_key).await.0, status, "{path} {key} {body}");
    }
    let wrong_key = post("/things/op_1", "key", "{\"number\": 2}");
    let wrong_key = wrong_key.insert_header(("idempotency-key", ""));
    let (status, _, text) = sent(wrong_key).await;
    assert!(status == 400 && text.contains("invalid_idempotency_key"));
    let (status, _, text) = sent(post("/things/op_1", "key", "{\"number\": 2}")).await;
    assert_eq!((status, text.as_str()), (200, "42"));
}

fn get(path: &str) -> TestRequest {
    let request = TestRequest::get().uri(path);
    request.insert_header(("authorization", "Bearer key"))
}

#[actix_web::test]
async fn a_parameter_of_a_path_may_hold_any_text() {
    for (written, read) in [("a%2Fb", "a/b"), ("50%25", "50%"), ("a%2B%C3%A9", "a+é")] {
        let (status, _, text) = sent(get(&format!("/things/1/parts/{written}"))).await;
        assert_eq!((status, text), (200, format!("\"{read}\"")), "{written}");
    }
}

#[actix_web::test]
async fn a_literal_part_goes_before_a_parameter() {
    assert_eq!(sent(get("/things/first")).await.2, "\"first\"");
    assert_eq!(sent(get("/things/7")).await.2, "\"op_7\"");
}

#[actix_web::test]
async fn another_method_is_told_which_there_are() {
    let (status, headers, _) = sent(TestRequest::patch().uri("/things/1")).await;
    let allow = headers.get("allow").unwrap().to_str().unwrap();
    assert_eq!((status, allow), (405, "GET, HEAD, POST"));
    assert_eq!(sent(TestRequest::get().uri("/thing")).await.0, 404);
}

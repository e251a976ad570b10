use actix_web::{
    App, HttpResponse,
    http::header::{CONTENT_LENGTH, ETAG, HeaderMap},
    middleware::from_fn,
    test, web,
};
use futures::stream;

use super::*;

const PATIENCE: Duration = Duration::from_millis(50);

async fn answer(request: test::TestRequest) -> ServiceResponse<impl MessageBody> {
    let listed = web::resource("/list/{name}")
        .route(web::get().to(async || {
            HttpResponse::Ok()
                .insert_header((ETAG, "\"1\""))
                .body("four")
        }))
        .route(web::post().to(async |body: web::Bytes| HttpResponse::Ok().body(body)));
    let streamed = web::resource("/stream").route(web::get().to(async || {
        let endless = stream::repeat_with(|| Ok::<_, Error>(Bytes::from_static(b"more")));
        HttpResponse::Ok().streaming(endless)
    }));
    let exchange = from_fn(|request, next| serve(request, next, PATIENCE));
    let app = App::new().service(listed).service(streamed).wrap(exchange);
    test::call_service(&test::init_service(app).await, request.to_request()).await
}

fn code(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn head_answers_as_get_without_a_body() {
    let headers = async |method: Method, path: &str| -> (u16, HeaderMap, BodySize) {
        let response = answer(test::TestRequest::with_uri(path).method(method)).await;
        let size = response.response().body().size();
        (response.status().as_u16(), response.headers().clone(), size)
    };
    for path in ["/list/a", "/stream", "/nowhere"] {
        let (status, got, size) = headers(Method::GET, path).await;
        let (head_status, head, head_size) = headers(Method::HEAD, path).await;
        assert_eq!((status, size), (head_status, head_size), "{path}");
        assert_eq!(got.get(ETAG), head.get(ETAG), "{path}");
        let response = answer(test::TestRequest::with_uri(path).method(Method::HEAD)).await;
        assert_eq!(test::read_body(response).await, "", "{path}");
    }
}

#[actix_web::test]
async fn text_that_is_not_utf8_is_refused_wherever_it_stands() {
    let latin = actix_web::http::header::HeaderValue::from_bytes(b"caf\xe9").unwrap();
    for request in [
        test::TestRequest::with_uri("/list/%E9"),
        test::TestRequest::with_uri("/list/a?name=%ff"),
        test::TestRequest::with_uri("/list/a").insert_header(("x-name", latin)),
    ] {
        let response = answer(request).await;
        assert_eq!(response.status(), 400);
        assert_eq!(code(&test::read_body(response).await), "invalid_utf8");
    }
    let right = test::TestRequest::with_uri("/list/%C3%A9?name=%C3%A9");
    let right = right.insert_header(("x-name", "café"));
    assert_eq!(answer(right).await.status(), 200);
}

#[actix_web::test]
async fn a_body_that_came_whole_keeps_the_connection() {
    for path in ["/list/a", "/nowhere"] {
        let request = test::TestRequest::with_uri(path).method(Method::POST);
        let request = request
            .insert_header((CONTENT_LENGTH, 3))
            .set_payload("abc");
        let response = answer(request).await;
        let closes = response.response().head().connection_type() == ConnectionType::Close;
        assert!(!closes, "{path}");
    }
}

#[actix_web::test]
async fn an_old_client_gets_no_chunks() {
    let request = |version| test::TestRequest::with_uri("/stream").version(version);
    let old = answer(request(Version::HTTP_10)).await;
    let head = old.response().head();
    assert!(!head.chunked());
    assert_eq!(head.connection_type(), ConnectionType::Close);
    assert!(
        answer(request(Version::HTTP_11))
            .await
            .response()
            .head()
            .chunked()
    );
}

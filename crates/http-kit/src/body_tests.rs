use actix_web::test::TestRequest;
use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Colour {
    Red,
    Green,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Item {
    #[serde(rename = "a/b")]
    count: u32,
    colour: Option<Colour>,
}

fn broken(json: &str) -> (String, &'static str, String) {
    match parse::<Order>(json.as_bytes()) {
        Err(BodyError::Invalid(v)) => (v.pointer, v.code, v.detail),
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn the_place_of_a_wrong_value_is_a_json_pointer() {
    let (pointer, code, detail) = broken(r#"{"name":"x","items":[{"a/b":"529.982.247-25"}]}"#);
    assert_eq!((pointer.as_str(), code), ("/items/0/a~1b", "invalid_type"));
    assert_eq!(detail, "Expected a whole number from 0 on.");
    assert_eq!(broken(r#"{"items":[]}"#).0, "/name");
    assert_eq!(broken(r#"{"items":[]}"#).1, "required");
    let (pointer, code, _) = broken(r#"{"name":"x","nope":1}"#);
    assert_eq!((pointer.as_str(), code), ("/nope", "unknown_member"));
    let (pointer, code, detail) = broken(r#"{"name":"x","items":[{"a/b":1,"colour":"blue"}]}"#);
    assert_eq!(
        (pointer.as_str(), code),
        ("/items/0/colour", "unknown_value")
    );
    assert_eq!(detail, "Expected `red` or `green`.");
    let (pointer, code, _) = broken(r#"{"name":"x","name":"y"}"#);
    assert_eq!((pointer.as_str(), code), ("/name", "duplicate_member"));
    assert_eq!(
        broken(r#"{"name":"x","items":[{"a/b":-1}]}"#).1,
        "invalid_value"
    );
    assert_eq!(broken("7").0, "");
}

#[test]
fn no_error_repeats_what_was_sent() {
    for json in [
        r#"{"name":"x","items":"529.982.247-25"}"#,
        r#"{"name":"x","items":[{"a/b":1,"colour":"529.982.247-25"}]}"#,
        r#"{"name":"x","items":"a, expected 529.982.247-25"}"#,
    ] {
        assert!(!broken(json).2.contains("529"), "{json}");
    }
}

#[test]
fn malformed_documents_have_line_and_column() {
    for (json, line, column) in [
        ("{\"name\":\n}", 2, 1),
        ("{\"name\":\"x\"} x", 1, 14),
        ("{\"name\":1,", 1, 10),
        (&"[".repeat(500), 1, 500),
    ] {
        assert_eq!(
            parse::<Order>(json.as_bytes()),
            Err(BodyError::Malformed { line, column })
        );
    }
    assert_eq!(parse::<Order>(b" \n"), Err(BodyError::Missing));
    assert!(parse::<Order>(b"{\"name\":\"x\"} \n").is_ok());
}

async fn received(request: TestRequest, limit: usize) -> Result<Bytes, BodyError> {
    let (request, payload) = request.to_http_parts();
    read_json(payload, request.headers(), limit).await
}

fn json() -> TestRequest {
    TestRequest::post().insert_header((CONTENT_TYPE, "application/json; charset=utf-8"))
}

#[actix_web::test]
async fn bodies_are_limited_before_they_are_kept() {
    assert_eq!(
        received(json().set_payload("12345"), 5).await.as_deref(),
        Ok(&b"12345"[..])
    );
    let too_large = Err(BodyError::TooLarge { limit: 4 });
    assert_eq!(received(json().set_payload("12345"), 4).await, too_large);
    let declared = json().insert_header((CONTENT_LENGTH, "5"));
    assert_eq!(received(declared, 4).await, too_large);
}

#[actix_web::test]
async fn only_json_is_taken() {
    let typed = |value: &'static str| TestRequest::post().insert_header((CONTENT_TYPE, value));
    for good in [
        "application/json",
        "Application/JSON",
        "application/cloudevents+json",
    ] {
        assert!(
            received(typed(good).set_payload("{}"), 9).await.is_ok(),
            "{good}"
        );
    }
    for bad in [
        "text/plain",
        "application/x-json",
        "text/foo+json",
        "application/jsonp",
    ] {
        let result = received(typed(bad).set_payload("{}"), 9).await;
        assert_eq!(result, Err(BodyError::UnsupportedMediaType), "{bad}");
    }
    let untyped = received(TestRequest::post().set_payload("{}"), 9).await;
    assert_eq!(untyped, Err(BodyError::UnsupportedMediaType));
    assert_eq!(
        received(TestRequest::post(), 9).await,
        Err(BodyError::Missing)
    );
    assert_eq!(received(json(), 9).await, Err(BodyError::Missing));
    let packed = json()
        .insert_header((CONTENT_ENCODING, "br"))
        .set_payload("{}");
    assert_eq!(
        received(packed, 9).await,
        Err(BodyError::UnsupportedEncoding)
    );
    let broken = json()
        .insert_header((CONTENT_ENCODING, "gzip"))
        .set_payload("{}");
    assert_eq!(received(broken, 9).await, Err(BodyError::Unreadable));
}

#[test]
fn half_of_an_emoji_is_the_replacement_character() {
    let order = parse::<Order>(br#"{"name":"Ana \ud83d"}"#).unwrap();
    assert_eq!(order.name, "Ana \u{fffd}");
    assert_eq!(
        broken(r#"{"name":"\ud83d","items":[{"a/b":"x"}]}"#).0,
        "/items/0/a~1b"
    );
    let error = parse::<Order>(br#"{"name":"\ud83d",}"#).unwrap_err();
    let place = BodyError::Malformed {
        line: 1,
        column: 18,
    };
    assert_eq!(error, place);
}

#[test]
fn each_face_chooses_its_status_for_broken_rules() {
    let error = parse::<Order>(b"{}").unwrap_err();
    assert_eq!(Problem::from(error.clone()).status(), 422);
    let problem = error.into_problem(StatusCode::BAD_REQUEST);
    assert_eq!(
        (problem.status().as_u16(), problem.code()),
        (400, "validation_failed")
    );
    assert_eq!(problem.errors()[0].pointer, "/name");
}

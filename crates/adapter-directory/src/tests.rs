use std::{error::Error, net::SocketAddr};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::*;

/// Answers as the workspace of the question says.
async fn answer(request: HttpRequest, question: web::Json<Value>) -> HttpResponse {
    let token = request.headers().get(SERVICE_HEADER);
    if token.is_none_or(|token| token != "secret") {
        return HttpResponse::Unauthorized().finish();
    }
    match question.pointer("/workspace").and_then(Value::as_str) {
        Some("known") => HttpResponse::Ok().json(match question.pointer("/ask") {
            Some(Value::String(ask)) if ask == "time_zone" => json!("America/Manaus"),
            Some(ask) if ask.get("has_audience") == Some(&json!(7)) => json!(true),
            Some(ask) => ask.get("unknown_customers").cloned().unwrap_or_default(),
            None => Value::Null,
        }),
        Some("html") => HttpResponse::Ok().body("<html>"),
        Some("large") => HttpResponse::Ok().body(vec![b' '; LARGEST + 1]),
        _ => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn served() -> SocketAddr {
    let app = || App::new().route(DIRECTORY_PATH, web::post().to(answer));
    let server = HttpServer::new(app).workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    drop(actix_web::rt::spawn(server.run()));
    address
}

fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

#[actix_web::test]
async fn answers_are_read() {
    let directory = HttpDirectory::new(&format!("http://{}/", served()), "secret").unwrap();
    let known = workspace("known");
    let unknown = directory.unknown_customers(&known, &[i64::MAX, 3]).await;
    assert_eq!(unknown.unwrap(), [i64::MAX, 3]);
    let there = directory
        .has_audience(&known, AudienceId::from_raw(7))
        .await;
    assert!(there.unwrap());
    let zone = directory.time_zone(&known).await.unwrap();
    assert_eq!(zone, TimeZone::America__Manaus);
}

#[actix_web::test]
async fn what_cannot_be_answered_is_told_without_the_question() {
    let address = served();
    let url = format!("http://{address}");
    let directory = HttpDirectory::new(&url, "secret").unwrap();
    let stranger = HttpDirectory::new(&url, "other").unwrap();
    let gone = HttpDirectory::new("http://127.0.0.1:1", "secret").unwrap();
    for (asked, ws, unavailable) in [
        (&directory, "html", false),
        (&directory, "large", true),
        (&directory, "away", true),
        (&stranger, "known", true),
        (&gone, "known", true),
    ] {
        let error = asked.time_zone(&workspace(ws)).await.unwrap_err();
        assert_eq!(
            matches!(error, StoreError::Unavailable(_)),
            unavailable,
            "{ws}"
        );
        let mut told = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(error) = source {
            told.push_str(&error.to_string());
            source = error.source();
        }
        assert!(
            !told.contains("secret") && !told.contains("/internal"),
            "{told}"
        );
    }
}

#[test]
fn urls_that_cannot_be_asked_are_refused() {
    for url in ["", "audience-service:8080", "ftp://a/", "http://"] {
        assert!(
            matches!(HttpDirectory::new(url, "secret"), Err(DirectoryError::Url)),
            "{url}"
        );
    }
    assert!(HttpDirectory::new("https://a/base/", "secret").is_ok());
}

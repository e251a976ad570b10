//! What a request is answered other than with a result.

use std::{sync::Arc, time::Duration};

use adapter_bigquery::{BigQuery, Column, Error, Mode, Settings, SystemTimer, Timeouts, Type};
use ports::ErrorClass;
use serde_json::{Value as Json, json};

use crate::fake::{Answer, Fake, Pauses, Reached, bytes, page, query, refusal, running};

/// What beginning a query comes to that is answered like this, the pauses and the numbers of requests.
async fn begun(
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<(), Error>, Vec<Duration>, Vec<String>) {
    let fake = Fake::start(answers);
    let (client, pauses) = fake.client();
    let outcome = client.run(&query()).await.map(drop);
    let asked = fake.asked().into_iter();
    let numbers = asked.map(|asked| asked.body["requestId"].as_str().unwrap().to_owned());
    (outcome, pauses.made(), numbers.collect())
}

fn html() -> Answer {
    Answer::Text(
        200,
        "text/html",
        b"<!doctype html><h1>Sign in</h1>".to_vec(),
    )
}

#[tokio::test]
async fn a_dry_run_tells_the_bytes_and_limits_nothing() {
    let fake = Fake::start([bytes(123_456_789_012)]);
    assert_eq!(fake.client().0.dry_run(&query()).await, Ok(123_456_789_012));
    let body = fake.asked().pop().unwrap().body;
    assert_eq!(body["dryRun"], true);
    assert_eq!(body["queryParameters"][0]["name"], "name");
    for absent in ["maximumBytesBilled", "requestId", "jobTimeoutMs"] {
        assert_eq!(body[absent], Json::Null, "{absent}");
    }
    let fake = Fake::start([Answer::Json(200, json!({ "jobComplete": true }))]);
    let outcome = fake.client().0.dry_run(&query()).await;
    assert_eq!(outcome, Err(Error::Malformed("no_bytes")));
}

#[tokio::test]
async fn what_is_refused_for_good_is_asked_once() {
    let limit = "Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.";
    let over = Error::BytesLimit {
        limit: 1_000_000,
        needed: Some(10_485_760),
    };
    let denied = Error::Forbidden {
        reason: "accessDenied".to_owned(),
    };
    let invalid = Error::InvalidQuery {
        message: "Bad int64 value".to_owned(),
    };
    let invalid_value = "Bad int64 value: a-private-value";
    for (answer, error) in [
        (refusal(400, "bytesBilledLimitExceeded", limit), over),
        (
            refusal(403, "accessDenied", "Access Denied: Table p:d.t"),
            denied,
        ),
        (
            refusal(401, "authError", "Invalid Credentials"),
            Error::Unauthorized,
        ),
        (
            refusal(404, "notFound", "Not found: Dataset p:d"),
            Error::NotFound { what: "data set" },
        ),
        (refusal(400, "invalidQuery", invalid_value), invalid),
        (html(), Error::NotJson { status: 200 }),
        (
            Answer::Text(403, "text/html", b"<h1>Blocked</h1>".to_vec()),
            Error::NotJson { status: 403 },
        ),
        (
            Answer::Text(200, "application/json", b"{\"jobReference\":".to_vec()),
            Error::Malformed("unexpected_json"),
        ),
        (
            Answer::Text(204, "application/json", vec![]),
            Error::Malformed("unexpected_status"),
        ),
        (
            Answer::Text(302, "text/html", vec![]),
            Error::Refused("redirected"),
        ),
    ] {
        let (outcome, pauses, numbers) = begun([answer]).await;
        assert_eq!(error.class(), ErrorClass::Permanent);
        assert_eq!(outcome, Err(error));
        assert_eq!((pauses.len(), numbers.len()), (0, 1));
    }
}

#[tokio::test]
async fn a_limit_is_also_told_by_a_job_that_has_begun() {
    let limit = refusal(400, "bytesBilledLimitExceeded", "Over.");
    let fake = Fake::start([running(), limit]);
    let mut rows = fake.client().0.run(&query()).await.unwrap();
    let over = Error::BytesLimit {
        limit: 1_000_000,
        needed: None,
    };
    assert_eq!(rows.next_page().await, Err(over));
    drop(rows);
    assert!(fake.cancelled().is_empty(), "it has ended");
}

#[tokio::test]
async fn what_fails_for_a_while_is_asked_again_under_the_same_number() {
    let cut = || Answer::Cut(b"{\"jobComplete\":true".to_vec());
    for failing in [
        Answer::Later(503, "0"),
        Answer::Text(502, "text/html", b"<h1>Bad gateway</h1>".to_vec()),
        refusal(500, "backendError", "Try again"),
        refusal(403, "rateLimitExceeded", "Slower"),
        cut(),
    ] {
        let (outcome, pauses, numbers) = begun([failing.clone(), failing, page(0, [], None)]).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(numbers.len(), 3);
        assert!(
            numbers.iter().all(|number| *number == numbers[0]),
            "{numbers:?}"
        );
        let seconds: Vec<_> = pauses.iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [1, 2], "and a random part of a second");
    }
    let (outcome, pauses, _) = begun([refusal(503, "backendError", "Try again")]).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    assert_eq!(error.to_string(), "unavailable: server_error");
    let total: Duration = pauses.iter().sum();
    assert!(
        (25..60).contains(&total.as_secs()),
        "within the query's time: {total:?}"
    );
}

#[tokio::test]
async fn retry_after_is_obeyed_unless_it_takes_too_long() {
    let (outcome, pauses, _) = begun([Answer::Later(429, "17"), page(0, [], None)]).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(pauses, [Duration::from_secs(17)]);

    let (outcome, pauses, numbers) = begun([Answer::Later(429, "61")]).await;
    let retry_after = Some(Duration::from_secs(61));
    assert_eq!(outcome, Err(Error::RateLimited { retry_after }));
    assert_eq!((pauses.len(), numbers.len()), (0, 1));
}

#[tokio::test]
async fn a_job_that_failed_is_begun_anew_or_told() {
    let failed = || refusal(400, "jobRateLimitExceeded", "Too many");
    let (outcome, _, numbers) = begun([failed(), page(0, [], None)]).await;
    assert_eq!(outcome, Ok(()));
    assert_ne!(numbers[0], numbers[1]);

    let fake = Fake::start([running(), failed()]);
    let (client, pauses) = fake.client();
    let mut rows = client.run(&query()).await.unwrap();
    let told = rows.next_page().await;
    assert_eq!(told, Err(Error::RateLimited { retry_after: None }));
    assert!(pauses.made().is_empty(), "the job stays failed");
}

#[tokio::test]
async fn a_page_that_fails_for_long_can_be_asked_for_again() {
    let failing = Answer::Later(503, "3600");
    let fake = Fake::start([page(2, [1], Some("a")), failing, page(2, [2], None)]);
    let mut rows = fake.client().0.run(&query()).await.unwrap();
    assert_eq!(rows.next_page().await.unwrap().unwrap().len(), 1);
    let error = rows.next_page().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    assert_eq!(rows.next_page().await.unwrap().unwrap().len(), 1);
    assert_eq!(rows.next_page().await, Ok(None));
}

#[tokio::test]
async fn answers_are_limited_in_size_and_time() {
    let outcome = async |answer: Answer| {
        let fake = Fake::start([answer]);
        let settings = Settings {
            largest_answer: 1_000,
            timeouts: Timeouts {
                idle: Duration::from_millis(200),
                ..Timeouts::default()
            },
            ..fake.settings()
        };
        let client = BigQuery::new(&settings, Arc::new(Pauses::default())).unwrap();
        client.dry_run(&query()).await
    };
    let large = json!({ "kind": " ".repeat(1_000) })
        .to_string()
        .into_bytes();
    let announced = Answer::Text(200, "application/json", large.clone());
    let too_large = Err(Error::Malformed("answer_too_large"));
    assert_eq!(outcome(announced).await, too_large);
    assert_eq!(outcome(Answer::Pieces(large)).await, too_large);
    let error = outcome(Answer::Silence).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: timeout");
}

#[tokio::test]
async fn a_table_tells_its_columns_or_that_it_is_missing() {
    let fields = json!([
        { "name": "id", "type": "INTEGER", "mode": "REQUIRED" },
        { "name": "at", "type": "DATETIME" },
        { "name": "items", "type": "RECORD", "mode": "REPEATED", "fields": [
            { "name": "price", "type": "NUMERIC", "mode": "NULLABLE" } ] },
    ]);
    let fake = Fake::start([
        Answer::Json(
            200,
            json!({ "kind": "bigquery#table", "schema": { "fields": fields } }),
        ),
        Answer::Json(200, json!({ "kind": "bigquery#table" })),
        refusal(404, "notFound", "Not found: Table p:d.t"),
        refusal(404, "notFound", "Not found: Dataset p:d"),
        refusal(404, "notFound", "Not found: Project p"),
        Answer::Text(404, "text/html", b"<h1>404</h1>".to_vec()),
    ]);
    let (client, _) = fake.client();
    let column = |name: &str, of_type, mode, fields| Column {
        name: name.to_owned(),
        of_type,
        mode,
        fields,
    };
    let price = column("price", Type::Numeric, Mode::Nullable, vec![]);
    let other = Type::Other("DATETIME".to_owned());
    let expected = vec![
        column("id", Type::Int64, Mode::Required, vec![]),
        column("at", other, Mode::Nullable, vec![]),
        column("items", Type::Record, Mode::Repeated, vec![price]),
    ];
    assert_eq!(client.table("d", "t/../x y").await, Ok(Some(expected)));
    assert_eq!(client.table("d", "t").await, Ok(Some(vec![])));
    assert_eq!(client.table("d", "t").await, Ok(None));
    assert_eq!(client.table("d", "t").await, Ok(None));
    assert_eq!(
        client.table("d", "t").await,
        Err(Error::NotFound { what: "project" })
    );
    assert_eq!(
        client.table("d", "t").await,
        Err(Error::NotJson { status: 404 })
    );
    assert_eq!(client.table("..", "t").await, Err(Error::Settings("table")));
    let first = &fake.asked()[0].path;
    assert_eq!(
        first,
        "/bigquery/v2/projects/p/datasets/d/tables/t%2F..%2Fx%20y?view=BASIC"
    );
}

#[tokio::test]
async fn nobody_there_and_strange_certificates_are_told_apart() {
    let fake = Fake::start([html()]);
    let address = fake.url.strip_prefix("http://127.0.0.1:").unwrap();
    let front = test_kit::tls::Front::start(
        "localhost",
        ("127.0.0.1".to_owned(), address.parse().unwrap()),
        None,
    );
    let mut settings = fake.settings();
    settings.endpoint = format!("https://localhost:{}", front.await.port);
    let client = BigQuery::new(&settings, Arc::new(SystemTimer)).unwrap();
    let outcome = client.dry_run(&query()).await;
    assert_eq!(outcome, Err(Error::Refused("invalid_certificate")));

    settings.endpoint = "http://127.0.0.1:1".to_owned();
    let client = BigQuery::new(&settings, Arc::new(Pauses::default())).unwrap();
    let error = client.dry_run(&query()).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: not_reachable");
}

//! Jobs, from their beginning to the last page.

use std::time::Duration;

use adapter_bigquery::{Bytes, Error, Rows, Value};
use futures::FutureExt;
use serde_json::{Value as Json, json};

use crate::fake::{Answer, Fake, Reached, page, query, refusal, running};

async fn ids(rows: &mut Rows) -> Result<Vec<Vec<i64>>, Error> {
    let mut pages = Vec::new();
    while let Some(page) = rows.next_page().await? {
        let ids = page.into_iter().map(|row| match row.as_slice() {
            [Value::Int(id)] => *id,
            other => panic!("{other:?}"),
        });
        pages.push(ids.collect());
    }
    Ok(pages)
}

/// What comes of a query that is answered like this.
async fn outcome(
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<Vec<Vec<i64>>, Error>, Fake) {
    let fake = Fake::start(answers);
    let (client, _) = fake.client();
    let outcome = async {
        let mut rows = client.run(&query()).await?;
        ids(&mut rows).await
    };
    (outcome.await, fake)
}

#[tokio::test]
async fn pages_follow_their_tokens_and_the_job_its_location() {
    let fake = Fake::start([
        page(5, [1, 2], Some("to/2")),
        page(5, [3, 4], Some("to 3")),
        page(5, [], Some("to4")),
        page(5, [5], None),
    ]);
    let (client, pauses) = fake.client();
    let mut rows = client.run(&query()).await.unwrap();
    assert_eq!(
        ids(&mut rows).await.unwrap(),
        [vec![1, 2], vec![3, 4], vec![5]]
    );
    assert_eq!((rows.total(), rows.columns().len()), (Some(5), 1));
    let bytes = Bytes {
        processed: 2_048,
        billed: 10_485_760,
    };
    assert_eq!(rows.bytes().await.unwrap(), bytes);
    assert_eq!(rows.next_page().await.unwrap(), None);
    drop(rows);
    let asked = fake.asked();
    let [begun, pages @ ..] = asked.as_slice() else {
        panic!()
    };
    assert_eq!(
        (begun.method.as_str(), begun.path.as_str()),
        ("POST", "/bigquery/v2/projects/p/queries")
    );
    let body = &begun.body;
    let request_id = body["requestId"].as_str().unwrap();
    assert!(request_id.len() <= 36, "{request_id}");
    for (member, value) in [
        ("maximumBytesBilled", json!("1000000")),
        ("jobTimeoutMs", json!("60000")),
        ("timeoutMs", json!(10_000)),
        ("maxResults", json!(10_000)),
        ("useLegacySql", json!(false)),
        ("formatOptions", json!({ "useInt64Timestamp": true })),
    ] {
        assert_eq!(body[member], value, "{member}");
    }
    let expected = ["to%2F2", "to+3", "to4"].map(|token| {
        format!(
            "/bigquery/v2/projects/p/queries/job-1?location=southamerica-east1&maxResults=10000\
             &timeoutMs=10000&formatOptions.useInt64Timestamp=true&pageToken={token}"
        )
    });
    let paths: Vec<_> = pages.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, expected);
    assert!(pauses.made().is_empty());
}

#[tokio::test]
async fn a_running_job_is_polled_until_it_has_ended() {
    let Answer::Json(_, mut last) = page(2, [1, 2], None) else {
        panic!()
    };
    last["totalBytesBilled"] = Json::Null;
    let statistics = json!({ "totalBytesProcessed": "7", "totalBytesBilled": "0" });
    let fake = Fake::start([
        running(),
        running(),
        running(),
        Answer::Json(200, last),
        Answer::Json(200, json!({ "statistics": { "query": statistics } })),
    ]);
    let (client, pauses) = fake.client();
    let mut rows = client.run(&query()).await.unwrap();
    assert_eq!((rows.total(), fake.asked().len()), (None, 1));
    assert_eq!(ids(&mut rows).await.unwrap(), [vec![1, 2]]);
    assert_eq!(pauses.made(), [100, 200].map(Duration::from_millis));
    assert_eq!(
        rows.bytes().await.unwrap(),
        Bytes {
            processed: 7,
            billed: 0
        },
        "asked for where the result does not say"
    );
    let last = fake.asked().pop().unwrap();
    assert_eq!(
        last.path,
        "/bigquery/v2/projects/p/jobs/job-1?location=southamerica-east1"
    );
    drop(rows);
    assert!(fake.cancelled().is_empty());
}

const CANCELLED: &str = "/bigquery/v2/projects/p/jobs/job-1/cancel?location=southamerica-east1";

#[tokio::test]
async fn a_job_that_never_ends_is_cancelled_when_its_time_is_over() {
    let fake = Fake::start([running()]);
    let (client, pauses) = fake.client();
    let mut rows = client.run(&query()).await.unwrap();
    assert_eq!(rows.next_page().await, Err(Error::TimedOut));
    assert_eq!(fake.cancelled(), [CANCELLED]);
    assert_eq!(pauses.total(), Duration::from_secs(60));
    assert_eq!(rows.next_page().await, Ok(None));
    drop(rows);
    assert_eq!(fake.cancelled().len(), 1);
}

#[tokio::test]
async fn a_job_is_cancelled_when_asked_or_when_nobody_waits() {
    let fake = Fake::start([running()]);
    let rows = fake.client().0.run(&query()).await.unwrap();
    rows.cancel().await.unwrap();
    assert_eq!(fake.cancelled(), [CANCELLED]);

    let fake = Fake::start([running()]);
    let rows = fake.client().0.run(&query()).await.unwrap();
    drop(rows);
    assert_eq!(fake.cancelled_job().await, CANCELLED);

    // The request is on its way, and its job not known yet.
    let fake = Fake::start([running()]);
    let (client, _) = fake.client();
    let query = query();
    assert!(client.run(&query).now_or_never().is_none());
    assert_eq!(fake.cancelled_job().await, CANCELLED);

    let fake = Fake::start([page(1, [1], Some("more"))]);
    let rows = fake.client().0.run(&query).await.unwrap();
    rows.cancel().await.unwrap();
    assert!(fake.cancelled().is_empty(), "it has ended");
}

#[tokio::test]
async fn a_job_that_somebody_stops_is_cancelled() {
    let stopped = refusal(
        400,
        "stopped",
        "Job execution was cancelled: User requested cancellation",
    );
    let (outcome, fake) = outcome([running(), running(), stopped]).await;
    assert_eq!(outcome, Err(Error::Cancelled));
    assert!(fake.cancelled().is_empty());
}

#[tokio::test]
async fn results_that_contradict_themselves_are_refused() {
    let wrong = |schema: Json, rows: Json| {
        let answer = json!({ "jobReference": { "jobId": "j" }, "jobComplete": true,
            "schema": { "fields": schema }, "rows": rows, "totalRows": "1" });
        Answer::Json(200, answer)
    };
    let id = json!([{ "name": "id", "type": "INTEGER" }]);
    for (answers, code) in [
        (
            vec![page(9, [1], Some("a")), page(9, [2], Some("a"))],
            "page_token_repeats",
        ),
        (
            vec![
                page(9, [1], Some("a")),
                page(9, [2], Some("b")),
                page(9, [3], Some("a")),
            ],
            "page_token_repeats",
        ),
        (
            (0..5).map(|n| page(1, [], Some(&n.to_string()))).collect(),
            "pages_without_rows",
        ),
        (vec![page(3, [1, 2], None)], "number_of_rows"),
        (
            vec![page(2, [1, 2], Some("a")), page(2, [3], None)],
            "number_of_rows",
        ),
        (vec![page(2, [1], Some("a")), running()], "job_not_complete"),
        (
            vec![wrong(id.clone(), json!([{ "f": [{ "v": "one" }] }]))],
            "row_not_of_schema",
        ),
        (
            vec![wrong(id.clone(), json!([{ "f": [] }]))],
            "row_not_of_schema",
        ),
        (
            vec![wrong(json!([]), json!([{ "f": [{ "v": "1" }] }]))],
            "row_not_of_schema",
        ),
        (
            vec![wrong(json!([{ "name": "id" }]), json!([]))],
            "unexpected_json",
        ),
        (
            vec![Answer::Json(200, json!({ "jobComplete": true }))],
            "no_job",
        ),
        (
            vec![Answer::Json(
                200,
                json!({ "jobReference": { "jobId": "../x" } }),
            )],
            "no_job",
        ),
        (
            vec![Answer::Json(200, json!({ "jobReference": "j" }))],
            "unexpected_json",
        ),
    ] {
        let (outcome, _) = outcome(answers).await;
        assert_eq!(outcome, Err(Error::Malformed(code)));
    }
}

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use actix_web::test::TestRequest;
use async_trait::async_trait;
use ports::idempotency::StoredAnswer;
use tokio::runtime::Handle;

use super::*;

const LEASE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Counter(AtomicI64);

impl IdGenerator for Counter {
    fn next(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

#[derive(Clone)]
enum State {
    Held,
    Lapsed,
    Done(StoredAnswer),
}

type Entry = (i64, [u8; 32], State);

/// Reservations in memory, without time.
#[derive(Default)]
struct Memory {
    entries: Mutex<HashMap<IdempotencyScope, Entry>>,
    renewals: AtomicU64,
    ids: Counter,
}

impl Memory {
    fn settle(&self, scope: &IdempotencyScope, write_id: i64, state: Option<State>) {
        let mut entries = self.entries.lock().unwrap();
        let (id, content, _) = entries.remove(scope).unwrap();
        assert_eq!(id, write_id);
        if let Some(state) = state {
            entries.insert(scope.clone(), (id, content, state));
        }
    }
}

#[async_trait]
impl IdempotencyStore for Memory {
    async fn reserve(
        &self,
        scope: &IdempotencyScope,
        content: [u8; 32],
        _: Duration,
    ) -> Result<Reservation, StoreError> {
        let mut entries = self.entries.lock().unwrap();
        let (write_id, reservation) = match entries.get(scope).cloned() {
            None => {
                let write_id = self.ids.next();
                (write_id, Reservation::Fresh { write_id })
            }
            Some((_, kept, _)) if kept != content => return Ok(Reservation::Mismatch),
            Some((write_id, _, State::Lapsed)) => (write_id, Reservation::Rerun { write_id }),
            Some((_, _, State::Done(answer))) => return Ok(Reservation::Replay(answer)),
            Some((_, _, State::Held)) => {
                return Ok(Reservation::Running {
                    retry_after: Duration::from_secs(3),
                });
            }
        };
        entries.insert(scope.clone(), (write_id, content, State::Held));
        Ok(reservation)
    }

    async fn renew(
        &self,
        scope: &IdempotencyScope,
        write_id: i64,
        lease: Duration,
    ) -> Result<(), StoreError> {
        assert_eq!(lease, LEASE);
        assert_eq!(self.entries.lock().unwrap()[scope].0, write_id);
        self.renewals.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn complete(
        &self,
        scope: &IdempotencyScope,
        write_id: i64,
        answer: &StoredAnswer,
    ) -> Result<(), StoreError> {
        self.settle(scope, write_id, Some(State::Done(answer.clone())));
        Ok(())
    }

    async fn purge(&self, _: usize) -> Result<u64, StoreError> {
        unreachable!("nothing is purged in these tests")
    }

    async fn release(&self, scope: &IdempotencyScope, write_id: i64) -> Result<(), StoreError> {
        self.settle(scope, write_id, None);
        Ok(())
    }

    async fn abandon(&self, scope: &IdempotencyScope, write_id: i64) -> Result<(), StoreError> {
        self.settle(scope, write_id, Some(State::Lapsed));
        Ok(())
    }
}

fn wrapper_of(store: Arc<Memory>) -> Idempotency {
    let changes = Changes::new(Handle::current(), Default::default());
    Idempotency::new(store, Arc::new(Counter::default()), changes, LEASE)
}

pub(crate) fn wrapper() -> Idempotency {
    wrapper_of(Arc::default())
}

fn call(key: Option<&str>, body: &str) -> Call {
    let mut request = TestRequest::post().uri("/create?x=1");
    if let Some(key) = key {
        request = request.insert_header((KEY_HEADER, key));
    }
    let workspace = WorkspaceId::parse("ws1").unwrap();
    Call::of(
        &request.to_http_request(),
        &workspace,
        content_hash(body.as_bytes()),
    )
    .unwrap()
}

/// Answers the status and tells the request's number in the body.
async fn answer(
    wrapper: &Idempotency,
    key: Option<&str>,
    body: &str,
    status: u16,
) -> Result<(Answer, String), IdempotencyError> {
    let answer = wrapper
        .run(call(key, body), move |request| async move {
            let told = request.write_id.to_string();
            let status = StatusCode::from_u16(status).unwrap();
            Answer::json(status, &told)
                .with_header(
                    actix_web::http::header::LOCATION,
                    HeaderValue::from_static("/x"),
                )
                .with_header(
                    actix_web::http::header::DATE,
                    HeaderValue::from_static("now"),
                )
        })
        .await?;
    let told = serde_json::from_slice(&answer.body).unwrap();
    Ok((answer, told))
}

#[actix_web::test]
async fn the_same_request_is_replayed() {
    let wrapper = wrapper();
    let (first, told) = answer(&wrapper, Some("k"), "a", 201).await.unwrap();
    assert_eq!(told, "1");
    let (second, told) = answer(&wrapper, Some("k"), "a", 500).await.unwrap();
    assert_eq!((second.status, told.as_str()), (first.status, "1"));
    let names: Vec<_> = second
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["content-type", "location", "idempotent-replayed"]);
    let (_, other_key) = answer(&wrapper, Some("k2"), "a", 201).await.unwrap();
    assert_eq!(other_key, "2");
    let mismatch = answer(&wrapper, Some("k"), "b", 201).await;
    assert!(matches!(mismatch, Err(IdempotencyError::Mismatch)));
    assert_eq!(Problem::from(IdempotencyError::Mismatch).status(), 422);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_takes_long_keeps_its_lease() {
    let store = Arc::new(Memory::default());
    let slow = |_| async {
        tokio::time::sleep(LEASE * 2).await;
        Answer::json(StatusCode::CREATED, &"done")
    };
    let wrapper = wrapper_of(Arc::clone(&store));
    let answer = wrapper.run(call(Some("k"), "a"), slow).await.unwrap();
    assert_eq!(answer.status, 201);
    let renewals = store.renewals.load(Ordering::SeqCst);
    assert!((4..=6).contains(&renewals), "{renewals}");
}

#[actix_web::test]
async fn without_a_key_every_request_is_new() {
    let wrapper = wrapper();
    for expected in ["1", "2"] {
        assert_eq!(answer(&wrapper, None, "a", 201).await.unwrap().1, expected);
    }
}

#[actix_web::test]
async fn refusals_free_the_key_and_failures_keep_the_write_id() {
    let wrapper = wrapper();
    answer(&wrapper, Some("k"), "a", 422).await.unwrap();
    assert_eq!(
        answer(&wrapper, Some("k"), "corrected", 503)
            .await
            .unwrap()
            .1,
        "2"
    );
    let other = answer(&wrapper, Some("k"), "other", 201).await;
    assert!(matches!(other, Err(IdempotencyError::Mismatch)));
    assert_eq!(
        answer(&wrapper, Some("k"), "corrected", 409)
            .await
            .unwrap()
            .1,
        "2"
    );
    assert_eq!(
        answer(&wrapper, Some("k"), "corrected", 201)
            .await
            .unwrap()
            .1,
        "2"
    );
    let (replayed, _) = answer(&wrapper, Some("k"), "corrected", 500).await.unwrap();
    assert_eq!(replayed.status, 201);
}

#[actix_web::test]
async fn a_panic_does_not_hold_the_key() {
    let wrapper = wrapper();
    let panicked = wrapper
        .run(call(Some("k"), "a"), |_| async { panic!("defect") })
        .await;
    assert!(matches!(panicked, Err(IdempotencyError::Interrupted)));
    assert_eq!(answer(&wrapper, Some("k"), "a", 201).await.unwrap().1, "1");
}

#[actix_web::test]
async fn a_running_request_holds_the_key_though_its_client_left() {
    let wrapper = wrapper();
    let (go, gate) = tokio::sync::oneshot::channel::<()>();
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut first = Box::pin(wrapper.run(call(Some("k"), "a"), |_| async {
        tell.send(()).unwrap();
        gate.await.unwrap();
        Answer::empty(StatusCode::CREATED)
    }));
    assert!(futures::poll!(&mut first).is_pending());
    told.await.unwrap();
    let running = answer(&wrapper, Some("k"), "a", 201).await.unwrap_err();
    let problem = Problem::from(running);
    assert_eq!(
        (problem.status().as_u16(), problem.code()),
        (409, "idempotency_in_progress")
    );
    assert_eq!(problem.headers()[0].1, "3");
    drop(first);
    go.send(()).unwrap();
    let replayed = loop {
        match wrapper
            .run(call(Some("k"), "a"), |_| async { unreachable!() })
            .await
        {
            Err(IdempotencyError::InProgress { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    assert_eq!(replayed.status, StatusCode::CREATED);
}

#[test]
fn keys_are_printable_ascii() {
    let parsed = |values: &[&[u8]]| {
        let mut headers = HeaderMap::new();
        for value in values {
            let name = HeaderName::from_static(KEY_HEADER);
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        key(&headers)
    };
    assert!(matches!(parsed(&[]), Ok(None)));
    assert!(matches!(parsed(&[b"a key ~"]), Ok(Some(key)) if key == "a key ~"));
    assert!(parsed(&[&[b'x'; 255]]).is_ok());
    for bad in [
        &[&b""[..]][..],
        &[&[b'x'; 256]],
        &[b"a\tb"],
        &["é".as_bytes()],
        &[b"a", b"b"],
    ] {
        assert!(
            matches!(parsed(bad), Err(IdempotencyError::InvalidKey)),
            "{bad:?}"
        );
    }
}

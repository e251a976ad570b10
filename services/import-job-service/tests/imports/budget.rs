//! The budget in virtual time: two replicas, two runs of one client, ten minutes.

use std::{
    sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use adapter_crm::wire::{self, Wire};
use async_trait::async_trait;
use domain::{
    importing::{
        Admission, BudgetKey, ExternalId, Pace, Page, RequestsPerMinute, Totals,
        rows::{Contact, Message, Ticket},
    },
    operation::OperationState,
    shared::Instant,
};
use import_job_service::use_cases::UseCases;
use ports::{
    StoreError,
    crm::{Crm, CrmEndpoint, RateBudget, Reserved, SourceError, TicketSource},
    importing::{ImportKind, RunFilter},
};
use serde_json::json;
use tokio::time;

use crate::rig::{actor, database, new_client, request_id, setup};

const LIMIT: i64 = 50;
const MINUTES: u64 = 10;

/// The clock that tests may turn.
struct Turned(time::Instant);

impl Turned {
    fn now(&self) -> Instant {
        let since = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        Instant::from_timestamp_millis(1_780_000_000_000 + since).unwrap()
    }
}

/// The budget as the databases keep it, by that clock.
struct Shared {
    clock: Turned,
    pace: Mutex<Pace>,
}

#[async_trait]
impl RateBudget for Shared {
    async fn reserve(
        &self,
        _: &BudgetKey,
        limit: RequestsPerMinute,
        wanted: u32,
    ) -> Result<Reserved, StoreError> {
        let now = self.clock.now();
        let admitted = self.pace.lock().unwrap().admit(now, limit, wanted);
        Ok(match admitted {
            Admission::Granted(count) => Reserved::Granted(count),
            Admission::WaitUntil(until) => Reserved::Wait((until - now).to_std().unwrap()),
        })
    }

    async fn pause(&self, _: &BudgetKey, _: Duration) -> Result<(), StoreError> {
        unreachable!("nobody is refused within the budget")
    }
}

/// Lists without an end, answered within 200 milliseconds; notes who started when.
struct Endless {
    began: time::Instant,
    starts: Mutex<Vec<(Duration, ImportKind)>>,
    noise: AtomicU64,
}

impl Endless {
    async fn page<T: Wire>(&self, kind: ImportKind, page: u64) -> Result<Page<T>, SourceError> {
        let started = self.began.elapsed();
        self.starts.lock().unwrap().push((started, kind));
        let noise = self.noise.fetch_add(7_919, Ordering::Relaxed);
        time::sleep(Duration::from_millis(20 + noise % 170)).await;
        let row = |place: u64| {
            let id = page * 50 + place;
            json!({"uuid": format!("t{id}"), "id": id, "updatedAt": "2026-03-01T00:00:00Z"})
        };
        let mut delivered = wire::read((0..50).map(row).collect());
        delivered.totals = Totals {
            pages: Some(100_000),
            ..Totals::default()
        };
        Ok(delivered)
    }
}

#[async_trait]
impl TicketSource for Endless {
    async fn tickets(&self, page: u64) -> Result<Page<Ticket>, SourceError> {
        self.page(ImportKind::Tickets, page).await
    }

    async fn messages(&self, _: &ExternalId, _: u64) -> Result<Page<Message>, SourceError> {
        unreachable!("the list has no end")
    }

    async fn contacts(&self, page: u64) -> Result<Page<Contact>, SourceError> {
        self.page(ImportKind::Contacts, page).await
    }
}

struct Opens(Arc<Endless>);

impl Crm for Opens {
    fn open(&self, _: &CrmEndpoint) -> Result<Arc<dyn TicketSource>, SourceError> {
        Ok(self.0.clone())
    }
}

fn most_in(window: Duration, starts: &[Duration]) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, start) in starts.iter().enumerate() {
        while starts[first] + window <= *start {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_two_replicas_never_exceed_the_limit_and_use_95_percent_fairly() {
    let began = time::Instant::now();
    let source = Arc::new(Endless {
        began,
        starts: Mutex::default(),
        noise: AtomicU64::new(0),
    });
    let budget = Arc::new(Shared {
        clock: Turned(began),
        pace: Mutex::default(),
    });
    let (db, _dir) = database().await;
    let replica = || {
        let mut setup = setup(&db, Arc::new(Opens(source.clone())), budget.clone());
        setup.policy.requests_per_minute = RequestsPerMinute::new(LIMIT).unwrap();
        (UseCases::new(&setup), setup)
    };
    let replicas = [replica(), replica()];
    let new = new_client("acme", "https://crm.example");
    let (first, setup) = &replicas[0];
    let by_request = request_id(setup);
    let client = first.create_client.execute(&actor(), by_request, new).await;
    let client = client.unwrap();
    let mut workers = Vec::new();
    for ((replica, setup), kind) in replicas
        .iter()
        .zip([ImportKind::Tickets, ImportKind::Contacts])
    {
        let (start, by_request) = (&replica.start_run, request_id(setup));
        let started = start.execute(&actor(), by_request, client.id, kind).await;
        started.unwrap();
        let worker = replica.worker.clone();
        let claimed = worker.claim().await.unwrap().unwrap();
        workers.push(tokio::spawn(async move { worker.work_on(claimed).await }));
    }
    time::sleep(Duration::from_secs(30)).await;
    let filter = RunFilter {
        limit: 9,
        ..RunFilter::default()
    };
    let (runs, _) = first.runs.list(&actor(), filter).await.unwrap();
    for run in runs {
        assert_eq!(run.operation.state, OperationState::Waiting);
        assert_eq!(run.operation.reason.as_deref(), Some("quota"));
    }
    time::sleep_until(began + Duration::from_secs(60 * MINUTES)).await;
    workers.iter().for_each(tokio::task::JoinHandle::abort);

    let starts = source.starts.lock().unwrap().clone();
    let at: Vec<_> = starts.iter().map(|(at, _)| *at).collect();
    let limit = usize::try_from(LIMIT).unwrap();
    assert!(most_in(Duration::from_millis(60_500), &at) <= limit);
    let later = at.iter().filter(|at| at.as_secs() >= 60).count();
    let owed = limit * usize::try_from(MINUTES - 1).unwrap();
    assert!(later * 100 >= owed * 95, "{later} of {owed}");
    let tickets = starts
        .iter()
        .filter(|(_, kind)| *kind == ImportKind::Tickets);
    let share = tickets.count() * 100 / starts.len();
    assert!((35..=65).contains(&share), "{share} % for one of two");
}

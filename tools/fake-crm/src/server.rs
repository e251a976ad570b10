//! The three lists over HTTP.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{DATE, HeaderValue},
    web,
};
use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Change, Endpoint, Envelope, Log, Misbehaviour, Plan, Request, Tells, World, answer, rows,
    world::Asked,
};

/// What the worker threads of one fake share.
pub struct Shared {
    world: Mutex<World>,
    log: Mutex<Log>,
    /// Requests of all lists, and of each, since the plan was given.
    counts: Mutex<(u64, [u64; 3])>,
    started: Instant,
}

#[derive(Debug, Deserialize)]
struct Paging {
    page: Option<u64>,
    limit: Option<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fake of another system has a clock of its own"
)]
fn wall_clock_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

/// The form of an instant in HTTP headers.
pub fn http_date(ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

impl Shared {
    pub fn new(plan: Plan) -> Self {
        Self {
            world: Mutex::new(World::new(plan)),
            log: Mutex::default(),
            counts: Mutex::default(),
            started: Instant::now(),
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Changes the plan; its request numbers count from now on.
    pub fn replan(&self, change: impl FnOnce(&mut Plan)) {
        change(self.world().plan_mut());
        *lock(&self.counts) = Default::default();
    }

    pub fn change(&self, change: Change) {
        let mut world = self.world();
        let now = now_ms(world.plan());
        world.apply(change, now);
    }

    fn count(&self, on: Endpoint) -> (u64, u64) {
        let mut counts = lock(&self.counts);
        counts.0 += 1;
        let all = counts.0;
        let place = Endpoint::ALL
            .iter()
            .position(|list| *list == on)
            .unwrap_or(0);
        let of_list = counts.1.get_mut(place);
        let of_list = of_list.map_or(0, |count| {
            *count += 1;
            *count
        });
        (all, of_list)
    }

    fn note(&self, on: Endpoint, ticket: Option<u64>, page: u64) -> usize {
        let mut log = self.log();
        let at = self.started.elapsed();
        log.requests.push(Request {
            at,
            on,
            ticket,
            page,
        });
        log.between(at.saturating_sub(Duration::from_secs(60)), at) + 1
    }
}

fn now_ms(plan: &Plan) -> i64 {
    wall_clock_ms() + plan.clock_skew_s * 1_000
}

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/ticket", web::get().to(tickets))
        .route("/ticket/{uuid}/messages", web::get().to(messages))
        .route("/contact", web::get().to(contacts));
}

type State = web::Data<Shared>;

async fn tickets(state: State, paging: web::Query<Paging>, request: HttpRequest) -> HttpResponse {
    serve(&state, Endpoint::Tickets, None, &paging, &request).await
}

async fn contacts(state: State, paging: web::Query<Paging>, request: HttpRequest) -> HttpResponse {
    serve(&state, Endpoint::Contacts, None, &paging, &request).await
}

async fn messages(
    state: State,
    uuid: web::Path<String>,
    paging: web::Query<Paging>,
    request: HttpRequest,
) -> HttpResponse {
    serve(&state, Endpoint::Messages, Some(&uuid), &paging, &request).await
}

async fn serve(
    state: &Shared,
    on: Endpoint,
    uuid: Option<&str>,
    paging: &Paging,
    request: &HttpRequest,
) -> HttpResponse {
    let (mut answer, skewed, delay) = {
        let page = paging.page.unwrap_or(1).max(1);
        let mut world = state.world();
        let seed = world.plan().seed;
        let ticket = uuid.and_then(|uuid| rows::ticket_row(seed, uuid));
        let in_minute = state.note(on, ticket, page);
        let numbers = state.count(on);
        let now = now_ms(world.plan());
        for change in world.plan().changes(on, numbers.1) {
            world.apply(change, now);
        }
        let plan = world.plan();
        let limit = paging
            .limit
            .unwrap_or(50)
            .clamp(1, plan.largest_page.max(1));
        let asked = Asked {
            page,
            limit,
            request: numbers.0,
        };
        let answer = refused(plan, request, in_minute, now)
            .unwrap_or_else(|| decide(&world, on, uuid, asked, numbers, now));
        let skewed = (plan.clock_skew_s != 0).then(|| http_date(now));
        (answer, skewed, Duration::from_millis(plan.delay_ms))
    };
    if let Some(date) = skewed.and_then(|date| HeaderValue::from_str(&date).ok()) {
        answer.headers_mut().insert(DATE, date);
    }
    if !delay.is_zero() {
        actix_web::rt::time::sleep(delay).await;
    }
    answer
}

fn refused(plan: &Plan, request: &HttpRequest, in_minute: usize, now: i64) -> Option<HttpResponse> {
    let key = request
        .headers()
        .get("api-key")
        .and_then(|key| key.to_str().ok());
    if plan.token.is_some() && key != plan.token.as_deref() {
        return Some(answer::status(401, crate::RetryAfter::Absent, now));
    }
    let over = plan.quota.is_some_and(|quota| in_minute > quota as usize);
    over.then(|| answer::status(429, plan.quota_retry_after, now))
}

fn decide(
    world: &World,
    on: Endpoint,
    uuid: Option<&str>,
    mut asked: Asked,
    numbers: (u64, u64),
    now: i64,
) -> HttpResponse {
    let plan = world.plan();
    let fault = plan.fault(on, numbers.0, numbers.1);
    if matches!(fault, Some(Misbehaviour::SamePage | Misbehaviour::Endless)) {
        asked.page = 1;
    }
    let found = match (on, uuid) {
        (Endpoint::Messages, Some(uuid)) => world.message_page(uuid, &asked),
        (Endpoint::Contacts, _) => Some(world.contact_page(&asked)),
        _ => Some(world.ticket_page(&asked)),
    };
    let Some((mut rows, count)) = found else {
        return HttpResponse::NotFound().json(serde_json::json!({"error": "ticket not found"}));
    };
    let Some(fault) = fault else {
        return answer::good(&answer::page(plan, rows, count, &asked));
    };
    match fault {
        Misbehaviour::Short { rows: most } => rows.truncate(*most),
        Misbehaviour::Endless => rows.iter_mut().for_each(|row| renumber(row, numbers.0)),
        Misbehaviour::HalfEmoji { row } => {
            rows.get_mut(*row).into_iter().for_each(answer::cut_text)
        }
        Misbehaviour::NumberBeyond { row } => {
            rows.get_mut(*row).into_iter().for_each(answer::mark_number);
        }
        _ => {}
    }
    let body = match fault {
        Misbehaviour::SamePage | Misbehaviour::Endless => {
            let silent = Plan {
                tells: Tells::Nothing,
                envelope: Envelope::Data,
                ..Plan::default()
            };
            answer::page(&silent, rows, count, &asked)
        }
        _ => answer::page(plan, rows, count, &asked),
    };
    answer::bad(fault, &body, now)
}

/// Makes the row one that was never sent before.
fn renumber(row: &mut Value, request: u64) {
    for name in ["id", "uuid"] {
        if let Some(id) = row.get_mut(name) {
            let text = id
                .as_str()
                .map_or_else(|| id.to_string(), ToOwned::to_owned);
            *id = Value::String(format!("{text}-{request}"));
        }
    }
}

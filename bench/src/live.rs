//! Live audiences while customers act: from the answer to an event to the change of membership.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use api_types::events::EventsRecordedJson;
use chrono::DateTime;
use serde_json::{Value, json};

use crate::{
    Setup,
    http::{Client, encode},
    jobs::connect,
    segments::{publish, put},
    source::{Source, now_millis},
    table::{Line, Target, quantile},
};

const AUDIENCES: usize = 100;
/// Names of events: an audience follows one of them.
const NAMES: usize = 10;
/// Events of a request, and requests a second.
const BATCH: u64 = 20;
const RATE: u64 = 50;
/// Longest wait for a member to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// A thousand events a second for a minute.
pub fn following(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let customers = setup.scaled(500_000, 1_000);
    let seconds = setup.scaled(60, 5);
    let now = now_millis()?;
    setup.start("live")?.kill();
    Source::open(setup, "live")?.fill(customers, now)?;
    let server = setup.start("live")?;
    let mut client = connect(&server)?;
    let mut audiences = Vec::with_capacity(AUDIENCES);
    for n in 0..AUDIENCES {
        audiences.push(live_audience(&mut client, n)?);
    }
    let mut prober = Prober {
        client: connect(&server)?,
        audiences,
        waits: Vec::new(),
        took: Vec::new(),
    };
    let started = Instant::now();
    let (mut sent, mut slowest) = (0, Duration::ZERO);
    for request in 0..seconds * RATE {
        let due = Duration::from_micros(request * 1_000_000 / RATE);
        while started.elapsed() < due {
            prober.look()?;
            thread::sleep(Duration::from_millis(2));
        }
        slowest = slowest.max(started.elapsed().saturating_sub(due));
        let now = now_millis()?;
        let events: Vec<Value> = (0..BATCH)
            .map(|n| event(request * BATCH + n, customers, now))
            .collect();
        let body = serde_json::to_vec(&json!({ "data": events }))?;
        let answer = client.send(&encode("POST", "/api/v1/events", "application/json", &body))?;
        let said = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status == 200, "{said}");
        let said: EventsRecordedJson = serde_json::from_str(&said)?;
        ensure!(said.rejected == 0, "{} are rejected", said.rejected);
        sent += BATCH;
        if request % (RATE / 5) == 0 {
            let first = request * BATCH;
            prober
                .waits
                .push((first, customer_of(first, customers), Instant::now()));
        }
    }
    let rate = sent as f64 / started.elapsed().as_secs_f64();
    while !prober.waits.is_empty() {
        prober.look()?;
    }
    let took = &prober.took;
    Ok(vec![
        Line {
            name: "a live membership follows, p99 in ms".into(),
            ours: format!(
                "{AUDIENCES} live audiences, {customers} customers: {:.0} ms in the middle, {} probes",
                quantile(took, 0.5),
                took.len()
            ),
            measure: "limit 5,000 ms".into(),
            value: quantile(took, 0.99),
            target: Target::AtMost(5_000.0),
        },
        Line {
            name: "events a second meanwhile".into(),
            ours: format!(
                "{sent} events, a request at most {} ms late",
                slowest.as_millis()
            ),
            measure: format!("{} asked for", BATCH * RATE),
            value: rate,
            target: Target::Shown,
        },
    ])
}

fn name(n: u64) -> String {
    format!("did.{}", n % NAMES as u64)
}

/// Each event is another customer's, as long as there are enough.
const fn customer_of(n: u64, customers: u64) -> u64 {
    n * 7 % customers + 1
}

fn event(n: u64, customers: u64, now: i64) -> Value {
    let time = DateTime::from_timestamp_millis(now).map(|time| time.to_rfc3339());
    json!({"id": format!("live-{n}"), "name": name(n), "customer_id": customer_of(n, customers),
        "amount": "10", "time": time})
}

/// An active live audience of those who did something lately.
fn live_audience(client: &mut Client, n: usize) -> anyhow::Result<String> {
    let made = json!({"name": format!("live {n}"), "status": "draft"});
    let made: Value = client.post("/api/v1/audiences", &made)?;
    let id = made
        .get("id")
        .and_then(Value::as_str)
        .context("no id")?
        .to_owned();
    let did = json!({"kind": "event", "name": name(n as u64), "window": {"last_days": n / NAMES + 1},
        "occurrence": {"op": "at_least", "count": 1}});
    let city = json!({"kind": "property", "field": "city", "operator": "in",
        "value": (0..10).map(|city| format!("c{city}")).collect::<Vec<_>>()});
    let body = json!({"groups": [{"conditions": [did, city]}], "audience_type": {"type": "live"}});
    put(client, &format!("/api/v1/audiences/{id}/segment"), &body)?;
    publish(client, &id)?;
    Ok(id)
}

/// Looks whether those whose event was answered are members.
struct Prober {
    client: Client,
    audiences: Vec<String>,
    /// The number of an event, its customer, and when it was answered.
    waits: Vec<(u64, u64, Instant)>,
    took: Vec<f64>,
}

impl Prober {
    fn look(&mut self) -> anyhow::Result<()> {
        let Some((n, customer, since)) = self.waits.first().copied() else {
            return Ok(());
        };
        let audience = self.audiences.get((n % NAMES as u64) as usize);
        let audience = audience.context("no audience")?;
        let path = format!("/api/v1/audiences/{audience}/contacts/lookup");
        let body =
            serde_json::to_vec(&json!({"document": format!("D{}", 1_000_000_000 + customer)}))?;
        let answer = self
            .client
            .send(&encode("POST", &path, "application/json", &body))?;
        if answer.status == 200 {
            self.took.push(since.elapsed().as_secs_f64() * 1000.0);
            self.waits.remove(0);
        }
        ensure!(
            since.elapsed() < PATIENCE,
            "{customer} is no member after a minute"
        );
        Ok(())
    }
}

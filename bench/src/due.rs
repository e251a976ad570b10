//! Communications that fall due: how late their dispatches are, beside other schedulers and the bare broker.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use chrono::DateTime;
use serde_json::{Value, json};

use crate::{
    Setup,
    broker::{Broker, Listening},
    http::{Client, encode},
    peers,
    server::Server,
    source::{Source, now_millis},
    table::{Line, Target, quantile},
};

/// Clients that ask for communications at once.
const CLIENTS: u64 = 8;
/// Communications that a client asks for in a second, at the least: the time ahead at which they are due.
const ASKED: u64 = 25;
/// Longest wait for dispatches after the last was due.
const PATIENCE: Duration = Duration::from_secs(300);
const SECONDS: u64 = 10;

/// Services in a place of their own.
struct Place {
    scheduler: Server,
    _audience: Server,
    broker: Broker,
    customers: u64,
}

/// How late dispatches arrived, in milliseconds.
struct Lateness {
    late: Vec<f64>,
    /// From the first due instant to the last arrival.
    took: Duration,
}

/// Every measurement of this group.
pub fn all(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    ensure!(setup.stack.is_some(), "only of replicas: --stack");
    let place = Place::start(setup)?;
    let (hundred, thousand) = (100, 1_000);
    let calm = place.spread(setup.scaled(hundred * SECONDS, 10), hundred)?;
    let busy = place.spread(setup.scaled(thousand * SECONDS, 10), thousand)?;
    let mut lines = vec![
        late("100 due a second", &calm, None),
        late("1,000 due a second", &busy, Some((10.0, 50.0))),
    ];
    let burst = setup.scaled(20_000, 10);
    let at_once = place.spread(burst, burst)?;
    lines.push(Line {
        name: "due within one second, all left after s".into(),
        ours: format!("{burst} communications to one person each"),
        measure: "limit 2 s".into(),
        value: at_once.took.as_secs_f64(),
        target: Target::AtMost(2.0),
    });
    lines.extend(place.many(setup.scaled(1_000_000, 1_000))?);
    let waiting = setup.scaled(10_000_000, 1_000);
    Source::open(setup, "due_s")?.run(&waiting_rows(waiting))?;
    let behind = place.spread(setup.scaled(hundred * SECONDS, 10), hundred)?;
    let (alone, beside) = (quantile(&calm.late, 0.5), quantile(&behind.late, 0.5));
    lines.push(Line {
        name: "lateness beside many that wait".into(),
        ours: format!("{waiting} wait: {beside:.1} ms in the middle, 100 due a second"),
        measure: format!("{alone:.1} ms without"),
        value: beside / alone,
        target: Target::AtMost(1.2),
    });
    let resident = place.scheduler.resident()?;
    let did = "scheduler-service, resident";
    lines.push(Line::memory("memory beside them, MB", did, resident, 100.0));
    drop(place);
    for rate in [hundred, thousand] {
        lines.extend(peers::all(setup, rate, SECONDS)?);
    }
    Ok(lines)
}

/// A line of how late dispatches were.
fn late(name: &str, seen: &Lateness, limits: Option<(f64, f64)>) -> Line {
    let (p50, p99) = (quantile(&seen.late, 0.5), quantile(&seen.late, 0.99));
    Line {
        name: format!("{name}: p99 to the subscriber, ms"),
        ours: format!(
            "{} dispatches: {p50:.1} ms in the middle, {:.1} at most",
            seen.late.len(),
            quantile(&seen.late, 1.0)
        ),
        measure: match limits {
            Some((middle, most)) => format!("limits {middle} and {most} ms"),
            None => String::new(),
        },
        value: p99,
        target: limits.map_or(Target::Shown, |(_, most)| Target::AtMost(most)),
    }
}

impl Place {
    fn start(setup: &Setup) -> anyhow::Result<Self> {
        let stack = setup.stack.as_ref().context("no servers")?;
        let customers = setup.scaled(1_000_000, 1_000);
        let audience = setup.start("due")?;
        audience.kill();
        Source::open(setup, "due")?.run(&people(customers))?;
        let audience = setup.start("due")?;
        let directory = setup.program.parent().context("no directory")?;
        let url = format!("http://{}", audience.address);
        let prefix = stack.prefix_of("due");
        let own = [
            ("PLATEIA__AUDIENCE__URL", url),
            ("PLATEIA__RABBITMQ__PREFIX", prefix.clone()),
        ];
        let program = directory.join("scheduler-service");
        let scheduler = Server::start_program(setup, &program, "due_s", &own)?;
        Ok(Self {
            scheduler,
            _audience: audience,
            broker: Broker::connect(stack.broker(), &prefix)?,
            customers,
        })
    }

    /// So many communications, each to one person, so many of them due in a second.
    fn spread(&self, count: u64, rate: u64) -> anyhow::Result<Lateness> {
        let listening = self.broker.listen()?;
        let ahead = 5_000 + count * 1_000 / (CLIENTS * ASKED);
        let first = now_millis()? + i64::try_from(ahead)?;
        let due = |n: u64| first + i64::try_from(n * 1_000 / rate).unwrap_or_default();
        thread::scope(|scope| {
            let clients = (0..CLIENTS).map(|client| {
                scope.spawn(move || {
                    let mut connection = Client::connect(self.scheduler.address)?;
                    for n in (client..count).step_by(CLIENTS as usize) {
                        let recipients = json!({"customer_ids": [n % self.customers + 1]});
                        ask(&mut connection, due(n), &recipients)?;
                    }
                    anyhow::Ok(())
                })
            });
            let clients: Vec<_> = clients.collect();
            for client in clients {
                client
                    .join()
                    .map_err(|_| anyhow::anyhow!("a client panicked"))??;
            }
            anyhow::Ok(())
        })?;
        ensure!(now_millis()? < first, "asking took longer than thought");
        self.seen(&listening, first, due(count), count)
    }

    /// What a subscriber saw, once it has seen all of it.
    fn seen(
        &self,
        listening: &Listening,
        first: i64,
        last: i64,
        count: u64,
    ) -> anyhow::Result<Lateness> {
        let wait = Duration::from_millis(u64::try_from(last - now_millis()?).unwrap_or_default());
        let seen = listening.wait(count, wait + PATIENCE);
        ensure!(
            seen.len() as u64 == count,
            "{} of {count} dispatches came",
            seen.len()
        );
        let late = seen.iter().map(|one| (one.arrived - one.scheduled) as f64);
        let end = seen.iter().map(|one| one.arrived).max().unwrap_or(first);
        Ok(Lateness {
            late: late.collect(),
            took: Duration::from_millis(u64::try_from(end - first).unwrap_or_default()),
        })
    }

    /// One communication to very many, beside the bare broker.
    fn many(&self, people: u64) -> anyhow::Result<Vec<Line>> {
        let made = now_millis()? + 15_000;
        let listening = self.broker.listen()?;
        let mut connection = Client::connect(self.scheduler.address)?;
        // As many communications as it takes, due at one instant: each names 100,000 at most.
        let ids: Vec<u64> = (1..=people).collect();
        for part in ids.chunks(100_000) {
            ask(&mut connection, made, &json!({"customer_ids": part}))?;
        }
        let seen = self.seen(&listening, made, made, people)?;
        let ours = people as f64 / seen.took.as_secs_f64();
        let bytes = listening.bytes();
        let begun = Instant::now();
        self.broker.publish(bytes, 50_000)?;
        let bare = 50_000.0 / begun.elapsed().as_secs_f64();
        Ok(vec![Line {
            name: "to very many: share of the bare broker".into(),
            ours: format!("{people} people: {ours:.0} dispatches a second"),
            measure: format!("{bare:.0} confirmed messages a second of {bytes} bytes"),
            value: ours / bare,
            target: Target::AtLeast(0.5),
        }])
    }
}

/// Asks for a communication.
fn ask(client: &mut Client, due: i64, recipients: &Value) -> anyhow::Result<()> {
    let at = DateTime::from_timestamp_millis(due).context("no instant")?;
    let body = json!({
        "send_at": at.to_rfc3339(), "recipients": recipients, "channels": ["sms"],
        "message": {"text": "Your order has left, {{name}}."},
    });
    let body = serde_json::to_vec(&body)?;
    let path = "/api/v1/communications";
    let answer = client.send(&encode("POST", path, "application/json", &body))?;
    let said = String::from_utf8_lossy(&answer.body);
    ensure!(answer.status == 201, "{}: {said}", answer.status);
    Ok(())
}

/// Customers with a phone each.
fn people(count: u64) -> String {
    let workspace = crate::bare::WORKSPACE;
    format!(
        "INSERT INTO customers (workspace, id, client, identity, document, name, phone, phone_valid, email_valid,
             attributes, tags, imported_tags, version, member_key, facts, created_at, updated_at)
         SELECT '{workspace}', n, '', 'd:D' || (1000000000 + n), 'D' || (1000000000 + n), 'Person ' || n,
             '+55119' || lpad(CAST(n AS TEXT), 8, '0'), 1, 0, '{{}}', '[]', '[]', 1, 'D' || (1000000000 + n), '{{}}',
             now(), now() FROM generate_series(CAST(1 AS BIGINT), {count}) AS g(n);
         INSERT INTO customer_totals (workspace, last_id, customers) VALUES ('{workspace}', {count}, {count});
         ANALYZE"
    )
}

/// Communications that wait until next year, as copies of one that was asked for.
fn waiting_rows(count: u64) -> String {
    format!(
        "CREATE TEMPORARY TABLE one AS SELECT * FROM communications ORDER BY id LIMIT 1;
         INSERT INTO communications SELECT (jsonb_populate_record(one, jsonb_build_object(
             'id', n, 'state', 'scheduled', 'occurrence', 0, 'in_flight', 0,
             'due_at', now() + interval '300 days' + n * interval '1 second'))).*
             FROM one, generate_series(CAST(1 AS BIGINT), {count}) AS g(n);
         INSERT INTO due_communications (communication, due_at)
             SELECT id, due_at FROM communications WHERE id <= {count};
         ANALYZE"
    )
}

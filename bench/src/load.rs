//! A fixed load beside other work: what is asked for does not wait for what is answered.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use crate::{
    data::{self, Random},
    http::{Client, encode},
    table::ms,
};

const PAGES_PER_SECOND: u32 = 50;
const INSERTS_PER_SECOND: u32 = 10;
/// Connections of each kind of request: one slow answer delays no other request.
const CONNECTIONS: usize = 8;

/// Pages and inserts at fixed rates, until this is finished or dropped.
pub struct Load {
    pages: Requests,
    inserts: Requests,
}

/// Latencies in milliseconds.
pub struct Latencies {
    pub pages: Vec<f64>,
    pub inserts: Vec<f64>,
}

impl Load {
    /// Begins: random pages among the first `last`, and single contacts that are new.
    pub fn start(server: SocketAddr, audience: &str, last: u64) -> anyhow::Result<Self> {
        let path = format!("/api/v1/audiences/{audience}/contacts");
        let pages = {
            let path = path.clone();
            open_loop(server, PAGES_PER_SECOND, move |n| {
                let page = Random::new(n).below(last) + 1;
                let path = format!("{path}?page={page}&per_page=100");
                encode("GET", &path, "text/plain", b"")
            })?
        };
        let inserts = open_loop(server, INSERTS_PER_SECOND, move |n| {
            let body = format!(r#"{{"data":[{}]}}"#, data::item(500_000_000 + n));
            encode("POST", &path, "application/json", body.as_bytes())
        })?;
        Ok(Self { pages, inserts })
    }

    /// Ends, and answers the latency of every request that was due from an instant on until the
    /// last answer was back.
    pub fn finish(self, from: Instant) -> anyhow::Result<Latencies> {
        let since = |requests: Requests| -> anyhow::Result<Vec<f64>> {
            let seen = requests.finish()?.into_iter();
            Ok(seen
                .filter(|(due, _)| *due >= from)
                .map(|(_, taken)| taken)
                .collect())
        };
        Ok(Latencies {
            pages: since(self.pages)?,
            inserts: since(self.inserts)?,
        })
    }
}

/// When each request was to be sent: the rate, whatever becomes of those before.
struct Schedule {
    begun: Instant,
    pace: Duration,
    next: AtomicU64,
    /// Until when requests are due; none while there is no end.
    until: Mutex<Option<Instant>>,
}

impl Schedule {
    /// The next request, and when it is due; none after the end.
    fn next(&self) -> Option<(u64, Instant)> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.begun + self.pace * u32::try_from(n).ok()?;
        self.is_due(due).then_some((n, due))
    }

    fn is_due(&self, due: Instant) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| due <= until)
    }

    fn end(&self) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = Some(Instant::now());
    }
}

/// When a request was due, and the milliseconds from then to its answer.
type Answered = (Instant, f64);

/// Requests on their schedule.
struct Requests {
    schedule: Arc<Schedule>,
    answers: Receiver<anyhow::Result<Answered>>,
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.schedule.end();
    }
}

impl Requests {
    /// Ends. Whatever is due now is waited for, and what falls due meanwhile is counted too: for
    /// its sender it is as late when the work beside has ended.
    fn finish(self) -> anyhow::Result<Vec<Answered>> {
        let now = Instant::now();
        let due = now - self.schedule.begun;
        let mut outstanding = due.as_nanos() / self.schedule.pace.as_nanos() + 1;
        let mut answered = Vec::new();
        while outstanding > 0 {
            let answer = self.answers.recv().context("the load ended early")??;
            outstanding -= u128::from(answer.0 <= now);
            answered.push(answer);
        }
        self.schedule.end();
        for answer in &self.answers {
            answered.push(answer?);
        }
        Ok(answered)
    }
}

/// Requests at a fixed rate; latency counts from when each was to be sent.
fn open_loop(
    server: SocketAddr,
    per_second: u32,
    request: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
) -> anyhow::Result<Requests> {
    let clients: Vec<Client> = (0..CONNECTIONS)
        .map(|_| Client::connect(server))
        .collect::<Result<_, _>>()?;
    let request = Arc::new(request);
    let schedule = Arc::new(Schedule {
        begun: Instant::now(),
        pace: Duration::from_secs(1) / per_second,
        next: AtomicU64::new(0),
        until: Mutex::new(None),
    });
    let (answer, answers) = mpsc::channel();
    for mut client in clients {
        let (schedule, request) = (Arc::clone(&schedule), Arc::clone(&request));
        let answer = answer.clone();
        std::thread::spawn(move || {
            while let Some((n, due)) = schedule.next() {
                let answered = send(&mut client, &schedule, due, &request(n)).transpose();
                // Nobody listens to a load that was dropped.
                let Some(Ok(())) = answered.map(|answered| answer.send(answered)) else {
                    break;
                };
            }
        });
    }
    Ok(Requests { schedule, answers })
}

/// Sends a request when it is due; none where the end came before.
fn send(
    client: &mut Client,
    schedule: &Schedule,
    due: Instant,
    request: &[u8],
) -> anyhow::Result<Option<Answered>> {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
    if !schedule.is_due(due) {
        return Ok(None);
    }
    let answer = client.send(request)?;
    ensure!(answer.status == 200, "status {}", answer.status);
    Ok(Some((due, ms(due.elapsed()))))
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;

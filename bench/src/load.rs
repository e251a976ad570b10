//! A fixed load beside other work: what is asked for does not wait for what is answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{anyhow, ensure};

use crate::{
    data::{self, Random},
    http::{Client, encode},
    jobs::connect,
    server::Server,
    table::ms,
};

const PAGES_PER_SECOND: u32 = 50;
const INSERTS_PER_SECOND: u32 = 10;

/// When something happened.
pub type Window = (Instant, Instant);

/// Pages and inserts at fixed rates, until this is finished or dropped.
pub struct Load {
    stop: Stop,
    pages: Requests,
    inserts: Requests,
}

/// Tells the threads to end when it is dropped.
struct Stop(Arc<AtomicBool>);

/// Latencies in milliseconds of requests that were due in some windows of time.
pub struct Latencies {
    pub pages: Vec<f64>,
    pub inserts: Vec<f64>,
}

type Requests = JoinHandle<anyhow::Result<Vec<(Instant, f64)>>>;

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Load {
    /// Begins: random pages among the first `last`, and single contacts that are new.
    pub fn start(server: &Server, audience: &str, last: u64) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let path = format!("/api/v1/audiences/{audience}/contacts");
        let pages = {
            let path = path.clone();
            let mut random = Random::new(7);
            open_loop(server, PAGES_PER_SECOND, &stop, move |_| {
                let page = random.below(last) + 1;
                let path = format!("{path}?page={page}&per_page=100");
                encode("GET", &path, "text/plain", b"")
            })?
        };
        let inserts = open_loop(server, INSERTS_PER_SECOND, &stop, move |n| {
            let body = format!(r#"{{"data":[{}]}}"#, data::item(500_000_000 + n));
            encode("POST", &path, "application/json", body.as_bytes())
        })?;
        Ok(Self {
            stop: Stop(stop),
            pages,
            inserts,
        })
    }

    /// Ends; what was due outside of the windows is left out, so that quiet time flatters nothing.
    pub fn finish(self, windows: &[Window]) -> anyhow::Result<Latencies> {
        drop(self.stop);
        let within = |requests: Requests| -> anyhow::Result<Vec<f64>> {
            let seen = requests
                .join()
                .map_err(|_| anyhow!("the load panicked"))??;
            let slowest = seen.iter().map(|(_, taken)| *taken).fold(0.0, f64::max);
            eprintln!("  {} requests, the slowest in {slowest:.0} ms", seen.len());
            Ok(seen
                .into_iter()
                .filter(|(due, _)| windows.iter().any(|(from, to)| (from..=to).contains(&due)))
                .map(|(_, taken)| taken)
                .collect())
        };
        Ok(Latencies {
            pages: within(self.pages)?,
            inserts: within(self.inserts)?,
        })
    }
}

/// Requests at a fixed rate; latency counts from when each was to be sent.
fn open_loop(
    server: &Server,
    per_second: u32,
    stop: &Arc<AtomicBool>,
    mut request: impl FnMut(u64) -> Vec<u8> + Send + 'static,
) -> anyhow::Result<Requests> {
    let stop = Arc::clone(stop);
    let mut client: Client = connect(server)?;
    let pace = Duration::from_secs(1) / per_second;
    Ok(std::thread::spawn(move || {
        let (mut taken, mut due) = (Vec::new(), Instant::now());
        for n in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let request = request(n);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer = client.send(&request)?;
            ensure!(answer.status == 200, "status {}", answer.status);
            taken.push((due, ms(due.elapsed())));
            due += pace;
        }
        Ok(taken)
    }))
}

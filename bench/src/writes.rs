//! Contacts in: over HTTP, and from a file.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use crate::{
    Setup, bare, data,
    http::encode,
    jobs::{self, connect},
    server::{Server, cpu_of},
    table::{Line, Target, median, spread},
};

/// What the bare stores do.
const SQLITE: &str = "one connection, 1,000 a transaction";
const MONGO: &str =
    "driver, insert_many of 1,000 (then update), w majority, journal, four in flight";
/// Items of one request.
const ITEMS: u64 = 1_000;

struct Run {
    wall: Duration,
    cpu: Duration,
    /// Processor time of the program that sent the requests; none for the bare store.
    generator: Duration,
}

/// Requests of 1,000 by one client on a kept connection: all fresh, or half of them there already.
pub fn over_http(setup: &Setup, half: bool) -> anyhow::Result<Line> {
    let rows = setup.scaled(200_000, ITEMS);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..setup.runs {
        let measure_ours = || http_run(setup, run, rows, half);
        let measure_bare = || bare_run(setup, run, rows, half);
        if run % 2 == 0 {
            ours.push(measure_ours()?);
            theirs.push(measure_bare()?);
        } else {
            theirs.push(measure_bare()?);
            ours.push(measure_ours()?);
        }
    }
    same_bytes(setup, &format!("http-{half}-0"), &format!("bare-{half}-0"))?;
    let name = if half {
        "contacts over HTTP, half duplicates"
    } else {
        "contacts over HTTP, fresh"
    };
    Ok(line(
        name,
        rows,
        &ours,
        &theirs,
        setup.either(
            "one client, requests of 1,000",
            "four clients, requests of 1,000",
        ),
        setup.either(0.5, 0.6),
        setup.either(SQLITE, MONGO),
    ))
}

fn numbers(rows: u64, half: bool) -> impl Iterator<Item = u64> {
    // Every second one repeats a contact that is there.
    (0..rows).map(move |n| {
        if half && n % 2 == 0 {
            n / 2
        } else {
            10_000_000 + n
        }
    })
}

fn http_run(setup: &Setup, run: usize, rows: u64, half: bool) -> anyhow::Result<Run> {
    let server = setup.start(&format!("http-{half}-{run}"))?;
    let mut client = connect(&server)?;
    let created: Value = client.post("/create", &json!({ "name": "bench", "data": [] }))?;
    let id = created.get("id").and_then(Value::as_str);
    let id = id.context("the list has no id")?;
    if half {
        for request in requests(id, (0..rows / 2).collect()) {
            client.send(&request)?.json::<Value>()?;
        }
    }
    let requests = requests(id, numbers(rows, half).collect());
    let measured = timed_ours(&server, || send_all(&server, setup.either(1, 4), &requests))?;
    server.kill();
    Ok(measured)
}

/// Measures what the server does for some requests, and what sending them takes.
fn timed_ours(
    server: &Server,
    requests: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Run> {
    let (before, generator) = (server.cpu()?, cpu_of("self")?);
    let started = Instant::now();
    requests()?;
    Ok(Run {
        wall: started.elapsed(),
        cpu: server.cpu()?.saturating_sub(before),
        generator: cpu_of("self")?.saturating_sub(generator),
    })
}

fn requests(id: &str, numbers: Vec<u64>) -> Vec<Vec<u8>> {
    let request = |part: &[u64]| {
        let items: Vec<String> = part.iter().map(|n| data::item(*n)).collect();
        let body = format!(r#"{{"snowflake_id":"{id}","data":[{}]}}"#, items.join(","));
        encode("POST", "/insert", "application/json", body.as_bytes())
    };
    numbers.chunks(ITEMS as usize).map(request).collect()
}

/// Sends every request once, by some clients on kept connections.
fn send_all(server: &Server, clients: usize, requests: &[Vec<u8>]) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let send = |client: usize| {
            let mine = requests.iter().skip(client).step_by(clients);
            scope.spawn(move || -> anyhow::Result<()> {
                let mut client = connect(server)?;
                for request in mine {
                    let answer = client.send(request)?;
                    anyhow::ensure!(answer.status == 200, "status {}", answer.status);
                }
                Ok(())
            })
        };
        let sending: Vec<_> = (0..clients).map(send).collect();
        sending
            .into_iter()
            .try_for_each(|sent| sent.join().map_err(|_| anyhow!("a client panicked"))?)
    })
}

fn bare_run(setup: &Setup, run: usize, rows: u64, half: bool) -> anyhow::Result<Run> {
    let mut bare = setup.bare(&format!("bare-{half}-{run}"))?;
    if half {
        let half = bare::rows(&*bare, 0..rows / 2)?;
        bare.insert(&half)?;
    }
    let rows = bare::rows(&*bare, numbers(rows, half))?;
    timed_bare(|| {
        if half {
            bare.upsert(&rows)
        } else {
            bare.insert(&rows)
        }
    })
}

fn timed_bare(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Run> {
    let before = cpu_of("self")?;
    let started = Instant::now();
    work()?;
    Ok(Run {
        wall: started.elapsed(),
        cpu: cpu_of("self")?.saturating_sub(before),
        generator: Duration::ZERO,
    })
}

/// Both sides must have stored the same, or the ratio compares nothing.
fn same_bytes(setup: &Setup, ours: &str, theirs: &str) -> anyhow::Result<()> {
    let (ours, theirs) = (setup.weigh(ours)?, setup.weigh(theirs)?);
    anyhow::ensure!(ours == theirs, "ours stored {ours:?}, bare {theirs:?}");
    Ok(())
}

/// A file of 1,000,000 rows into a new audience: from the first byte sent to the operation's end.
pub fn from_file(setup: &Setup) -> anyhow::Result<Line> {
    let rows = setup.scaled(1_000_000, 1);
    let file = jobs::csv(0..rows);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..setup.runs {
        if run % 2 == 1 {
            theirs.push(file_bare(setup, run, rows)?);
        }
        ours.push(file_run(setup, run, &file)?);
        if run % 2 == 0 {
            theirs.push(file_bare(setup, run, rows)?);
        }
    }
    same_bytes(setup, "file-0", "file-bare-0")?;
    Ok(line(
        "upload of a CSV",
        rows,
        &ours,
        &theirs,
        "upload and operation",
        setup.either(0.5, 0.7),
        setup.either(SQLITE, MONGO),
    ))
}

fn file_run(setup: &Setup, run: usize, file: &[u8]) -> anyhow::Result<Run> {
    let server = setup.start(&format!("file-{run}"))?;
    let mut client = connect(&server)?;
    let measured = timed_ours(&server, || {
        let upload = jobs::upload(&mut client, file)?;
        jobs::create(&mut client, "bench", &upload).map(drop)
    })?;
    server.kill();
    Ok(measured)
}

fn file_bare(setup: &Setup, run: usize, rows: u64) -> anyhow::Result<Run> {
    let mut bare = setup.bare(&format!("file-bare-{run}"))?;
    let rows = bare::rows(&*bare, 0..rows)?;
    timed_bare(|| bare.insert(&rows))
}

fn line(
    name: &str,
    rows: u64,
    ours: &[Run],
    theirs: &[Run],
    did: &str,
    least: f64,
    beside: &str,
) -> Line {
    let micros = |runs: &[Run], of: fn(&Run) -> Duration| -> Vec<f64> {
        runs.iter()
            .map(|run| of(run).as_secs_f64() * 1e6 / rows as f64)
            .collect()
    };
    let (wall, bare_wall) = (micros(ours, |run| run.wall), micros(theirs, |run| run.wall));
    Line {
        name: format!("{name}, rows/s over bare"),
        ours: format!(
            "{rows} rows, {did}: {} us/row, CPU {}, of the client {:.2}",
            spread(&wall),
            spread(&micros(ours, |run| run.cpu)),
            median(&micros(ours, |run| run.generator)),
        ),
        measure: format!(
            "the same rows, {beside}: {} us/row, CPU {}",
            spread(&bare_wall),
            spread(&micros(theirs, |run| run.cpu))
        ),
        value: median(&bare_wall) / median(&wall),
        target: Target::AtLeast(least),
    }
}

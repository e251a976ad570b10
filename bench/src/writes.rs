//! Contacts in: over HTTP, and from a file.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    Setup,
    bare::{self, Bare},
    data,
    http::{Client, encode},
    jobs::{self, connect, text},
    server::{Server, cpu_of},
    table::{Line, Target, spread},
};

/// Items of one request.
const ITEMS: u64 = 1_000;

struct Run {
    wall: Duration,
    cpu: Duration,
}

impl Run {
    fn micros_per_row(&self, rows: u64) -> (f64, f64) {
        let per = |d: Duration| d.as_secs_f64() * 1e6 / rows as f64;
        (per(self.wall), per(self.cpu))
    }
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
        "one client, requests of 1,000",
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
    let server = Server::start(&setup.program, &setup.dir(&format!("http-{half}-{run}"))?)?;
    let mut client = connect(&server)?;
    let created = client.json("POST", "/create", &json!({ "name": "bench", "data": [] }))?;
    let id = text(&created, "id")?;
    if half {
        for request in requests(&id, (0..rows / 2).collect()) {
            client.send(&request)?.json()?;
        }
    }
    let requests = requests(&id, numbers(rows, half).collect());
    let before = server.cpu()?;
    let started = Instant::now();
    send_all(&mut client, &requests)?;
    Ok(Run {
        wall: started.elapsed(),
        cpu: server.cpu()?.saturating_sub(before),
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

fn send_all(client: &mut Client, requests: &[Vec<u8>]) -> anyhow::Result<()> {
    for request in requests {
        let answer = client.send(request)?;
        anyhow::ensure!(answer.status == 200, "status {}", answer.status);
    }
    Ok(())
}

fn bare_run(setup: &Setup, run: usize, rows: u64, half: bool) -> anyhow::Result<Run> {
    let mut bare = Bare::create(&setup.dir(&format!("bare-{half}-{run}"))?.join("bare.db"))?;
    if half {
        bare.upsert(&bare::rows(0..rows / 2), 1)?;
    }
    timed_bare(&mut bare, &bare::rows(numbers(rows, half)))
}

fn timed_bare(bare: &mut Bare, rows: &[(String, String)]) -> anyhow::Result<Run> {
    let before = cpu_of("self")?;
    let started = Instant::now();
    bare.upsert(rows, 2)?;
    Ok(Run {
        wall: started.elapsed(),
        cpu: cpu_of("self")?.saturating_sub(before),
    })
}

/// A file of 1,000,000 rows into a new audience: from the first byte sent to the operation's end.
pub fn from_file(setup: &Setup) -> anyhow::Result<Line> {
    let rows = setup.scaled(1_000_000, 1);
    let file = setup.root.join("contacts.csv");
    jobs::csv(&file, 0..rows)?;
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
    Ok(line(
        "upload of a CSV",
        rows,
        &ours,
        &theirs,
        "upload and operation",
    ))
}

fn file_run(setup: &Setup, run: usize, file: &Path) -> anyhow::Result<Run> {
    let server = Server::start(&setup.program, &setup.dir(&format!("file-{run}"))?)?;
    let mut client = connect(&server)?;
    let body = std::fs::read(file)?;
    let before = server.cpu()?;
    let started = Instant::now();
    let upload = jobs::upload(&mut client, &body)?;
    jobs::create(&mut client, "bench", &upload)?;
    Ok(Run {
        wall: started.elapsed(),
        cpu: server.cpu()?.saturating_sub(before),
    })
}

fn file_bare(setup: &Setup, run: usize, rows: u64) -> anyhow::Result<Run> {
    let mut bare = Bare::create(&setup.dir(&format!("file-bare-{run}"))?.join("bare.db"))?;
    timed_bare(&mut bare, &bare::rows(0..rows))
}

fn line(name: &str, rows: u64, ours: &[Run], theirs: &[Run], did: &str) -> Line {
    let wall =
        |runs: &[Run]| -> Vec<f64> { runs.iter().map(|r| r.micros_per_row(rows).0).collect() };
    let cpu =
        |runs: &[Run]| -> Vec<f64> { runs.iter().map(|r| r.micros_per_row(rows).1).collect() };
    let (our_wall, bare_wall) = (wall(ours), wall(theirs));
    let median = |values: &[f64]| crate::table::quantile(values, 0.5);
    Line {
        name: format!("{name} ({rows} rows; {did})"),
        ours: format!("{} us/row, CPU {}", spread(&our_wall), spread(&cpu(ours))),
        measure: format!(
            "bare {} us/row, CPU {}",
            spread(&bare_wall),
            spread(&cpu(theirs))
        ),
        value: median(&bare_wall) / median(&our_wall),
        target: Target::AtLeast(0.5),
    }
}

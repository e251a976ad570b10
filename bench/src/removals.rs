//! Recycling, undoing, and reading meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    Setup,
    bare::{self, Bare},
    data::{self, Random},
    http::{Client, encode},
    jobs::{self, connect},
    server::Server,
    table::{Line, Target, ms, quantile, spread},
};

/// Recycles 1,000,000 minus 250,000 by documents, without load and under it, and undoes it.
pub fn recycling(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let rows = setup.scaled(1_000_000, 100);
    let removed = rows / 4;
    let file = setup.root.join("recycle.csv");
    jobs::csv(&file, 0..rows)?;
    let server = Server::start(&setup.program, &setup.dir("recycle")?)?;
    let mut client = connect(&server)?;
    let upload = jobs::upload(&mut client, &std::fs::read(&file)?)?;
    let audience = jobs::create(&mut client, "bench", &upload)?;
    let mut list = "document\n".to_owned();
    (0..removed).for_each(|n| {
        list.push_str(&data::document(n * 4));
        list.push('\n');
    });
    let (mut quiet, mut undo) = (Vec::new(), Vec::new());
    for _ in 0..setup.runs {
        let started = Instant::now();
        let upload = jobs::upload(&mut client, list.as_bytes())?;
        let rules = json!({ "upload_id": upload });
        let (operation, _) = jobs::recycle(&mut client, &audience, &rules)?;
        quiet.push(started.elapsed().as_secs_f64());
        undo.push(ms(jobs::undo(&mut client, &operation)?));
    }
    let bare = bare_recycle(setup, rows, removed)?;
    let loaded = under_load(&server, &audience, &list, rows)?;
    let ratio = |values: &[f64]| quantile(values, 0.5) / bare;
    let measure = format!("bare {bare:.2} s: keyed tombstones and one scan");
    let mut lines = vec![Line {
        name: format!("recycle {rows} minus {removed}, quiet"),
        ours: format!("{} s from list sent to end", spread(&quiet)),
        measure: measure.clone(),
        value: ratio(&quiet),
        target: Target::AtMost(2.0),
    }];
    lines.extend(loaded.lines(bare, measure));
    lines.push(Line {
        name: "undo p99, ms".into(),
        ours: format!("{} ms, {} times", spread(&undo), undo.len()),
        measure: "limit".into(),
        value: quantile(&undo, 0.99),
        target: Target::AtMost(50.0),
    });
    Ok(lines)
}

fn bare_recycle(setup: &Setup, rows: u64, removed: u64) -> anyhow::Result<f64> {
    let mut bare = Bare::create(&setup.dir("recycle-bare")?.join("bare.db"))?;
    let mut all = bare::rows(0..rows);
    all.sort();
    bare.upsert(&all, 1)?;
    let mut documents: Vec<String> = (0..removed).map(|n| data::document(n * 4)).collect();
    documents.sort();
    let mut times = Vec::new();
    for _ in 0..3 {
        bare.clear_tombstones()?;
        let started = Instant::now();
        bare.entomb(&documents)?;
        let seen = bare.scan()?;
        times.push(started.elapsed().as_secs_f64());
        anyhow::ensure!(seen == rows as i64, "the scan saw {seen}");
    }
    Ok(quantile(&times, 0.5))
}

struct Loaded {
    seconds: f64,
    pages: Vec<f64>,
    inserts: Vec<f64>,
    peak: u64,
}

impl Loaded {
    fn lines(self, bare: f64, measure: String) -> Vec<Line> {
        let limit = |name: &str, values: &[f64], most: f64| Line {
            name: name.into(),
            ours: format!("{} ms, {} times", spread(values), values.len()),
            measure: "limit".into(),
            value: quantile(values, 0.99),
            target: Target::AtMost(most),
        };
        vec![
            Line {
                name: "the same under 50 pages/s, 10 inserts/s".into(),
                ours: format!("{:.2} s", self.seconds),
                measure,
                value: self.seconds / bare,
                target: Target::AtMost(2.0),
            },
            limit("pages under load p99, ms", &self.pages, 50.0),
            limit("inserts under load p99, ms", &self.inserts, 100.0),
            Line {
                name: "peak resident memory, MB".into(),
                ours: "while recycling under load".into(),
                measure: "limit".into(),
                value: self.peak as f64 / 1e6,
                target: Target::AtMost(200.0),
            },
        ]
    }
}

fn under_load(server: &Server, audience: &str, list: &str, rows: u64) -> anyhow::Result<Loaded> {
    let stop = Arc::new(AtomicBool::new(false));
    let last = (rows * 3 / 4 / 100).max(1);
    let path = format!("/api/v1/audiences/{audience}/contacts");
    let pages = {
        let path = path.clone();
        let mut random = Random::new(7);
        open_loop(server, 50, &stop, move |_| {
            let page = random.below(last) + 1;
            encode(
                "GET",
                &format!("{path}?page={page}&per_page=100"),
                "text/plain",
                b"",
            )
        })?
    };
    let inserts = open_loop(server, 10, &stop, move |n| {
        let body = format!(r#"{{"data":[{}]}}"#, data::item(50_000_000 + n));
        encode("POST", &path, "application/json", body.as_bytes())
    })?;
    std::thread::sleep(Duration::from_secs(2));
    server.reset_peak()?;
    let mut client = connect(server)?;
    let started = Instant::now();
    let upload = jobs::upload(&mut client, list.as_bytes())?;
    jobs::recycle(&mut client, audience, &json!({ "upload_id": upload }))?;
    let seconds = started.elapsed().as_secs_f64();
    std::thread::sleep(Duration::from_secs(3));
    stop.store(true, Ordering::Relaxed);
    let joined = |handle: Load| {
        handle
            .join()
            .map_err(|_| anyhow::anyhow!("the load panicked"))?
    };
    Ok(Loaded {
        seconds,
        pages: joined(pages)?,
        inserts: joined(inserts)?,
        peak: server.peak()?,
    })
}

type Load = std::thread::JoinHandle<anyhow::Result<Vec<f64>>>;

/// Requests at a fixed rate; latency counts from when each was to be sent.
fn open_loop(
    server: &Server,
    per_second: u32,
    stop: &Arc<AtomicBool>,
    mut request: impl FnMut(u64) -> Vec<u8> + Send + 'static,
) -> anyhow::Result<Load> {
    let stop = Arc::clone(stop);
    let mut client: Client = connect(server)?;
    let pace = Duration::from_secs(1) / per_second;
    Ok(std::thread::spawn(move || {
        let (mut taken, mut due, mut n) = (Vec::new(), Instant::now(), 0);
        while !stop.load(Ordering::Relaxed) && n < 100_000 {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer = client.send(&request(n))?;
            anyhow::ensure!(answer.status == 200, "status {}", answer.status);
            taken.push(ms(due.elapsed()));
            due += pace;
            n += 1;
        }
        Ok(taken)
    }))
}

/// Pages deep in a large audience of which a fifth was removed, against its first pages.
pub fn deep_pages(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let rows = setup.scaled(5_000_000, 1_000);
    let file = setup.root.join("deep.csv");
    jobs::csv(&file, 0..rows)?;
    let server = Server::start(&setup.program, &setup.dir("deep")?)?;
    let mut client = connect(&server)?;
    let upload = jobs::upload(&mut client, &std::fs::read(&file)?)?;
    let audience = jobs::create(&mut client, "bench", &upload)?;
    let list: String = (0..rows / 5)
        .map(|n| data::document(n * 5) + "\n")
        .collect();
    let upload = jobs::upload(&mut client, format!("document\n{list}").as_bytes())?;
    jobs::recycle(&mut client, &audience, &json!({ "upload_id": upload }))?;
    let pages = rows / 5 * 4 / 100;
    let (deep_from, deep_to) = (pages * 35 / 40, pages);
    let mut random = Random::new(11);
    let (mut first, mut deep) = (Vec::new(), Vec::new());
    // The first answer counts the whole audience once; it is none of the 200.
    timed_page(&mut client, &audience, 1)?;
    for _ in 0..200 {
        first.push(timed_page(
            &mut client,
            &audience,
            random.below(200.min(pages)) + 1,
        )?);
        let page = deep_from + random.below(deep_to - deep_from) + 1;
        deep.push(timed_page(&mut client, &audience, page)?);
    }
    let line = |name: &str, share: f64| Line {
        name: format!("{name} ({rows} minus a fifth)"),
        ours: format!("deep {:.2} ms", quantile(&deep, share)),
        measure: format!("first {:.2} ms", quantile(&first, share)),
        value: quantile(&deep, share) / quantile(&first, share),
        target: Target::AtMost(1.5),
    };
    Ok(vec![
        line("deep pages, median", 0.5),
        line("deep pages, p99", 0.99),
    ])
}

fn timed_page(client: &mut Client, audience: &str, page: u64) -> anyhow::Result<f64> {
    let path = format!("/api/v1/audiences/{audience}/contacts?page={page}&per_page=100");
    let request = encode("GET", &path, "text/plain", b"");
    let started = Instant::now();
    let answer = client.send(&request)?;
    anyhow::ensure!(answer.status == 200, "status {}", answer.status);
    Ok(ms(started.elapsed()))
}

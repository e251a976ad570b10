//! Recycling and undoing, in quiet and under load.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use api_types::operations::RemovalReportJson;

use crate::{
    Setup,
    bare::{self, BareStore},
    data,
    http::Client,
    jobs::{self, connect},
    load::Load,
    server::{Server, cpu_of},
    table::{Line, Target, median, ms, spread},
};

/// Undos in a small audience.
const SMALL_UNDOS: usize = 50;
/// Quiet time before memory after heavy work is looked at.
const REST: Duration = Duration::from_secs(10);

/// Seconds and processor seconds of one run.
struct Run {
    wall: f64,
    cpu: f64,
}

/// One audience, and what is to be removed from it again and again.
struct Ours {
    server: Server,
    client: Client,
    audience: String,
    list: Vec<u8>,
    removed: u64,
    /// The latest recycling.
    last: String,
    undos: Vec<f64>,
}

/// Recycles 1,000,000 minus 250,000 by documents, without load and under it, and undoes it.
pub fn recycling(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let rows = setup.scaled(setup.either(1_000_000, 5_000_000), 1_000);
    let removed = rows / setup.either(4, 5);
    let mut bare = setup.bare("recycle-bare")?;
    for first in (0..rows).step_by(100_000) {
        let batch = bare::rows(&*bare, first..(first + 100_000).min(rows))?;
        bare.insert(&batch)?;
    }
    let mut ours = Ours::create(setup, rows, removed)?;
    let (mut quiet, mut beside) = (Vec::new(), Vec::new());
    for run in 0..setup.runs {
        if run % 2 == 1 {
            beside.push(bare_recycle(bare.as_mut(), rows, removed)?);
        }
        quiet.push(ours.recycle()?);
        ours.undo()?;
        if run % 2 == 0 {
            beside.push(bare_recycle(bare.as_mut(), rows, removed)?);
        }
    }
    let mut lines = vec![against(
        format!("recycle {rows} minus {removed}, quiet, over bare"),
        &quiet,
        &beside,
        Target::AtMost(setup.either(2.0, 1.5)),
        setup.either(
            "1,000 a transaction",
            "insert_many of 1,000, four in flight",
        ),
    )];
    lines.extend(ours.under_load(setup, rows, &beside)?);
    lines.push(Line::p99(
        "undo p99, ms",
        &format!("of {removed} removals, half of them under load"),
        &ours.undos,
        50.0,
    ));
    lines.push(Line::p99(
        "undo p99, small, ms",
        "of 10 removals",
        &ours.small_undos()?,
        50.0,
    ));
    std::thread::sleep(REST);
    lines.push(Line {
        name: "idle memory after all that, MB".into(),
        ours: "resident, 10 s after".into(),
        measure: String::new(),
        value: ours.server.resident()? as f64 / 1e6,
        target: Target::Shown,
    });
    Ok(lines)
}

fn against(name: String, ours: &[Run], bare: &[Run], target: Target, how: &str) -> Line {
    let of =
        |runs: &[Run], value: fn(&Run) -> f64| -> Vec<f64> { runs.iter().map(value).collect() };
    let (wall, beside) = (of(ours, |run| run.wall), of(bare, |run| run.wall));
    Line {
        name,
        ours: format!(
            "list sent to operation ended: {} s, CPU {}",
            spread(&wall),
            spread(&of(ours, |run| run.cpu))
        ),
        measure: format!(
            "keyed tombstones, {how}, and one scan: {} s, CPU {}",
            spread(&beside),
            spread(&of(bare, |run| run.cpu))
        ),
        value: median(&wall) / median(&beside),
        target,
    }
}

fn bare_recycle(bare: &mut dyn BareStore, rows: u64, removed: u64) -> anyhow::Result<Run> {
    bare.clear_tombstones()?;
    let mut documents: Vec<String> = removals(removed).collect();
    // In the order of their keys, as the quickest program would.
    documents.sort();
    let before = cpu_of("self")?;
    let started = Instant::now();
    bare.put_tombstones(&documents)?;
    let seen = bare.scan()?;
    let wall = started.elapsed().as_secs_f64();
    ensure!(seen == i64::try_from(rows)?, "the scan saw {seen}");
    Ok(Run {
        wall,
        cpu: cpu_of("self")?.saturating_sub(before).as_secs_f64(),
    })
}

fn removals(removed: u64) -> impl Iterator<Item = String> {
    (0..removed).map(|n| data::document(n * 4))
}

impl Ours {
    fn create(setup: &Setup, rows: u64, removed: u64) -> anyhow::Result<Self> {
        let server = setup.start("recycle")?;
        let file = jobs::csv(0..rows);
        // Only now: the server closes a connection on which nothing comes for seconds.
        let mut client = connect(&server)?;
        let upload = jobs::upload(&mut client, &file)?;
        drop(file);
        Ok(Self {
            audience: jobs::create(&mut client, "bench", &upload)?,
            server,
            client,
            list: jobs::documents(removals(removed)),
            removed,
            last: String::new(),
            undos: Vec::new(),
        })
    }

    /// Sends the list, recycles by it, and waits for the end.
    fn recycle(&mut self) -> anyhow::Result<Run> {
        // The server closed the last one while the bare store was measured.
        self.client = connect(&self.server)?;
        let before = self.server.cpu()?;
        let started = Instant::now();
        let upload = jobs::upload(&mut self.client, &self.list)?;
        let body = jobs::by_upload(upload);
        let ended = jobs::recycle(&mut self.client, &self.audience, &body)?;
        let wall = started.elapsed().as_secs_f64();
        let report: RemovalReportJson = ended.report_as().context("no report")?;
        let removed = u64::try_from(report.removed)?;
        ensure!(removed == self.removed, "removed {removed}");
        let run = Run {
            wall,
            cpu: self.server.cpu()?.saturating_sub(before).as_secs_f64(),
        };
        eprintln!("  recycled in {:.2} s", run.wall);
        self.last = ended.id;
        Ok(run)
    }

    fn undo(&mut self) -> anyhow::Result<()> {
        let taken = jobs::undo(&mut self.client, &self.last)?;
        self.undos.push(ms(taken));
        Ok(())
    }

    fn under_load(&mut self, setup: &Setup, rows: u64, bare: &[Run]) -> anyhow::Result<Vec<Line>> {
        // Of what is left after the removal, so that every page asked for is there.
        let last = (rows - self.removed) / 100;
        let load = Load::start(self.server.address, &self.audience, last)?;
        std::thread::sleep(Duration::from_secs(2));
        self.server.reset_peak()?;
        // From here to the last answer: undos, and what comes after them, are part of the work.
        let from = Instant::now();
        let mut loaded = Vec::new();
        for _ in 0..setup.runs {
            loaded.push(self.recycle()?);
            self.undo()?;
        }
        let seen = load.finish(from)?;
        let peak = self.server.peak()?;
        let did = "due while recycling and undoing";
        Ok(vec![
            against(
                "the same under 50 pages/s and 10 inserts/s".into(),
                &loaded,
                bare,
                Target::Shown,
                "as above",
            ),
            Line::p99("pages under that load p99, ms", did, &seen.pages, 50.0),
            Line::p99("inserts under that load p99, ms", did, &seen.inserts, 100.0),
            Line::memory(
                "peak resident memory under that load, MB",
                "while recycling and undoing",
                peak,
                setup.either(200.0, 256.0),
            ),
        ])
    }

    fn small_undos(&mut self) -> anyhow::Result<Vec<f64>> {
        let items: Vec<String> = (0..20).map(data::item).collect();
        let id = jobs::create_of(&mut self.client, "small", &items)?;
        let documents: Vec<String> = (0..10).map(data::document).collect();
        let body = jobs::by_documents(documents);
        (0..SMALL_UNDOS)
            .map(|_| {
                let ended = jobs::recycle(&mut self.client, &id, &body)?;
                Ok(ms(jobs::undo(&mut self.client, &ended.id)?))
            })
            .collect()
    }
}

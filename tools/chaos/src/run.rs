//! Runs cases one after the other: load, fault, healing, rest, verdict.

use std::{path::Path, time::Duration};

use anyhow::Context;
use tokio::time::{Instant, timeout};

use crate::{
    cases::{Case, Scene},
    check::Violation,
    load::Load,
    rig::Rig,
    servers::Servers,
};

/// Longest time that a case disturbs.
const DISTURBING: Duration = Duration::from_mins(10);
/// Longest time until the load has begun, or goes on after a fault: leases of dead replicas included.
pub const GOING: Duration = Duration::from_secs(120);
/// Violations that are told.
const TOLD: usize = 12;

/// What all cases run on.
pub struct Setting<'a> {
    pub servers: &'a Servers,
    /// audience-service.
    pub program: &'a Path,
    /// Where the logs of failed cases go.
    pub logs: &'a Path,
    /// Fewer faults per case.
    pub short: bool,
}

/// How a case ended.
#[derive(Debug, Default)]
struct Ended {
    faults: u64,
    commands: usize,
    retries: u64,
    reads: u64,
    /// Until the last client had its answer, and until nothing moved any more.
    healed: [Duration; 2],
    violations: Vec<Violation>,
}

impl Ended {
    fn failed(&mut self, invariant: &'static str, error: &anyhow::Error) {
        self.violations.push(Violation {
            invariant,
            what: format!("{error:#}"),
        });
    }
}

/// Runs them, prints a line for each and one for all; whether everything held.
///
/// # Errors
/// When the servers cannot be used.
pub async fn run_all(setting: &Setting<'_>, cases: &[&Case]) -> anyhow::Result<bool> {
    setting.servers.keep_commits().await?;
    let (mut faults, mut failed, begun) = (0, 0, Instant::now());
    for case in cases {
        let begun = Instant::now();
        let ended = run(setting, case).await.unwrap_or_else(|error| {
            let mut ended = Ended::default();
            ended.failed("rig", &error);
            ended
        });
        faults += ended.faults;
        tell(case, &ended, begun.elapsed());
        if !ended.violations.is_empty() {
            failed += 1;
            // The next case shall not fail for what this one left behind.
            setting.servers.restore().await?;
        }
    }
    let (run, seconds) = (cases.len(), begun.elapsed().as_secs());
    println!("{run} cases, {faults} faults, {failed} failed, {seconds} s");
    Ok(failed == 0)
}

fn tell(case: &Case, ended: &Ended, took: Duration) {
    let verdict = if ended.violations.is_empty() {
        "ok"
    } else {
        "FAILED"
    };
    let (faults, commands, retries) = (ended.faults, ended.commands, ended.retries);
    let [answered, rested] = ended.healed.map(|time| time.as_secs());
    let (name, reads, took) = (case.name, ended.reads, took.as_secs());
    println!(
        "{name:<18} {faults:>6} faults {commands:>6} commands {retries:>5} retries {reads:>6} reads, \
         answered after {answered:>3} s, at rest after {rested:>3} s, {took:>4} s  {verdict}"
    );
    for violation in ended.violations.iter().take(TOLD) {
        println!("    {violation}");
    }
    if let Some(more @ 1..) = ended.violations.len().checked_sub(TOLD) {
        println!("    and {more} more");
    }
}

async fn run(setting: &Setting<'_>, case: &Case) -> anyhow::Result<Ended> {
    let short = case.name.split('-').next().unwrap_or_default();
    let started = Rig::start(setting.servers, setting.program, short, case.setup.place);
    let rig = started.await.context("the start")?;
    let load = Load::start(&rig.target(), case.setup.shape);
    let scene = Scene {
        rig: &rig,
        load: &load,
        short: setting.short,
    };
    let mut ended = Ended::default();
    match timeout(DISTURBING, disturb(&scene, case)).await {
        Ok(Ok(faults)) => ended.faults = faults,
        Ok(Err(error)) => ended.failed("case", &error),
        Err(late) => ended.failed("case", &late.into()),
    }
    let judged = judge(&rig, load, &mut ended).await;
    if let Err(error) = judged {
        ended.failed("rig", &error);
    }
    if ended.faults == 0 && ended.violations.is_empty() {
        ended.failed("case", &anyhow::anyhow!("nothing was disturbed"));
    }
    if !ended.violations.is_empty() {
        rig.keep_logs(setting.logs)?;
    }
    Ok(ended)
}

/// Disturbs the load once it is going, and sees it going on afterwards.
async fn disturb(scene: &Scene<'_>, case: &Case) -> anyhow::Result<u64> {
    scene.load.progress(20, GOING).await.context("at first")?;
    let faults = (case.disturb)(scene).await?;
    scene.rig.heal().await?;
    scene.load.progress(20, GOING).await.context("after it")?;
    Ok(faults)
}

/// Ends the load and looks at what is there.
async fn judge(rig: &Rig<'_>, load: Load, ended: &mut Ended) -> anyhow::Result<()> {
    rig.heal().await.context("healing")?;
    let begun = Instant::now();
    let history = load.stop().await;
    let answered = begun.elapsed();
    ended.commands = history.len();
    ended.retries = history.retries();
    ended.reads = history.reads();
    ended.faults += rig.faults() + history.abandonments();
    ended.violations.extend(rig.rest().await);
    ended.healed = [answered, begun.elapsed()];
    ended.violations.extend(rig.verdict(&history).await?);
    rig.finish().await.context("the stop")
}

//! Communications between real services: two replicas of scheduler-service, one of audience-service, one sender.

mod cases;
mod place;

use std::{path::Path, time::Duration};

use futures::future::LocalBoxFuture;
use tokio::time::{Instant, timeout};

pub use cases::CASES;
use place::Place;

use crate::servers::Servers;

/// Longest time that a case takes.
const PATIENCE: Duration = Duration::from_mins(25);

/// What a case does; it answers how often it disturbed.
type Scenario = for<'a> fn(&'a Place<'a>) -> LocalBoxFuture<'a, anyhow::Result<u64>>;

/// A row of the matrix.
pub struct Case {
    /// Begins with the row.
    pub name: &'static str,
    pub what: &'static str,
    /// Customers that there are.
    people: usize,
    run: Scenario,
}

/// Where the programs are, and where the logs of failed cases go.
pub struct Setting<'a> {
    pub servers: &'a Servers,
    /// The directory of the programs.
    pub programs: &'a Path,
    pub logs: &'a Path,
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
        let ended = run(setting, case).await;
        let (name, took) = (case.name, begun.elapsed().as_secs());
        match ended {
            Ok(disturbed) => {
                faults += disturbed;
                println!("{name:<24} {disturbed:>6} faults, {took:>4} s  ok");
            }
            Err(error) => {
                failed += 1;
                println!("{name:<24} {took:>4} s  FAILED\n    {error:#}");
                setting.servers.restore().await?;
            }
        }
    }
    let (run, seconds) = (cases.len(), begun.elapsed().as_secs());
    println!("{run} cases of communications, {faults} faults, {failed} failed, {seconds} s");
    Ok(failed == 0)
}

async fn run(setting: &Setting<'_>, case: &Case) -> anyhow::Result<u64> {
    let place = Place::start(setting, case.people).await?;
    let ended = timeout(PATIENCE, (case.run)(&place)).await;
    let ended = ended.map_err(anyhow::Error::from).flatten();
    if ended.is_err() {
        place.keep_logs(setting.logs)?;
        place.kill().await?;
        return ended;
    }
    place.finish().await?;
    ended
}

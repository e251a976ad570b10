//! Other schedulers on the same servers, with the same due times.

use std::{path::Path, process::Command};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::{
    Setup,
    table::{Line, Target, quantile},
};

/// A script, and what it needs.
const PEERS: [&str; 3] = ["graphile-worker", "pg-boss", "bullmq"];

/// What a script prints: how late each job was, in milliseconds, or why there is none.
#[derive(Deserialize)]
struct Told {
    late: Option<Vec<f64>>,
    left_out: Option<String>,
}

/// How late other schedulers are at so many jobs a second.
pub fn all(setup: &Setup, rate: u64, seconds: u64) -> anyhow::Result<Vec<Line>> {
    let stack = setup.stack.as_ref().context("no servers")?;
    let modules = install()?;
    let jobs = setup.scaled(rate * seconds, 10);
    let mut lines = Vec::new();
    for peer in PEERS {
        let script = modules.join(format!("{peer}.mjs"));
        let output = Command::new("node")
            .arg(&script)
            .args([jobs.to_string(), rate.to_string()])
            .env("DATABASE_URL", stack.postgres())
            .stderr(std::process::Stdio::inherit())
            .output()
            .context("node")?;
        ensure!(
            output.status.success(),
            "{peer} ended with {}",
            output.status
        );
        // Some of them log to the standard output.
        let printed = String::from_utf8(output.stdout)?;
        let last = printed.lines().last().unwrap_or_default();
        let told: Told = serde_json::from_str(last).context(peer)?;
        let late = told.late.unwrap_or_default();
        lines.push(Line {
            name: format!("{peer}, {rate} a second: p99, ms"),
            ours: match told.left_out {
                Some(why) => format!("not measured: {why}"),
                None => format!(
                    "{} jobs: {:.1} ms in the middle, {:.1} at most",
                    late.len(),
                    quantile(&late, 0.5),
                    quantile(&late, 1.0)
                ),
            },
            measure: "beside ours".into(),
            value: quantile(&late, 0.99),
            target: Target::Shown,
        });
    }
    Ok(lines)
}

/// Installs what the scripts need, beside the results of builds.
fn install() -> anyhow::Result<std::path::PathBuf> {
    let modules = Path::new("target/bench-peers");
    std::fs::create_dir_all(modules)?;
    for entry in std::fs::read_dir("bench/peers")? {
        let entry = entry?;
        std::fs::copy(entry.path(), modules.join(entry.file_name()))?;
    }
    let installed = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
        .arg(modules)
        .status()
        .context("npm")?;
    ensure!(installed.success(), "npm install ended with {installed}");
    Ok(modules.to_owned())
}

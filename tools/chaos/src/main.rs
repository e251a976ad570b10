//! Disturbs replicas on real servers, case by case, and says what was lost or doubled.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, ensure};
use chaos::{
    cases::{CASES, Case},
    communications,
    run::{Setting, run_all},
    servers::Servers,
};
use clap::Parser;

/// Disturbs replicas on real servers, case by case. Run it under `deploy/dev/servers run`.
#[derive(Parser)]
struct Args {
    /// The program of audience-service; the one beside this program by default. Other services are beside it.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Names the cases and ends.
    #[arg(long)]
    list: bool,
    /// Only the cases whose names begin so; can be given several times.
    #[arg(long)]
    case: Vec<String>,
    /// Only a few cases, and each of them shorter.
    #[arg(long)]
    sample: bool,
    /// The script that runs the servers.
    #[arg(long, default_value = "deploy/dev/servers")]
    script: PathBuf,
    /// Where the replicas' logs of failed cases go.
    #[arg(long, default_value = "target/chaos")]
    logs: PathBuf,
}

impl Args {
    fn program(&self) -> anyhow::Result<PathBuf> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("audience-service")),
        }
    }

    /// Those of communications, which are never part of the sample.
    fn communications(&self) -> impl Iterator<Item = &'static communications::Case> {
        let named = |name: &str| {
            self.case
                .iter()
                .any(|begins| name.starts_with(begins.as_str()))
        };
        let all = communications::CASES.iter();
        all.filter(move |case| named(case.name) || self.case.is_empty() && !self.sample)
    }

    fn chosen(&self) -> anyhow::Result<Vec<&'static Case>> {
        for name in &self.case {
            let is_known = CASES.iter().any(|case| case.name.starts_with(name))
                || self.communications().next().is_some();
            ensure!(is_known, "no case is called {name}; --list names them");
        }
        let named = |case: &&Case| self.case.iter().any(|name| case.name.starts_with(name));
        let chosen = CASES.iter().filter(|case| match self.case.as_slice() {
            [] => case.sample || !self.sample,
            _ => named(case),
        });
        Ok(chosen.collect())
    }
}

#[tokio::main]
async fn chaos(args: &Args) -> anyhow::Result<bool> {
    let servers = Servers::of_environment(&args.script)?;
    let program = args.program()?;
    let setting = Setting {
        servers: &servers,
        program: &program,
        logs: &args.logs,
        short: args.sample,
    };
    let chosen = args.chosen()?;
    let held = chosen.is_empty() || run_all(&setting, &chosen).await?;
    let cases: Vec<_> = args.communications().collect();
    if cases.is_empty() {
        return Ok(held);
    }
    let setting = communications::Setting {
        servers: &servers,
        programs: program.parent().context("no directory")?,
        logs: &args.logs,
    };
    Ok(communications::run_all(&setting, &cases).await? && held)
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        for case in CASES {
            let sample = if case.sample { "  (sample)" } else { "" };
            println!("{:<24} {}{sample}", case.name, case.what);
        }
        for case in communications::CASES {
            println!("{:<24} {}", case.name, case.what);
        }
        return ExitCode::SUCCESS;
    }
    match chaos(&args).context("chaos") {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

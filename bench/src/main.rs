//! Measures a release build of Plateia beside the bare store, in one run, and prints one table.

mod bare;
mod broker;
mod data;
mod due;
mod http;
mod idle;
mod jobs;
mod live;
mod load;
mod mongo;
mod pages;
mod peers;
mod removals;
mod segments;
mod server;
mod source;
mod stack;
mod table;
mod writes;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Parser;

use crate::{
    bare::{Bare, BareStore, Weight},
    server::Server,
    stack::Stack,
};

/// Measures a release build of Plateia beside the bare store.
#[derive(Parser)]
struct Args {
    /// The program to measure.
    #[arg(long)]
    program: PathBuf,
    /// Measure a replica on PostgreSQL, MongoDB and RabbitMQ, beside the bare driver of MongoDB. Where
    /// the servers are says the environment: run it under `deploy/dev/servers run --durable`.
    #[arg(long)]
    stack: bool,
    /// Where both keep their files; emptied before and after.
    #[arg(long, default_value = "target/bench-data")]
    dir: PathBuf,
    /// Runs of each line that has a bare store beside it.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Share of the full numbers of rows.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// A short look: 2 runs at a scale of 0.02. Ratios at this size say little.
    #[arg(long)]
    quick: bool,
    /// Where the results go for programs.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// Only the group of this name: http, file, recycle, deep, notify, start.
    #[arg(long)]
    only: Option<String>,
}

/// What every measurement needs.
pub struct Setup {
    program: PathBuf,
    root: PathBuf,
    runs: usize,
    scale: f64,
    /// The servers, where a replica is measured and not the one process.
    stack: Option<Stack>,
}

impl Setup {
    /// One of two values: of the one process, or of a replica on servers.
    fn either<T>(&self, embedded: T, stack: T) -> T {
        if self.stack.is_some() {
            stack
        } else {
            embedded
        }
    }

    /// The bare store, empty, under a name.
    fn bare(&self, name: &str) -> anyhow::Result<Box<dyn BareStore>> {
        Ok(match &self.stack {
            Some(stack) => Box::new(stack.mongo(name)?),
            None => Box::new(Bare::create(&self.dir(name)?.join("contacts.db"))?),
        })
    }

    /// The program, started under a name.
    fn start(&self, name: &str) -> anyhow::Result<Server> {
        Server::start(self, name)
    }

    /// What is stored under a name.
    fn weigh(&self, name: &str) -> anyhow::Result<Weight> {
        match &self.stack {
            Some(stack) => stack.database(name)?.weigh(),
            None => bare::weigh(&self.dir(name)?.join("contacts.db")),
        }
    }

    /// A number of rows at this scale, a multiple of `step`.
    fn scaled(&self, full: u64, step: u64) -> u64 {
        ((full as f64 * self.scale) as u64 / step).max(1) * step
    }

    /// An empty directory.
    fn dir(&self, name: &str) -> anyhow::Result<PathBuf> {
        let dir = self.root.join(name);
        std::fs::create_dir_all(&dir)?;
        Ok(dir)
    }
}

type Group = fn(&Setup) -> anyhow::Result<Vec<table::Line>>;

const GROUPS: [(&str, Group); 9] = [
    ("start", idle::starts),
    ("notify", |setup| Ok(vec![idle::notification(setup)?])),
    ("http", |setup| {
        Ok(vec![
            writes::over_http(setup, false)?,
            writes::over_http(setup, true)?,
        ])
    }),
    ("file", |setup| Ok(vec![writes::from_file(setup)?])),
    ("recycle", removals::recycling),
    ("deep", pages::deep),
    ("segments", segments::resolving),
    ("live", live::following),
    ("due", due::all),
];

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let setup = Setup {
        program: args
            .program
            .canonicalize()
            .context("the program is not there")?,
        root: args.dir,
        runs: if args.quick { 2 } else { args.runs.max(1) },
        scale: if args.quick { 0.02 } else { args.scale },
        stack: args.stack.then(Stack::from_env).transpose()?,
    };
    if let Some(only) = &args.only {
        ensure!(
            GROUPS.iter().any(|(name, _)| name == only),
            "no group has the name {only}"
        );
    }
    let mut lines = Vec::new();
    for (name, group) in GROUPS {
        if args.only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        // Other schedulers need npm: only on request.
        if args.only.is_none() && name == "due" {
            continue;
        }
        if args.stack && name == "start" {
            continue;
        }
        eprintln!("measuring {name}");
        let cleaned = || std::fs::remove_dir_all(&setup.root);
        // Nothing there yet is as good as emptied.
        let _ = cleaned();
        std::fs::create_dir_all(&setup.root)?;
        lines.extend(group(&setup).with_context(|| format!("measuring {name}"))?);
        cleaned()?;
    }
    let met = table::print(&lines);
    std::fs::write(&args.json, format!("{:#}\n", table::json(&lines)))
        .with_context(|| format!("writing {}", args.json.display()))?;
    println!(
        "\n{}",
        if met {
            "every target met"
        } else {
            "some targets NOT met"
        }
    );
    Ok(())
}

//! Rows a second without a budget, memory, and what a quiet second run asks for.

use std::{path::Path, sync::Arc, time::Instant};

use domain::operation::{OperationResult, Report};
use import_job_service::use_cases::UseCases;
use ports::importing::{ImportClient, ImportKind};
use reqwest::Method;
use serde_json::Value;

use crate::{
    doubles::Unlimited,
    ground::{Crm, actor, begin, client, database, replica},
};

const MESSAGES: u64 = 10;
/// What is owed at a million rows.
const ROWS_A_SECOND: f64 = 10_000.0;
const MEMORY_MB: u64 = 100;

/// What one import of everything came to.
struct Came {
    rows: u64,
    created: u64,
    pages: u64,
    seconds: f64,
}

async fn import(cases: &UseCases, client: &ImportClient) -> Came {
    let began = Instant::now();
    let mut came = Came {
        rows: 0,
        created: 0,
        pages: 0,
        seconds: 0.0,
    };
    for kind in [ImportKind::Tickets, ImportKind::Contacts] {
        let (run, work) = begin(cases, client, kind).await;
        work.await;
        let run = cases.runs.get(&actor(), run.operation.id).await.unwrap();
        let ended = &run.operation;
        assert_eq!(ended.result, Some(OperationResult::Complete), "{ended:?}");
        let Some(Report::Import(report)) = &ended.report else {
            unreachable!("every import reports")
        };
        assert!(report.balances());
        for counts in [report.tickets, report.messages, report.contacts] {
            came.rows += counts.received;
            came.created += counts.created;
        }
        came.pages += report.pages;
    }
    came.seconds = began.elapsed().as_secs_f64();
    came
}

/// Peak resident memory of this process, which is the replica alone.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

const fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// Measures; answers whether what is owed holds.
pub async fn measure(fake: &Path, rows: u64) -> bool {
    let each = (rows / (MESSAGES + 2)).max(1);
    let options = [
        ("--tickets", each),
        ("--messages", MESSAGES),
        ("--contacts", each),
    ];
    let arguments: Vec<String> = options
        .iter()
        .flat_map(|(name, value)| [(*name).to_owned(), value.to_string()])
        .collect();
    let crm = Crm::start(fake, &arguments);
    let db = database().await;
    let cases = replica(&db, &crm, 1, Arc::new(Unlimited), 60_000);
    let client = client(&cases, &crm).await;
    let first = import(&cases, &client).await;
    println!(
        "first run   {:>9} rows  {:>8.1} s  {:>8.0} rows/s  {:>6.0} requests/s",
        first.created,
        first.seconds,
        rate(first.created, first.seconds),
        rate(first.pages, first.seconds),
    );
    crm.control(Method::DELETE, "log").await;
    let second = import(&cases, &client).await;
    let log: Value = serde_json::from_str(&crm.control(Method::GET, "log").await).unwrap();
    let asked = |list: &str| log.get(list).and_then(Value::as_u64);
    let lists = each.div_ceil(50);
    println!(
        "second run  {:>9} new   {:>8.1} s  pages: tickets {:?}, messages {:?}, contacts {:?}",
        second.created,
        second.seconds,
        asked("tickets"),
        asked("messages"),
        asked("contacts"),
    );
    let memory = peak_mb();
    println!("memory      {memory:>9} MB at its peak");
    let quiet = asked("tickets") == Some(lists)
        && asked("contacts") == Some(lists)
        && asked("messages").unwrap_or(0) == 0;
    let fast = rate(first.created, first.seconds) >= ROWS_A_SECOND;
    let checks = [
        ("10,000 rows a second", fast),
        ("under 100 MB", memory < MEMORY_MB),
        ("a quiet second run", quiet && second.created == 0),
    ];
    for (what, holds) in checks {
        println!("{} {what}", if holds { "ok    " } else { "MISSED" });
    }
    checks.iter().all(|(_, holds)| *holds)
}

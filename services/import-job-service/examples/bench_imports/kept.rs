//! The budget in real time: two replicas, one client, as the CRM counts it.

use std::{path::Path, sync::Arc, time::Duration};

use ports::importing::ImportKind;
use reqwest::Method;
use serde_json::Value;

use crate::ground::{Crm, begin, client, database, replica};

/// Measures; answers whether what is owed holds.
pub async fn measure(fake: &Path, seconds: u64, limit: i64) -> bool {
    let options = [
        "--tickets",
        "100000",
        "--contacts",
        "100000",
        "--delay-ms",
        "100",
    ];
    let crm = Crm::start(fake, &options.map(str::to_owned));
    let db = database().await;
    let replicas = [1, 2].map(|node| replica(&db, &crm, node, Arc::new(db.clone()), limit));
    let [one, _] = &replicas;
    let client = client(one, &crm).await;
    crm.control(Method::DELETE, "log").await;
    let mut workers = Vec::new();
    let kinds = [ImportKind::Tickets, ImportKind::Contacts];
    for (replica, kind) in replicas.iter().zip(kinds) {
        let (_, work) = begin(replica, &client, kind).await;
        workers.push(tokio::spawn(work));
    }
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    workers.iter().for_each(tokio::task::JoinHandle::abort);
    let log = crm.control(Method::GET, "log?window_ms=60500").await;
    let log: Value = serde_json::from_str(&log).unwrap();
    let most = log["most_in_window"].as_i64().unwrap();
    let starts: Vec<u64> = log["starts_ms"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_u64)
        .collect();
    let first = starts.first().copied().unwrap_or(0);
    let later = starts.iter().filter(|at| **at >= first + 60_000).count();
    let owed = limit * i64::try_from(seconds.saturating_sub(60)).unwrap() / 60;
    let used = i64::try_from(later).unwrap() * 100 / owed.max(1);
    let contacts = log["contacts"].as_u64().unwrap();
    println!(
        "{} requests in {seconds} s, {contacts} of them of contacts",
        starts.len()
    );
    println!("most in any 60.5 s: {most} of {limit}; from the second minute on {used} % used");
    most <= limit && used >= 95
}

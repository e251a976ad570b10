//! Starting, idling, and how soon an idle server tells.

use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use api_types::{
    contacts::WrittenJson, notifications::NotificationJson, operations::OperationJson,
};

use crate::{
    Setup, data,
    http::{Answer, encode},
    jobs::{self, connect},
    table::{Line, Target, ms, quantile, spread},
};

/// Times of one measurement.
const TIMES: usize = 200;
/// Starts that are measured.
const STARTS: usize = 5;

/// Request sent to event received, for a recycling of ten contacts.
pub fn notification(setup: &Setup) -> anyhow::Result<Line> {
    let server = setup.start("notify")?;
    let (mut client, mut events) = (connect(&server)?, connect(&server)?);
    events.stream("/api/v1/notifications/stream")?;
    let mut taken = Vec::new();
    for round in 0..TIMES as u64 {
        let items: Vec<String> = (0..20).map(|n| data::item(round * 100 + n)).collect();
        let id = jobs::create_of(&mut client, &format!("n{round}"), &items)?;
        let documents: Vec<String> = (0..10).map(|n| data::document(round * 100 + n)).collect();
        let body = serde_json::to_vec(&jobs::by_documents(documents))?;
        let path = format!("/api/v1/audiences/{id}/recycle");
        let request = encode("POST", &path, "application/json", &body);
        // Idle: what came before is written and told.
        std::thread::sleep(Duration::from_millis(50));
        let started = Instant::now();
        let operation: OperationJson = client.send(&request)?.json()?;
        let event: NotificationJson = serde_json::from_str(&events.event()?)?;
        taken.push(ms(started.elapsed()));
        ensure!(
            event.operation_id == operation.id,
            "told of another operation: {event:?}"
        );
    }
    Ok(Line::p99(
        "request to notification p99, ms",
        "recycle of 10 at an idle server",
        &taken,
        setup.either(100.0, 150.0),
    ))
}

/// Memory of an idle server, and starts: on nothing, and on a million contacts after a kill.
pub fn starts(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let mut empty = Vec::new();
    let mut idle = 0;
    for run in 0..STARTS {
        let server = setup.start(&format!("start-{run}"))?;
        empty.push(ms(server.started_in));
        if run + 1 == STARTS {
            std::thread::sleep(Duration::from_secs(3));
            idle = server.resident()?;
        }
    }
    let rows = setup.scaled(1_000_000, 1_000);
    let full = after_kills(setup, rows)?;
    let start = |name: &str, on: String, values: &[f64]| Line {
        name: format!("start to ready, {name}, slowest, ms"),
        ours: format!(
            "on {on}, until it answers: {} ms, {STARTS} times",
            spread(values)
        ),
        measure: "limit 1000 ms".into(),
        value: quantile(values, 1.0),
        target: Target::AtMost(1_000.0),
    };
    Ok(vec![
        Line::memory(
            "idle memory, MB",
            "resident, 3 s after a start on an empty directory",
            idle,
            60.0,
        ),
        start("empty", "an empty directory".into(), &empty),
        start(
            "killed",
            format!("{rows} contacts, killed while writing"),
            &full,
        ),
    ])
}

fn after_kills(setup: &Setup, rows: u64) -> anyhow::Result<Vec<f64>> {
    let name = "start-full";
    let mut server = setup.start(name)?;
    let mut client = connect(&server)?;
    let upload = jobs::upload(&mut client, &jobs::csv(0..rows))?;
    let audience = jobs::create(&mut client, "bench", &upload)?;
    let mut taken = Vec::new();
    for run in 0..STARTS as u64 {
        let mut writer = connect(&server)?;
        let path = format!("/api/v1/audiences/{audience}/contacts");
        let load = std::thread::spawn(move || {
            let mut written = 0;
            for part in 0..10_000 {
                let first = 20_000_000 + run * 10_000_000 + part * 1_000;
                let items: Vec<String> = (first..first + 1_000).map(data::item).collect();
                let body = format!(r#"{{"data":[{}]}}"#, items.join(","));
                let request = encode("POST", &path, "application/json", body.as_bytes());
                // Ends with the connection: the server is killed while it writes.
                if writer
                    .send(&request)
                    .and_then(Answer::json::<WrittenJson>)
                    .is_err()
                {
                    break;
                }
                written += 1;
            }
            written
        });
        std::thread::sleep(Duration::from_millis(700));
        server.kill();
        let written = load.join().map_err(|_| anyhow!("the writer panicked"))?;
        ensure!(
            (1..10_000).contains(&written),
            "{written} requests were answered"
        );
        server = setup.start(name)?;
        taken.push(ms(server.started_in));
    }
    Ok(taken)
}

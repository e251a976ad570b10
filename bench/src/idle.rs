//! Starting, idling, and how soon an idle server tells.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    Setup, data,
    http::encode,
    jobs::{self, connect, text},
    server::Server,
    table::{Line, Target, ms, quantile, spread},
};

/// Times of one measurement.
const TIMES: usize = 200;
/// Starts that are measured.
const STARTS: usize = 5;

/// Request sent to event received, for a recycling of ten contacts.
pub fn notification(setup: &Setup) -> anyhow::Result<Line> {
    let server = Server::start(&setup.program, &setup.dir("notify")?)?;
    let (mut client, mut events) = (connect(&server)?, connect(&server)?);
    events.stream("/api/v1/notifications/stream")?;
    let mut taken = Vec::new();
    for round in 0..TIMES as u64 {
        let items: Vec<String> = (0..20).map(|n| data::item(round * 100 + n)).collect();
        let body = format!(r#"{{"name":"n{round}","data":[{}]}}"#, items.join(","));
        let request = encode(
            "POST",
            "/api/v1/audiences",
            "application/json",
            body.as_bytes(),
        );
        let created = client.send(&request)?.json()?;
        let id = text(&created, "id")?;
        let documents: Vec<String> = (0..10).map(|n| data::document(round * 100 + n)).collect();
        let body = json!({ "rules": { "documents": documents } }).to_string();
        let path = format!("/api/v1/audiences/{id}/recycle");
        let request = encode("POST", &path, "application/json", body.as_bytes());
        let started = Instant::now();
        client.send(&request)?.json()?;
        events.event()?;
        taken.push(ms(started.elapsed()));
    }
    Ok(Line {
        name: "request to notification p99, ms".into(),
        ours: format!("{} ms, {TIMES} times", spread(&taken)),
        measure: "limit".into(),
        value: quantile(&taken, 0.99),
        target: Target::AtMost(100.0),
    })
}

/// Memory of an idle server, and starts: on nothing, and on a million contacts after a kill.
pub fn starts(setup: &Setup) -> anyhow::Result<Vec<Line>> {
    let mut empty = Vec::new();
    let mut idle = 0;
    for run in 0..STARTS {
        let server = Server::start(&setup.program, &setup.dir(&format!("start-{run}"))?)?;
        empty.push(ms(server.started_in));
        if run + 1 == STARTS {
            std::thread::sleep(Duration::from_secs(3));
            idle = server.resident()?;
        }
    }
    let rows = setup.scaled(1_000_000, 1_000);
    let file = setup.root.join("start.csv");
    jobs::csv(&file, 0..rows)?;
    let dir = setup.dir("start-full")?;
    let mut server = Server::start(&setup.program, &dir)?;
    let mut client = connect(&server)?;
    let upload = jobs::upload(&mut client, &std::fs::read(&file)?)?;
    let audience = jobs::create(&mut client, "bench", &upload)?;
    let mut full = Vec::new();
    for run in 0..STARTS as u64 {
        let mut writer = connect(&server)?;
        let path = format!("/api/v1/audiences/{audience}/contacts");
        let load = std::thread::spawn(move || {
            // Ends with the connection: the server is killed while it writes.
            for part in 0..10_000 {
                let items: Vec<String> = (0..1_000)
                    .map(|n| data::item(20_000_000 + run * 10_000_000 + part * 1_000 + n))
                    .collect();
                let body = format!(r#"{{"data":[{}]}}"#, items.join(","));
                if writer
                    .send(&encode("POST", &path, "application/json", body.as_bytes()))
                    .is_err()
                {
                    return;
                }
            }
        });
        std::thread::sleep(Duration::from_millis(700));
        server.kill()?;
        let _ = load.join();
        server = Server::start(&setup.program, &dir)?;
        full.push(ms(server.started_in));
    }
    let start = |name: String, values: &[f64]| Line {
        name,
        ours: format!("{} ms, {STARTS} times", spread(values)),
        measure: "limit".into(),
        value: quantile(values, 1.0),
        target: Target::AtMost(1_000.0),
    };
    Ok(vec![
        Line {
            name: "idle memory, MB".into(),
            ours: "resident, 3 s after the start".into(),
            measure: "limit".into(),
            value: idle as f64 / 1e6,
            target: Target::AtMost(60.0),
        },
        start("start to ready, empty, ms".into(), &empty),
        start(
            format!("start to ready, {rows} contacts, killed, ms"),
            &full,
        ),
    ])
}

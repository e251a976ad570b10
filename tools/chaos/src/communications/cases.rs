//! What disturbs communications.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, ensure};
use futures::future::{join_all, try_join_all};
use rustix::process::Signal;
use tokio::time::sleep;

use super::{Case, Place};
use crate::servers::Server;

/// Every case.
pub const CASES: &[Case] = &[
    Case {
        name: "K9-crash-points",
        what: "a replica of scheduler-service ends at each point between claim and dispatch",
        people: 1_500,
        run: |place| Box::pin(at_crash_points(place)),
    },
    Case {
        name: "K9-each-service",
        what: "each service is killed on the way of a communication to 100,000 people",
        people: 100_000,
        run: |place| Box::pin(each_service(place)),
    },
    Case {
        name: "C1-clocks",
        what: "one replica's clock is five minutes ahead, the other's five minutes behind",
        people: 100,
        run: |place| Box::pin(clocks(place)),
    },
    Case {
        name: "C2-downtime",
        what: "instants pass while nobody is there",
        people: 100,
        run: |place| Box::pin(downtime(place)),
    },
    Case {
        name: "C3-cancel-races",
        what: "10,000 cancellations race with claims by two replicas; what was cancelled never leaves (I8)",
        people: 10,
        run: |place| Box::pin(cancel_races(place)),
    },
    Case {
        name: "R1-standstill",
        what: "two replicas want the same communications, and one stands still now and then",
        people: 200,
        run: |place| Box::pin(stand_still(place)),
    },
    Case {
        name: "R3-broker-away",
        what: "communications fall due while there is no broker, and a replica goes meanwhile",
        people: 500,
        run: |place| Box::pin(broker_away(place)),
    },
];

/// Until a communication is due that is asked for now.
const SOON: Duration = Duration::from_secs(2);

async fn at_crash_points(place: &Place<'_>) -> anyhow::Result<u64> {
    const POINTS: [&str; 6] = [
        "communication.claiming",
        "communication.claimed",
        "communication.dispatching",
        "communication.dispatched",
        "relay.delivered",
        "relay.marked",
    ];
    let people = 1_500;
    let mut crashes = 0;
    for point in POINTS {
        // Whichever replica is first, it ends there.
        for one in &place.schedulers {
            one.kill().await?;
            one.start_until(point).await?;
        }
        let key = format!("k9-{point}");
        let made = place.schedule(&key, people, SOON).await;
        sleep(SOON + Duration::from_secs(2)).await;
        crashes += place.schedulers.iter().filter(|one| !one.runs()).count();
        for one in &place.schedulers {
            one.kill().await?;
            one.start().await?;
        }
        // One that was asked for before the crash is asked for again under its key.
        let id = match made {
            Ok(id) => id,
            Err(_) => place.schedule(&key, people, SOON).await?,
        };
        place.sent(&id, people).await?;
        place.once_each(&id, people)?;
    }
    ensure!(crashes >= POINTS.len(), "only {crashes} crashes");
    Ok(u64::try_from(crashes)?)
}

async fn each_service(place: &Place<'_>) -> anyhow::Result<u64> {
    let people = 100_000;
    let id = place.schedule("k9-each", people, SOON).await?;
    sleep(SOON).await;
    let mut kills = 0;
    for round in 0..3_u64 {
        for one in place.all() {
            sleep(Duration::from_millis(700 + round * 300)).await;
            one.kill().await?;
            sleep(Duration::from_millis(300)).await;
            one.start().await?;
            kills += 1;
        }
    }
    place.sent(&id, people).await?;
    place.once_each(&id, people)?;
    Ok(kills)
}

/// Replicas whose machines are wrong about the time go by the database's: nothing leaves early, nothing late.
async fn clocks(place: &Place<'_>) -> anyhow::Result<u64> {
    let library = faketime()?;
    for (one, shift) in place.schedulers.iter().zip(["+5m", "-5m"]) {
        one.kill().await?;
        let shifted = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME", shift),
            ("DONT_FAKE_MONOTONIC", "1"),
        ];
        one.start_with(&shifted).await?;
    }
    let (wait, early) = (Duration::from_secs(8), Duration::from_secs(1));
    let begun = tokio::time::Instant::now();
    let mut ids = Vec::new();
    for n in 0..20 {
        let left = wait.saturating_sub(begun.elapsed());
        ids.push(place.schedule(&format!("c1-{n}"), 100, left).await?);
    }
    sleep((wait - early).saturating_sub(begun.elapsed())).await;
    ensure!(place.file()?.is_empty(), "something left early");
    for id in ids {
        place.sent(&id, 100).await?;
        place.once_each(&id, 100)?;
    }
    let late = begun.elapsed().saturating_sub(wait);
    ensure!(late < Duration::from_secs(60), "the last one {late:?} late");
    for one in &place.schedulers {
        one.kill().await?;
        one.start().await?;
    }
    Ok(2)
}

/// The library that shifts a process's clock.
fn faketime() -> anyhow::Result<String> {
    let found = std::fs::read_dir("/usr/lib")?.filter_map(|entry| {
        let path = entry.ok()?.path().join("faketime/libfaketime.so.1");
        path.is_file().then(|| path.display().to_string())
    });
    let mut found = found;
    found
        .next()
        .context("no libfaketime: install it (apt-get install libfaketime)")
}

async fn downtime(place: &Place<'_>) -> anyhow::Result<u64> {
    let mut ids = Vec::new();
    for n in 0..10_u64 {
        let wait = SOON + Duration::from_millis(n * 200);
        ids.push(place.schedule(&format!("c2-{n}"), 100, wait).await?);
    }
    for one in &place.schedulers {
        one.kill().await?;
    }
    sleep(SOON + Duration::from_secs(4)).await;
    ensure!(
        place.file()?.is_empty(),
        "something left while nobody was there"
    );
    place.heal().await?;
    for id in ids {
        place.sent(&id, 100).await?;
        place.once_each(&id, 100)?;
    }
    Ok(2)
}

async fn cancel_races(place: &Place<'_>) -> anyhow::Result<u64> {
    let (rounds, at_once) = (40, 250);
    let mut won: BTreeMap<u16, usize> = BTreeMap::new();
    let (mut cancelled, mut sent) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // All of a round fall due at about one instant, while their cancellations come.
        let wait = Duration::from_secs(8);
        let begun = tokio::time::Instant::now();
        let key = |n: usize| format!("c3-{round}-{n}");
        let keys: Vec<String> = (0..at_once).map(key).collect();
        let made = keys.iter().map(|key| {
            let left = wait.saturating_sub(begun.elapsed());
            place.schedule(key, 1, left)
        });
        let ids: Vec<String> = try_join_all(made).await?;
        let spread = (0..at_once).map(|n| Duration::from_millis(u64::try_from(n).unwrap_or(0) * 2));
        let races = ids.iter().zip(spread).map(async |(id, after)| {
            let until = wait.saturating_sub(Duration::from_millis(200)) + after;
            sleep(until.saturating_sub(begun.elapsed())).await;
            let request = place.caller.delete(&format!("/api/v1/communications/{id}"));
            let answer = place.caller.answer(&request, &place.history, 0).await?;
            anyhow::Ok((id.clone(), answer.status))
        });
        for raced in join_all(races).await {
            let (id, status) = raced?;
            *won.entry(status).or_default() += 1;
            match status {
                200 => cancelled.push(id),
                409 => sent.push(id),
                status => anyhow::bail!("{id}: {status}"),
            }
        }
    }
    for id in &sent {
        place.sent(id, 1).await?;
    }
    // Whatever was on its way has come by now.
    sleep(Duration::from_secs(3)).await;
    let file = place.file()?;
    for id in &sent {
        let times = file.get(id).map(|times| times.values().sum::<usize>());
        ensure!(times == Some(1), "{id} left {times:?} times");
    }
    for id in &cancelled {
        ensure!(!file.contains_key(id), "{id} was cancelled and left");
    }
    println!("    {} cancelled, {} sent", cancelled.len(), sent.len());
    ensure!(
        !cancelled.is_empty() && !sent.is_empty(),
        "one side always won: {won:?}"
    );
    Ok(u64::try_from(rounds * at_once)?)
}

async fn stand_still(place: &Place<'_>) -> anyhow::Result<u64> {
    let mut ids = Vec::new();
    for n in 0..100_u64 {
        let wait = SOON + Duration::from_millis(n * 100);
        ids.push(place.schedule(&format!("r1-{n}"), 200, wait).await?);
    }
    let mut stops = 0;
    for turn in 0..6 {
        for one in place.schedulers.iter().skip(turn % 2).take(1) {
            one.signal(Signal::STOP)?;
            sleep(Duration::from_millis(1_500)).await;
            one.signal(Signal::CONT)?;
            stops += 1;
        }
    }
    for id in ids {
        place.sent(&id, 200).await?;
        place.once_each(&id, 200)?;
    }
    Ok(stops)
}

async fn broker_away(place: &Place<'_>) -> anyhow::Result<u64> {
    let id = place.schedule("r3", 500, SOON).await?;
    place.servers.down(Server::Rabbitmq, "KILL").await?;
    sleep(SOON + Duration::from_secs(2)).await;
    for one in place.schedulers.iter().take(1) {
        one.kill().await?;
    }
    place.servers.up(Server::Rabbitmq).await?;
    place.heal().await?;
    place.sent(&id, 500).await?;
    place.once_each(&id, 500)?;
    Ok(2)
}

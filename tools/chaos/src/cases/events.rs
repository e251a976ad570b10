//! Events that come several times, in another order, or make no sense.

use std::{sync::atomic::Ordering, time::Duration};

use anyhow::ensure;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use rand::{Rng, seq::SliceRandom};
use tokio::time::sleep;

use super::Scene;
use crate::{
    broker::{Broker, Message},
    observe::FINISHED,
    run::GOING,
};

/// Puts each message into the service's queue up to so many times, in any order.
async fn repeat(broker: &Broker, messages: &[Message], most: u32) -> anyhow::Result<u64> {
    let mut copies = Vec::new();
    for message in messages {
        let times = rand::rng().random_range(1..=most);
        copies.extend((0..times).map(|_| message));
    }
    copies.shuffle(&mut rand::rng());
    let queue = broker.notifications();
    for message in &copies {
        broker.put(&queue, message).await?;
    }
    Ok(u64::try_from(copies.len())?)
}

/// E1: every event again, several times, long after it was worked on.
pub async fn duplicate(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let broker = scene.rig.broker().await?;
    let mut copies = 0;
    for _ in 0..scene.either(6, 2) {
        scene.load.progress(60, GOING).await?;
        scene.rig.hear().await?;
        let mut heard = scene.rig.heard();
        // Of the others nobody in the service wants to know.
        heard.retain(|message| message.header("ce-type").as_deref() == Some(FINISHED));
        copies += repeat(&broker, &heard, 5).await?;
    }
    Ok(copies)
}

/// E2: events come in another order than they happened, each of them for the first time.
pub async fn shuffle(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let (broker, queue) = (
        scene.rig.broker().await?,
        scene.rig.broker().await?.notifications(),
    );
    let mut shuffled = 0;
    for _ in 0..scene.either(3, 1) {
        for replica in &scene.rig.replicas {
            replica.stop().await?;
            replica
                .start_with(&[("PLATEIA__ROLES", "api,workers,relay")])
                .await?;
        }
        scene.load.progress(80, GOING).await?;
        let kept = broker.drain(&queue).await?;
        ensure!(!kept.is_empty(), "nothing was kept");
        shuffled += repeat(&broker, &kept, 2).await?;
        for replica in &scene.rig.replicas {
            replica.stop().await?;
            replica.start().await?;
        }
    }
    Ok(shuffled)
}

fn headers(event_type: &str, id: &str) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", id),
        ("ce-type", event_type),
        ("ce-subject", "op_1"),
        ("ce-workspace", "ws0"),
        ("ce-aggregateversion", "1"),
    ] {
        table.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    BasicProperties::default().with_headers(table)
}

/// Messages that nobody can work on.
fn poison(round: u64) -> Vec<Message> {
    let bodies = [
        (BasicProperties::default(), b"not an event".to_vec()),
        (headers(FINISHED, &format!("p1-{round}")), b"{".to_vec()),
        (
            headers(FINISHED, &format!("p2-{round}")),
            b"{\"data\":{}}".to_vec(),
        ),
        (headers(FINISHED, ""), vec![0xff; 9 << 20]),
    ];
    let message = |(properties, body)| Message { properties, body };
    bodies.into_iter().map(message).collect()
}

async fn put_poison(scene: &Scene<'_>, broker: &Broker, round: u64) -> anyhow::Result<u64> {
    let poison = poison(round);
    let count = u64::try_from(poison.len())?;
    for message in &poison {
        broker.put(&broker.notifications(), message).await?;
        scene.rig.dead_expected.fetch_add(1, Ordering::Relaxed);
    }
    Ok(count)
}

/// E3: what cannot be worked on is put aside, and its neighbours are not.
pub async fn send_poison(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let broker = scene.rig.broker().await?;
    let mut sent = 0;
    for round in 0..scene.either(10, 3) {
        sent += put_poison(scene, &broker, round).await?;
        scene.load.progress(10, GOING).await?;
    }
    Ok(sent)
}

/// E4: the queue for it is missing: it is kept until that is there again.
pub async fn send_poison_nowhere(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let mut sent = 0;
    for round in 0..scene.either(5, 2) {
        let broker = scene.rig.broker().await?;
        // What is there now goes with it.
        sleep(Duration::from_secs(2)).await;
        let gone = broker.delete(&broker.dead()).await?;
        scene.rig.dead_expected.fetch_sub(gone, Ordering::Relaxed);
        sent += put_poison(scene, &broker, round).await? + 1;
        scene.load.progress(10, GOING).await?;
        sleep(Duration::from_secs(18)).await;
    }
    Ok(sent)
}

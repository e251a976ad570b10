//! A broker that loses what was declared, or takes nothing.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::sleep;

use super::Scene;
use crate::{
    broker::Broker,
    run::GOING,
    servers::{Server, until},
};

/// Longest wait for what is declared again every 15 seconds.
const HEALED: Duration = Duration::from_secs(45);

/// B2: commands are answered while there is no broker; their events come later.
pub async fn away(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let servers = scene.rig.servers;
    servers.down(Server::Rabbitmq, "TERM").await?;
    let commands = usize::try_from(scene.either(1_000, 100))?;
    let all = scene.load.progress(commands, GOING * 3).await;
    servers.up(Server::Rabbitmq).await?;
    all.context("while the broker was away")?;
    Ok(1)
}

/// B4: the binding goes away.
pub async fn unbind(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let broker = scene.rig.broker().await?;
    let times = scene.either(5, 2);
    for _ in 0..times {
        let queue = broker.notifications();
        broker.unbind(&queue, "operation.finished.v1").await?;
        scene.load.progress(30, GOING).await?;
        sleep(Duration::from_secs(3)).await;
    }
    Ok(times)
}

/// B5: the broker takes nothing, for one of its alarms; it still delivers.
pub async fn block(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let servers = scene.rig.servers;
    let alarms = [
        (
            ["set_disk_free_limit", "999GB"].as_slice(),
            ["set_disk_free_limit", "50MB"].as_slice(),
        ),
        (
            &["set_vm_memory_high_watermark", "absolute", "1MB"],
            &["set_vm_memory_high_watermark", "absolute", "1GB"],
        ),
    ];
    for (on, off) in alarms {
        servers.rabbitmqctl(on).await?;
        sleep(Duration::from_secs(scene.either(20, 12))).await;
        let going = scene.load.progress(30, GOING).await;
        servers.rabbitmqctl(off).await?;
        going.context("while publishers were blocked")?;
        scene.load.progress(20, GOING).await?;
    }
    Ok(2)
}

/// Deletes a queue at a moment when nothing is in it and nothing on its way: what a deleted queue held
/// is gone, and nobody promised otherwise.
async fn delete_empty(scene: &Scene<'_>, broker: &Broker) -> anyhow::Result<()> {
    let mut sql = scene.rig.sql().await?;
    let queue = broker.notifications();
    for _ in 0..200 {
        let held = sql.transaction().await?;
        // No event is made, claimed or marked as sent meanwhile.
        held.batch_execute("LOCK TABLE outbox IN EXCLUSIVE MODE")
            .await?;
        sleep(Duration::from_millis(300)).await;
        let waiting = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND attempts > 0";
        let waiting: i64 = held.query_one(waiting, &[]).await?.get(0);
        if waiting == 0 && broker.depth(&queue).await? == 0 {
            broker.delete(&queue).await?;
            return Ok(());
        }
        drop(held);
        sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the queue was never empty")
}

/// B6: the queue is deleted; it and its consumer come again.
pub async fn delete_queue(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let times = scene.either(6, 2);
    for _ in 0..times {
        let broker = scene.rig.broker().await?;
        delete_empty(scene, &broker).await?;
        drop(broker);
        until("the queue to come again", HEALED, async || {
            match scene.rig.broker().await {
                Ok(broker) => broker.depth(&broker.notifications()).await.is_ok(),
                Err(_) => false,
            }
        })
        .await?;
        scene.load.progress(20, GOING).await?;
    }
    Ok(times)
}

/// B6: connections are closed by the broker.
pub async fn close_connections(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let times = scene.either(10, 3);
    for _ in 0..times {
        let servers = scene.rig.servers;
        servers
            .rabbitmqctl(&["close_all_connections", "chaos"])
            .await?;
        scene.load.progress(10, GOING).await?;
    }
    ensure!(times > 0, "never");
    Ok(times)
}

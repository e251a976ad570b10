//! Replicas that die at a chosen point.

use std::time::Duration;

use anyhow::Context;

use super::Scene;
use crate::{run::GOING, servers::Server};

/// Longest time until a point is reached under load.
const REACHED: Duration = Duration::from_secs(90);

/// Lets the purges that come with removals begin at once.
const PURGE_NOW: &str = "
    CREATE FUNCTION purge_now() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.not_before := now();
        RETURN NEW;
    END $$;
    CREATE TRIGGER purge_now BEFORE INSERT ON operations FOR EACH ROW
    WHEN (NEW.kind = 'purge') EXECUTE FUNCTION purge_now();";

/// Kills each replica in turn at each point, at its first occurrences after a start.
async fn die_at(scene: &Scene<'_>, points: &[&str]) -> anyhow::Result<u64> {
    let mut deaths = 0;
    for hit in 1..=scene.either(3, 1) {
        for point in points {
            let replica = scene.replica(deaths)?;
            replica
                .stop()
                .await
                .with_context(|| format!("before {point}"))?;
            replica.start_until(&format!("{point}:{hit}")).await?;
            let ended = replica.ended(REACHED).await;
            ended.with_context(|| format!("{point}:{hit} was not reached"))?;
            replica.start().await?;
            deaths += 1;
            let going = scene.load.progress(5, GOING).await;
            going.with_context(|| format!("after {point}:{hit}"))?;
        }
    }
    Ok(deaths)
}

/// K1: nothing of it counts, and the repetition under the same key does it once.
pub async fn before_commit(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let points = [
        "create.begun",
        "create.before_flip",
        "write.intent_committed",
    ];
    die_at(scene, &points).await
}

/// K2: the repetition gets the stored answer.
pub async fn after_commit(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let points = ["create.flipped", "write.closed", "request.before_answer"];
    die_at(scene, &points).await
}

/// K3: an event may come twice, its effect does not.
pub async fn in_delivery(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let points = [
        "relay.delivered",
        "relay.marked",
        "consume.stored",
        "notify.stored",
    ];
    die_at(scene, &points).await
}

/// K4: readers see what was there before; another replica goes on.
pub async fn in_removal(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let points = [
        "recycle.started",
        "recycle.batch_marked",
        "recycle.checkpointed",
        "recycle.before_flip",
    ];
    die_at(scene, &points).await
}

/// K4 for what else takes several steps.
pub async fn in_long_work(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let points = [
        "copy.batch_stored",
        "upload.spooled",
        "upload.batch_stored",
        "upload.before_finish",
        "clear.before_flip",
        "undo.before_flip",
    ];
    die_at(scene, &points).await
}

/// K5: readers see what is there afterwards.
pub async fn after_removal(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let points = [
        "recycle.flipped",
        "clear.flipped",
        "undo.flipped",
        "upload.finished",
    ];
    die_at(scene, &points).await
}

/// K5: what nobody sees any more is deleted to its end.
pub async fn in_purge(scene: &Scene<'_>) -> anyhow::Result<u64> {
    scene.rig.sql().await?.batch_execute(PURGE_NOW).await?;
    die_at(scene, &["purge.batch"]).await
}

/// Has a replica die at a point, and a store right after it.
async fn die_with(scene: &Scene<'_>, point: &str, store: Server) -> anyhow::Result<u64> {
    let mut deaths = 0;
    for _ in 0..scene.either(3, 1) {
        let replica = scene.replica(deaths)?;
        replica.stop().await?;
        replica.start_until(point).await?;
        replica.ended(REACHED).await?;
        scene.rig.servers.down(store, "KILL").await?;
        scene.rig.servers.up(store).await?;
        replica.start().await?;
        scene.load.progress(5, GOING).await?;
        deaths += 2;
    }
    Ok(deaths)
}

/// K6: single removals; then a store dies in the middle of them.
pub async fn in_single_removals(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let mut deaths = die_at(scene, &["remove.tombstones_written", "remove.closed"]).await?;
    for store in [Server::Mongodb, Server::Postgres] {
        deaths += die_with(scene, "remove.tombstones_written", store).await?;
    }
    Ok(deaths)
}

/// M4: contacts are stored and nobody has counted them; then their store dies as well.
pub async fn between_the_stores(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let deaths = die_at(scene, &["write.contacts_stored"]).await?;
    Ok(deaths + die_with(scene, "write.contacts_stored", Server::Mongodb).await?)
}

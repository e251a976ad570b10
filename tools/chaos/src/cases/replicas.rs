//! Replicas that die, stand still, are replaced, or lose what they hold.

use std::time::Duration;

use rand::Rng;
use rustix::process::Signal;
use tokio::time::sleep;

use super::{LAPSED, Scene};
use crate::run::GOING;

/// Takes operations and writes away from whoever works on them. An operation that was claimed more than
/// ten times without progress is given up (`too_many_crashes`): that is another case.
const TAKE_LEASES: &str = "
    UPDATE operations SET lease_until = now() - interval '1 s'
    WHERE state = 'running' AND lease_until > now() AND claims < 8;
    UPDATE write_intents SET lease_until = now() - interval '1 s'
    WHERE ended_revision IS NULL AND lease_until > now();";

/// K10: a replica stands still until others have taken over what it had, and then goes on.
pub async fn stand_still(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let stops = scene.either(3, 1);
    for turn in 0..stops {
        let replica = scene.replica(turn)?;
        replica.signal(Signal::STOP)?;
        sleep(LAPSED).await;
        replica.signal(Signal::CONT)?;
        scene.load.progress(10, GOING).await?;
    }
    Ok(stops)
}

/// R1: several replicas want the same work, while any of them may die or stand still.
pub async fn at_random(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let faults = scene.either(16, 4);
    for turn in 0..faults {
        let replica = scene.replica(turn)?;
        let pause = Duration::from_millis(rand::rng().random_range(200..3_000));
        if rand::random() {
            replica.kill().await?;
            sleep(pause).await;
            replica.start().await?;
        } else {
            replica.signal(Signal::STOP)?;
            let is_long = turn % 4 == 3;
            sleep(if is_long { LAPSED } else { pause }).await;
            replica.signal(Signal::CONT)?;
        }
        scene.load.progress(3, GOING).await?;
    }
    Ok(faults)
}

/// R3: leases end while their holders are alive and work on.
pub async fn lose_leases(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let (rounds, mut taken) = (scene.either(400, 60), 0);
    let sql = scene.rig.sql().await?;
    for _ in 0..rounds {
        sleep(Duration::from_millis(rand::rng().random_range(20..150))).await;
        for statement in TAKE_LEASES.split_inclusive(';') {
            taken += sql.execute(statement, &[]).await?;
        }
    }
    Ok(taken)
}

/// P1: a deployment in the middle of everything.
pub async fn deploy(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let stops = scene.either(10, 4);
    for turn in 0..stops {
        let replica = scene.replica(turn)?;
        replica.stop().await?;
        replica.start().await?;
        scene.load.progress(5, GOING).await?;
    }
    Ok(stops)
}

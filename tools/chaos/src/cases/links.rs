//! Connections that are cut, stand still, or are slow.

use std::time::Duration;

use test_kit::proxy::{AtCommit, Proxy, Rules};
use tokio::time::sleep;

use super::Scene;
use crate::{run::GOING, servers::until};

/// Time that one fault lasts.
fn while_faulty(scene: &Scene<'_>) -> Duration {
    Duration::from_secs(scene.either(30, 10))
}

/// Every so many bytes a connection is cut, wherever it is; then all of them at once, several times.
/// The proxy counts the faults.
pub async fn cut(scene: &Scene<'_>, proxy: &Proxy, every: u64) -> anyhow::Result<u64> {
    proxy.set(Rules {
        cut_every: Some(every),
        ..Rules::default()
    });
    sleep(while_faulty(scene)).await;
    proxy.heal();
    for _ in 0..scene.either(10, 3) {
        scene.load.progress(5, GOING).await?;
        proxy.cut();
    }
    proxy.set(Rules {
        refuse: true,
        ..Rules::default()
    });
    proxy.cut();
    sleep(while_faulty(scene) / 3).await;
    proxy.heal();
    Ok(0)
}

/// Nothing passes, and no end hears of it.
pub async fn stall(scene: &Scene<'_>, proxy: &Proxy) -> anyhow::Result<u64> {
    for _ in 0..scene.either(2, 1) {
        proxy.set(Rules {
            stall: true,
            ..Rules::default()
        });
        sleep(while_faulty(scene)).await;
        proxy.heal();
        scene.load.progress(10, GOING).await?;
    }
    Ok(0)
}

/// Everything passes, a little at a time.
pub async fn slow(scene: &Scene<'_>, proxy: &Proxy, rate: u64) -> anyhow::Result<u64> {
    proxy.set(Rules {
        bytes_per_second: Some(rate),
        ..Rules::default()
    });
    sleep(while_faulty(scene)).await;
    proxy.heal();
    Ok(0)
}

/// D2: nobody knows whether it was committed.
pub async fn lose_commits(scene: &Scene<'_>, what: AtCommit) -> anyhow::Result<u64> {
    let proxy = &scene.rig.postgres;
    for _ in 0..scene.either(10, 2) {
        proxy.at_commits(what, 5);
        until("commits", GOING, async || proxy.commits_left() == 0).await?;
        proxy.heal();
        scene.load.progress(5, GOING).await?;
    }
    Ok(0)
}

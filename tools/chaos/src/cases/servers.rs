//! Servers that go away and come back.

use std::time::Duration;

use anyhow::Context;
use mongodb::bson::{Bson, Document, doc};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use super::{LAPSED, Scene};
use crate::{run::GOING, servers::Server};

/// By now every client has sent something.
const SENT: Duration = Duration::from_secs(3);

/// Stops a server by a signal and starts it again.
pub async fn restart(
    scene: &Scene<'_>,
    server: Server,
    signal: &str,
    times: u64,
) -> anyhow::Result<u64> {
    let servers = scene.rig.servers;
    for _ in 0..times {
        servers.down(server, signal).await?;
        servers.up(server).await?;
        scene.load.progress(10, GOING).await?;
    }
    Ok(times)
}

/// The server stands still for a while.
pub async fn stand_still(scene: &Scene<'_>, server: Server) -> anyhow::Result<u64> {
    let pid = scene.rig.servers.pid(server)?;
    let pid = Pid::from_raw(pid).context("no process id")?;
    let times = scene.either(3, 1);
    for _ in 0..times {
        kill_process(pid, Signal::STOP)?;
        sleep(Duration::from_secs(scene.either(20, 10))).await;
        kill_process(pid, Signal::CONT)?;
        scene.load.progress(10, GOING).await?;
    }
    Ok(times)
}

/// M1: while the server stands still, a replica dies: what it had sent is carried out when the server
/// goes on, at the moment when others come to repair it.
pub async fn outlive(scene: &Scene<'_>, server: Server) -> anyhow::Result<u64> {
    let pid = scene.rig.servers.pid(server)?;
    let pid = Pid::from_raw(pid).context("no process id")?;
    let times = scene.either(3, 1);
    for turn in 0..times {
        let replica = scene.replica(turn)?;
        kill_process(pid, Signal::STOP)?;
        sleep(SENT).await;
        replica.kill().await?;
        sleep(LAPSED).await;
        kill_process(pid, Signal::CONT)?;
        replica.start().await?;
        scene.load.progress(10, GOING).await?;
    }
    Ok(2 * times)
}

/// M1: the primary gives up its office, and is elected again.
pub async fn step_down(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let times = scene.either(5, 2);
    for _ in 0..times {
        let command = doc! { "replSetStepDown": 3, "force": true };
        scene.rig.servers.mongodb_admin(command).await?;
        sleep(Duration::from_secs(3)).await;
        scene.load.progress(10, GOING).await?;
    }
    Ok(times)
}

/// Lets one in so many of these commands fail, also after they were done.
fn failures() -> Vec<Document> {
    let commands = ["insert", "update", "delete", "find", "aggregate", "getMore"];
    let done = doc! { "code": 91, "errmsg": "shut down while waiting for the majority" };
    [
        doc! { "errorCode": 10107 },
        doc! { "errorCode": 11600 },
        doc! { "errorCode": 50 },
        doc! { "closeConnection": true },
        doc! { "writeConcernError": done },
        doc! { "errorCode": 91, "errorLabels": [] },
    ]
    .into_iter()
    .map(|mut data| {
        data.insert("failCommands", commands.to_vec());
        data
    })
    .collect()
}

/// How often a fail point has struck.
fn failed(point: &Document) -> u64 {
    let count = match point.get("count") {
        Some(Bson::Int32(count)) => i64::from(*count),
        Some(Bson::Int64(count)) => *count,
        _ => 0,
    };
    u64::try_from(count).unwrap_or_default()
}

/// M2: the server answers with errors.
pub async fn fail_commands(scene: &Scene<'_>) -> anyhow::Result<u64> {
    let servers = scene.rig.servers;
    let mut faults = 0;
    for data in failures() {
        for chance in [0.05, 0.3] {
            let mode = doc! { "activationProbability": chance };
            let on = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": &data };
            servers.mongodb_admin(on).await?;
            sleep(Duration::from_secs(scene.either(8, 2))).await;
            let off = doc! { "configureFailPoint": "failCommand", "mode": "off" };
            let counted = servers.mongodb_admin(off).await?;
            faults += failed(&counted);
            scene.load.progress(5, GOING).await?;
        }
    }
    Ok(faults)
}

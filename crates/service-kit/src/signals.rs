//! What other replicas commit wakes this one.

use adapter_sql::pg::{Listener, Notice};
use kernel::{Topic, Wake};
use runtime::Lifecycle;

/// Passes what the database announces on to `wake`, until the process is to stop.
pub fn listen_to_replicas(listener: Listener, wake: Wake, life: &Lifecycle) {
    let soft = life.soft();
    life.spawn_named("signals", async move {
        tokio::select! {
            () = listener.run(move |notice| wake_by(notice, &wake)) => {}
            () = soft.cancelled() => {}
        }
    });
}

fn wake_by(notice: Notice, wake: &Wake) {
    match notice {
        Notice::Outbox => wake.outbox(),
        Notice::Work => wake.work(),
        Notice::Cancel(id) => wake.publish(Topic::Cancel(id)),
        Notice::Operation(id) => wake.publish(Topic::Operation(id)),
        Notice::Feed(workspace, user) => wake.publish(Topic::Feed(workspace, user)),
        // Streams and heartbeats look again within a second.
        Notice::Missed => {
            wake.outbox();
            wake.work();
        }
    }
}

//! Events belong to the trace of the request that they come of, also those of its operation.

use std::time::Duration;

use ports::{bus::OutboxQueue, trace};

use crate::rig::Rig;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_a_recycling_names_the_request() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a", "b"]).await;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned();
    let asking = rig.ask_to_recycle(id, &["a"], true);
    trace::scope(Some(traceparent.clone()), asking).await;
    rig.work().await;
    let (now, lease) = (rig.app.clock.now(), Duration::from_secs(60));
    let claims = OutboxQueue::claim(&rig.db, 100, now, lease).await.unwrap();
    let mut traced = Vec::new();
    for claim in &claims {
        let found = events::traceparent(&claim.event.payload);
        let kind = claim.event.event_type.as_str();
        match found {
            Some(found) => {
                assert_eq!(found, traceparent, "{kind}");
                traced.push(kind);
            }
            None => assert_eq!(kind, "plateia.audience.created.v1", "made before"),
        }
    }
    traced.sort_unstable();
    let expected = [
        "plateia.audience.created.v1",
        "plateia.audience.recycle_completed.v1",
        "plateia.audience.recycle_requested.v1",
        "plateia.operation.finished.v1",
    ];
    assert_eq!(traced, expected);
}

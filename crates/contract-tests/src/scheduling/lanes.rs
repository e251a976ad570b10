//! Cases of dispatches that wait.

use std::time::Duration;

use domain::{
    customer::Channel,
    scheduling::{DispatchId, Lane, RecipientKey},
    shared::CommunicationId,
    workspace::{FrequencyCap, SendingRules, TimeZone},
};
use ports::scheduling::Waiting;

use super::{ScheduleHarness, add, at, begin, communication, workspace};

fn lane(id: i64, ws: &str, due: Option<i64>) -> Lane {
    Lane {
        communication: CommunicationId::from_raw(id),
        workspace: workspace(ws),
        occurrence: 1,
        due_at: due.map(at),
        next_slot: at(7),
        waiting: 3,
        rules: SendingRules {
            frequency_cap: Some(FrequencyCap { count: 1, days: 2 }),
            ..SendingRules::default()
        },
    }
}

fn waiting(id: i64, key: i64, release: i64) -> Waiting {
    Waiting {
        dispatch: DispatchId {
            communication: CommunicationId::from_raw(id),
            occurrence: 1,
            channel: Channel::Sms,
            recipient: RecipientKey::customer(key),
        },
        release_at: at(release),
        zone: TimeZone::America__Manaus,
        sealed: vec![0, 255, u8::try_from(key).unwrap()],
    }
}

pub async fn what_waits_is_read_in_the_order_of_its_instants(h: &impl ScheduleHarness) {
    let id = CommunicationId::from_raw(1);
    let all = [waiting(1, 1, 30), waiting(1, 2, 10), waiting(1, 3, 20)];
    let mut unit = begin(h).await;
    let mut lanes = unit.lanes();
    lanes.add(&all).await.unwrap();
    lanes.add(&[waiting(2, 1, 1)]).await.unwrap();
    assert_eq!(lanes.earliest(id).await.unwrap(), Some(at(10)));
    let [first, second, third] = all;
    let ready = lanes.ready(id, at(20), 9).await.unwrap();
    assert!(ready == [second.clone(), third.clone()]);
    let ready = lanes.ready(id, at(30), 1).await.unwrap();
    assert!(ready == [second.clone()]);
    lanes.remove(&[second.dispatch]).await.unwrap();
    // What is added again waits for another instant.
    let later = Waiting {
        release_at: at(40),
        ..third
    };
    lanes.add(std::slice::from_ref(&later)).await.unwrap();
    let ready = lanes.ready(id, at(99), 9).await.unwrap();
    assert!(ready == [first.clone(), later.clone()]);
    lanes
        .remove(&[first.dispatch, later.dispatch])
        .await
        .unwrap();
    assert_eq!(lanes.earliest(id).await.unwrap(), None);
    let other = CommunicationId::from_raw(2);
    assert_eq!(lanes.earliest(other).await.unwrap(), Some(at(1)));
    drop(lanes);
    unit.commit().await.unwrap();
}

pub async fn lanes_are_due_at_their_instants_unless_they_are_paused(h: &impl ScheduleHarness) {
    let all = [
        lane(1, "w1", Some(20)),
        lane(2, "w2", Some(10)),
        lane(3, "w1", None),
    ];
    let mut unit = begin(h).await;
    for lane in &all {
        unit.lanes().save(lane).await.unwrap();
        let read = unit.lanes().get(lane.communication).await.unwrap();
        assert_eq!(read.as_ref(), Some(lane));
    }
    unit.commit().await.unwrap();
    assert_eq!(h.queries().next_due().await.unwrap(), Some(at(10)));
    let due = h.queries().due_lanes(at(20), 9).await.unwrap();
    let due: Vec<i64> = due.into_iter().map(|(_, id)| id.raw()).collect();
    assert_eq!(due, [2, 1]);
    assert_eq!(h.queries().due_lanes(at(20), 1).await.unwrap().len(), 1);
    assert_eq!(h.queries().due_lanes(at(9), 9).await.unwrap(), []);
    let mut unit = begin(h).await;
    let mut empty = lane(2, "w2", Some(10));
    empty.waiting = 0;
    unit.lanes().save(&empty).await.unwrap();
    assert_eq!(unit.lanes().get(empty.communication).await.unwrap(), None);
    unit.commit().await.unwrap();
    assert_eq!(h.queries().next_due().await.unwrap(), Some(at(20)));
}

pub async fn only_one_takes_a_communication(h: &impl ScheduleHarness) {
    add(h, &[communication(1, "w1", 9)]).await;
    let id = CommunicationId::from_raw(1);
    let mut unit = begin(h).await;
    let taken = unit.communications().take(&workspace("w1"), id).await;
    assert!(taken.unwrap().is_some());
    let foreign = unit.communications().take(&workspace("w2"), id).await;
    assert!(foreign.unwrap().is_none());
    drop(unit);
    // A transaction that is dropped ends in its own time.
    for _ in 0..500 {
        let mut unit = begin(h).await;
        let taken = unit.communications().take(&workspace("w1"), id).await;
        if taken.unwrap().is_some() {
            return;
        }
        drop(unit);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it was never given back");
}

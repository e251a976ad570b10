//! Events of who enters and leaves segments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
    time::Duration,
};

use audience_service::{segment::SizeGuard, workspace::SettingsChange};
use domain::shared::AudienceId;
use events::{IntegrationEvent, v1::AudienceMembersChanged};
use ports::bus::OutboxQueue;

use crate::{
    membership::{in_recife, live_in, refresh, rig},
    rig::Rig,
};

/// What somebody knows of members who receives every event.
#[derive(Default)]
pub struct Subscriber {
    members: BTreeMap<String, BTreeSet<String>>,
    /// Events so far, and the most members that one of them had.
    pub events: usize,
    pub most: usize,
}

impl Subscriber {
    /// Asks for events of members.
    pub async fn subscribe(rig: &Rig, wanted: bool) {
        let change = SettingsChange {
            member_events: Some(wanted),
            ..SettingsChange::default()
        };
        let workspaces = &rig.app.workspaces;
        workspaces.change(&rig.actor(), None, change).await.unwrap();
    }

    /// Receives what is published.
    pub async fn receive(&mut self, rig: &Rig) {
        rig.app.upkeep.member_events.round().await.unwrap();
        loop {
            let now = rig.ports.clock.now();
            let claimed = rig.db.claim(100, now, Duration::from_secs(60)).await;
            let claimed = claimed.unwrap();
            if claimed.is_empty() {
                return;
            }
            let ids: Vec<_> = claimed.iter().map(|c| c.event.event_id.clone()).collect();
            rig.db.mark_sent(&ids, now).await.unwrap();
            for claim in claimed {
                if claim.event.event_type == AudienceMembersChanged::TYPE {
                    self.apply(&claim.event.payload);
                }
            }
        }
    }

    fn apply(&mut self, payload: &[u8]) {
        let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
        let data = event.get("data").unwrap().clone();
        let data: AudienceMembersChanged = serde_json::from_value(data).unwrap();
        self.events += 1;
        self.most = self.most.max(data.entered.len() + data.left.len());
        let members = self.members.entry(data.audience_id).or_default();
        members.extend(data.entered.into_iter().map(|member| {
            assert!(member.customer_id.is_some());
            member.key
        }));
        for member in data.left {
            members.remove(&member.key);
        }
    }

    /// Members of an audience, by the events.
    pub fn members(&self, id: AudienceId) -> Vec<String> {
        let members = self.members.get(&id.to_string());
        members.into_iter().flatten().cloned().collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_refreshes_say_who_enters_and_leaves() {
    let (rig, clock) = rig(SizeGuard::default()).await;
    let mut subscriber = Subscriber::default();
    Subscriber::subscribe(&rig, true).await;
    let id = in_recife(&rig).await;
    live_in(&rig, &[("A", "Recife"), ("B", "Recife"), ("C", "Natal")]).await;
    refresh(&rig, id).await;
    subscriber.receive(&rig).await;
    assert_eq!(subscriber.members(id), ["A", "B"]);
    live_in(&rig, &[("A", "Natal"), ("C", "Recife")]).await;
    clock.0.store(10, Ordering::SeqCst);
    refresh(&rig, id).await;
    subscriber.receive(&rig).await;
    assert_eq!(subscriber.members(id), ["B", "C"]);
    assert_eq!(subscriber.events, 2);
    // Where nobody asks, nothing is published, nor later.
    Subscriber::subscribe(&rig, false).await;
    live_in(&rig, &[("B", "Natal")]).await;
    refresh(&rig, id).await;
    Subscriber::subscribe(&rig, true).await;
    subscriber.receive(&rig).await;
    assert_eq!(subscriber.events, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_has_at_most_500_members() {
    let (rig, _) = rig(SizeGuard::default()).await;
    let mut subscriber = Subscriber::default();
    Subscriber::subscribe(&rig, true).await;
    let id = in_recife(&rig).await;
    let keys: Vec<String> = (0..1_201).map(|n| format!("K{n}")).collect();
    let people: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "Recife")).collect();
    for part in people.chunks(400) {
        live_in(&rig, part).await;
    }
    refresh(&rig, id).await;
    subscriber.receive(&rig).await;
    assert_eq!(subscriber.members(id).len(), people.len());
    assert_eq!((subscriber.events, subscriber.most), (3, 500));
}

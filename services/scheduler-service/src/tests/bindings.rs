//! What holds dispatches back: quiet hours, rates, frequency caps, pauses.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    customer::Channel,
    scheduling::{
        CommunicationState, Message, Misfire, Plan, QuietHours, RecipientStatus, Recipients, Timing,
    },
    shared::Instant,
    workspace::SendingRules,
};
use serde_json::json;

use super::{Rig, actor, minutes};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn plan(send_at: Instant, customers: Vec<i64>) -> Plan {
    Plan {
        timing: Timing::At(send_at),
        recipients: Recipients::Customers(customers),
        channels: BTreeSet::from([Channel::Sms]),
        message: Message {
            text: Some("Hi".to_owned()),
            ..Message::default()
        },
        misfire: Misfire::Send,
        quiet_hours: QuietHours::Respect,
        transactional: false,
        rate_per_minute: None,
        freshness_minutes: None,
        recycle: None,
    }
}

fn nights() -> SendingRules {
    serde_json::from_value(json!({"quiet_hours": [{"from": "21:00:00", "to": "08:00:00"}]}))
        .unwrap()
}

/// When each customer was written to, as RFC 3339 in UTC without the date.
fn times(rig: &Rig) -> Vec<String> {
    let left = rig.left.iter().map(|(id, at)| {
        let key = id.rsplit('.').next().unwrap();
        format!("{key} {}", at.format("%d %H:%M:%S"))
    });
    left.collect()
}

#[tokio::test]
async fn quiet_hours_hold_until_the_morning_of_each_recipient() {
    let mut rig = Rig::new(nights()).await;
    rig.set(at("2026-12-01T12:00:00Z"));
    // 00:30 UTC: 21:30 in São Paulo (3), 19:30 in New York (1), 01:30 in Berlin (2).
    let start = at("2026-12-02T00:30:00Z");
    let id = rig.create(plan(start, vec![1, 2, 3])).await;
    let foreseen = rig
        .cases
        .preview
        .plan(&actor(), plan(start, vec![1, 2, 3]))
        .await;
    let foreseen = foreseen.unwrap();
    let sms = &foreseen.channels[&Channel::Sms];
    assert_eq!((sms.dispatches, sms.held), (1, 2));
    let held: Vec<Instant> = foreseen.held.keys().copied().collect();
    assert_eq!(
        held,
        [at("2026-12-02T07:00:00Z"), at("2026-12-02T11:00:00Z")]
    );
    assert_eq!(foreseen.estimated_end, at("2026-12-02T11:00:00Z"));
    rig.run_until(start).await;
    assert_eq!(times(&rig), ["1 02 00:30:00"]);
    let (communication, totals) = rig.get(id).await;
    assert_eq!(communication.state, CommunicationState::Dispatching);
    assert_eq!(totals.of(&[RecipientStatus::Held]), 2);
    rig.restart();
    rig.run_until(start + minutes(24 * 60)).await;
    assert_eq!(
        times(&rig),
        ["1 02 00:30:00", "2 02 07:00:00", "3 02 11:00:00"]
    );
    let (communication, totals) = rig.get(id).await;
    assert_eq!(communication.state, CommunicationState::Completed);
    assert_eq!(totals.of(&[RecipientStatus::Dispatched]), 3);
}

#[tokio::test]
async fn what_is_transactional_or_ignores_quiet_hours_is_not_held() {
    let mut rig = Rig::new(nights()).await;
    rig.set(at("2026-12-01T12:00:00Z"));
    let start = at("2026-12-02T00:30:00Z");
    for change in [
        |plan: &mut Plan| plan.transactional = true,
        |plan: &mut Plan| plan.quiet_hours = QuietHours::Ignore,
    ] {
        let mut plan = plan(start, vec![2]);
        change(&mut plan);
        rig.create(plan).await;
    }
    rig.run_until(start).await;
    assert_eq!(rig.left.len(), 2);
}

#[tokio::test]
async fn a_rate_is_kept_and_a_pause_holds_what_has_not_left() {
    let mut rig = Rig::new(SendingRules::default()).await;
    let start = rig.now() + minutes(1);
    let id = rig
        .create(Plan {
            rate_per_minute: Some(60),
            ..plan(start, (1..=300).collect())
        })
        .await;
    rig.run_until(start + minutes(2)).await;
    let count = rig.left.len();
    assert!((118..=122).contains(&count), "{count}");
    let paused = rig.cases.change.pause(&actor(), id).await.unwrap();
    assert_eq!(paused.state, CommunicationState::Paused);
    rig.run_until(start + minutes(60)).await;
    assert_eq!(rig.left.len(), count, "nothing leaves while it is paused");
    assert!(rig.cases.change.cancel(&actor(), id).await.is_err());
    rig.cases.change.resume(&actor(), id).await.unwrap();
    rig.run_until(start + minutes(61)).await;
    let more = rig.left.len() - count;
    assert!((58..=64).contains(&more), "{more}");
    rig.run_until(start + minutes(70)).await;
    assert_eq!(rig.left.len(), 300);
    let (communication, totals) = rig.get(id).await;
    assert_eq!(communication.state, CommunicationState::Completed);
    assert_eq!(totals.of(&[RecipientStatus::Dispatched]), 300);
}

#[tokio::test]
async fn a_pause_before_recipients_are_found_holds_all_of_them() {
    let mut rig = Rig::new(SendingRules::default()).await;
    let start = rig.now() + minutes(1);
    let id = rig.create(plan(start, vec![1, 2])).await;
    rig.set(start);
    rig.cases.engine.round().await.unwrap();
    rig.cases.change.pause(&actor(), id).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.left.len(), 0);
    let (_, totals) = rig.get(id).await;
    assert_eq!(totals.of(&[RecipientStatus::Pending]), 2);
    rig.cases.change.resume(&actor(), id).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.left.len(), 2);
    assert_eq!(rig.get(id).await.0.state, CommunicationState::Completed);
}

#[tokio::test]
async fn nobody_gets_more_than_the_frequency_cap_allows() {
    let rules = json!({"frequency_cap": {"count": 2, "days": 7}});
    let mut rig = Rig::new(serde_json::from_value(rules).unwrap()).await;
    let start = rig.now() + minutes(1);
    let mut ids = Vec::new();
    for day in 0..4 {
        let at = start + TimeDelta::days(day);
        ids.push(rig.create(plan(at, vec![1])).await);
        let urgent = Plan {
            transactional: true,
            ..plan(at, vec![1])
        };
        rig.create(urgent).await;
    }
    // The first one counts no longer.
    let last = start + TimeDelta::days(7) + minutes(1);
    ids.push(rig.create(plan(last, vec![1, 2])).await);
    rig.run_until(last - minutes(5)).await;
    let foreseen = plan(last - minutes(2), vec![1]);
    let foreseen = rig.cases.preview.plan(&actor(), foreseen).await.unwrap();
    assert_eq!(foreseen.channels[&Channel::Sms].skipped["frequency_cap"], 1);
    rig.run_until(last).await;
    let mut skipped = Vec::new();
    for id in ids {
        skipped.push(rig.get(id).await.1.of(&[RecipientStatus::Skipped]));
    }
    assert_eq!(skipped, [0, 0, 1, 1, 0]);
    assert_eq!(rig.left.len(), 2 + 4 + 2);
}

#[tokio::test]
async fn who_shares_an_address_gets_one() {
    let mut rig = Rig::new(SendingRules::default()).await;
    let start = rig.now() + minutes(1);
    let plan = plan(start, (900..2_100).collect());
    let foreseen = rig
        .cases
        .preview
        .plan(&actor(), plan.clone())
        .await
        .unwrap();
    assert_eq!((foreseen.recipients, foreseen.duplicates()), (1_200, 1_099));
    rig.create(plan).await;
    rig.run_until(start).await;
    assert_eq!(rig.left.len(), 101);
}

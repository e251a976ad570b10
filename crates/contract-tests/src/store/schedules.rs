//! When audiences are refreshed by themselves.

use domain::{
    audience::{Audience, AudienceChange, AudienceStatus, AudienceType, Definition},
    shared::{AudienceName, Instant},
};
use ports::store::DueRefresh;
use serde_json::json;

use super::{StoreHarness, add, at, audience, begin, with, workspace};

/// An audience with conditions that is refreshed at these times, in UTC.
async fn scheduled(h: &dyn StoreHarness, name: &str, cron: &str) -> Audience {
    let mut made = audience(&workspace("w"), name).defined(at_times(cron));
    add(h, &mut made).await;
    made
}

fn at_times(cron: &str) -> Definition {
    let condition = json!({"kind": "tag", "operator": "has", "value": "a"});
    Definition {
        groups: vec![json!({"conditions": [condition]})],
        audience_type: AudienceType::parse(
            &json!({"type": "scheduled", "cron": cron, "timezone": "UTC"}),
            "",
        )
        .unwrap(),
        ..Definition::default()
    }
}

async fn save(
    h: &dyn StoreHarness,
    audience: &mut Audience,
    change: impl FnOnce(&mut Audience) -> bool,
) {
    let version = audience.version;
    assert!(change(audience), "a change");
    let mut uow = begin(h).await;
    uow.audiences().save(audience, version).await.unwrap();
    uow.commit().await.unwrap();
}

async fn next(h: &dyn StoreHarness, audience: &Audience) -> Option<Instant> {
    let next = h.queries().next_refresh(&audience.workspace, audience.id);
    next.await.unwrap()
}

async fn due(h: &dyn StoreHarness, now: Instant, limit: usize) -> Vec<DueRefresh> {
    h.queries().due_refreshes(now, limit).await.unwrap()
}

async fn reschedule(h: &dyn StoreHarness, due: &DueRefresh, next: Option<Instant>) -> bool {
    let mut uow = begin(h).await;
    let moved = uow.schedules().reschedule(due, next).await.unwrap();
    uow.commit().await.unwrap();
    moved
}

fn hour(hour: i64) -> Instant {
    // `at(0)` is eight in the morning, and a bit.
    "2027-01-15T00:00:00Z".parse::<Instant>().unwrap() + chrono::TimeDelta::hours(hour)
}

pub async fn a_segment_has_a_next_refresh_while_it_is_in_use(h: &dyn StoreHarness) {
    let mut made = scheduled(h, "a", "0 * * * *").await;
    assert_eq!(next(h, &made).await, Some(hour(9)));
    save(h, &mut made, |a| a.pass_to(AudienceStatus::Draft, at(1))).await;
    assert_eq!(next(h, &made).await, None, "a draft");
    save(h, &mut made, |a| {
        a.pass_to(AudienceStatus::Active, at(7200))
    })
    .await;
    assert_eq!(next(h, &made).await, Some(hour(11)));
    save(h, &mut made, |a| a.drop_at(at(7201))).await;
    assert_eq!(next(h, &made).await, None, "dropped");
    save(h, &mut made, |a| a.restore(at(7202))).await;
    assert_eq!(next(h, &made).await, Some(hour(11)));
    let unscheduled = Definition {
        audience_type: AudienceType::default(),
        ..at_times("0 * * * *")
    };
    save(h, &mut made, |a| a.define(unscheduled, at(7203))).await;
    assert_eq!(next(h, &made).await, None, "static");
    let list = super::added(h, &workspace("w"), "list").await;
    assert_eq!(next(h, &list).await, None, "a list");
}

pub async fn other_times_move_the_next_refresh(h: &dyn StoreHarness) {
    let mut made = scheduled(h, "a", "0 * * * *").await;
    // Its time has come, and nobody has taken it yet.
    let rename = AudienceChange {
        name: Some(AudienceName::parse("b").unwrap()),
        ..AudienceChange::default()
    };
    save(h, &mut made, |a| a.describe(rename, at(7200))).await;
    assert_eq!(next(h, &made).await, Some(hour(9)), "it stays due");
    save(h, &mut made, |a| a.define(at_times("30 * * * *"), at(7200))).await;
    let half_past_ten = hour(10) + chrono::TimeDelta::minutes(30);
    assert_eq!(next(h, &made).await, Some(half_past_ten));
}

pub async fn the_longest_overdue_is_due_first(h: &dyn StoreHarness) {
    let ten = scheduled(h, "ten", "0 10 * * *").await;
    let nine = scheduled(h, "nine", "0 9 * * *").await;
    let eleven = scheduled(h, "eleven", "0 11 * * *").await;
    assert_eq!(due(h, at(0), 10).await, []);
    let ids = |due: Vec<DueRefresh>| due.iter().map(|d| d.audience).collect::<Vec<_>>();
    assert_eq!(ids(due(h, hour(10), 10).await), [nine.id, ten.id]);
    assert_eq!(ids(due(h, hour(12), 1).await), [nine.id]);
    let all = due(h, hour(12), 10).await;
    assert_eq!(all[2].since, hour(11));
    assert_eq!(
        (all[2].audience, &all[2].workspace),
        (eleven.id, &eleven.workspace)
    );
}

pub async fn of_several_one_takes_a_due_refresh(h: &dyn StoreHarness) {
    let made = scheduled(h, "a", "0 9 * * *").await;
    let taken = due(h, hour(9), 10).await.remove(0);
    let foreign = DueRefresh {
        workspace: workspace("other"),
        ..taken.clone()
    };
    assert!(!reschedule(h, &foreign, None).await);
    let take = || reschedule(h, &taken, Some(hour(33)));
    let (one, two) = tokio::join!(take(), take());
    assert!(one != two, "one of the two");
    assert_eq!(next(h, &made).await, Some(hour(33)));
    let last = due(h, hour(33), 10).await.remove(0);
    assert!(reschedule(h, &last, None).await);
    assert_eq!(next(h, &made).await, None);
    assert!(!reschedule(h, &last, None).await);
}

pub async fn schedules_stay_in_their_workspace(h: &dyn StoreHarness) {
    let made = scheduled(h, "a", "0 9 * * *").await;
    let foreign = with(&made, |data| data.workspace = workspace("other"));
    assert_eq!(next(h, &foreign).await, None);
    let mut uow = begin(h).await;
    let refused = uow.audiences().save(&foreign, foreign.version).await;
    assert!(refused.is_err());
    drop(uow);
    assert_eq!(next(h, &made).await, Some(hour(9)));
}

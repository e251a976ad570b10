//! The rate budget.

use std::time::Duration;

use domain::importing::{ApiToken, BaseUrl, BudgetKey, RequestsPerMinute};
use futures::future::join_all;
use ports::crm::Reserved;

use super::ImportHarness;

fn key(token: &str) -> BudgetKey {
    let url = BaseUrl::parse("https://crm.example/api").unwrap();
    BudgetKey::of(&url, &ApiToken::parse(token).unwrap())
}

fn rate(number: i64) -> RequestsPerMinute {
    RequestsPerMinute::new(number).unwrap()
}

async fn reserve(harness: &impl ImportHarness, token: &str, limit: i64, wanted: u32) -> Reserved {
    let reserved = harness
        .budget()
        .reserve(&key(token), rate(limit), wanted)
        .await;
    reserved.unwrap()
}

pub async fn replicas_together_stay_within_the_limit(harness: &impl ImportHarness) {
    let askers = (0..8).map(|_| async {
        let mut granted = 0;
        loop {
            match reserve(harness, "secret", 50, 3).await {
                Reserved::Granted(count) => granted += count,
                Reserved::Wait(wait) => {
                    assert!(wait > Duration::from_secs(50) && wait < Duration::from_secs(63));
                    return granted;
                }
            }
        }
    });
    assert_eq!(join_all(askers).await.iter().sum::<u32>(), 50);
    assert_eq!(
        reserve(harness, "another", 5, 9).await,
        Reserved::Granted(5)
    );
    assert_eq!(
        reserve(harness, "secret", 60, 99).await,
        Reserved::Granted(10)
    );
}

pub async fn a_pause_holds_all_who_share_the_budget(harness: &impl ImportHarness) {
    let pause = Duration::from_secs(30);
    harness.budget().pause(&key("secret"), pause).await.unwrap();
    let Reserved::Wait(wait) = reserve(harness, "secret", 50, 1).await else {
        panic!("paused")
    };
    assert!(wait > Duration::from_secs(20) && wait <= pause);
    assert_eq!(
        reserve(harness, "another", 50, 1).await,
        Reserved::Granted(1)
    );
}

//! Cases of the dead letters.

use ports::bus::{DeadLetter, EventId, Redrive, Settlement};

use super::{AUDIT, BusHarness, LEASE, MAIL, at, claim, claimed, event};

async fn bury(harness: &dyn BusHarness, id: &str, seconds: i64) {
    let delivery = claimed(harness, id, at(0)).await;
    let buried = harness
        .inbox()
        .bury(&delivery.receipt, "poison", at(seconds))
        .await
        .unwrap();
    assert_eq!(buried, Settlement::Applied);
}

fn ids(letters: &[DeadLetter]) -> Vec<&str> {
    letters
        .iter()
        .map(|letter| letter.event.event_id.as_str())
        .collect()
}

pub async fn a_buried_delivery_is_listed_not_claimed(harness: &dyn BusHarness) {
    bury(harness, "1", 7).await;
    assert_eq!(claim(harness, 10, at(1_000)).await, []);
    let letters = harness.dead().list(None, None, 10).await.unwrap();
    let expected = DeadLetter {
        subscription: AUDIT,
        event: event("1", "a"),
        attempts: 1,
        reason: "poison".into(),
        buried_at: at(7),
    };
    assert_eq!(letters, [expected]);
    assert_eq!(harness.dead().count().await.unwrap(), 1);
    assert_eq!(
        harness.dead().list(Some(&MAIL), None, 10).await.unwrap(),
        []
    );
}

pub async fn the_list_goes_on_after_a_cursor(harness: &dyn BusHarness) {
    for (id, seconds) in [("3", 5), ("2", 5), ("1", 6), ("4", 4)] {
        bury(harness, id, seconds).await;
    }
    let dead = harness.dead();
    let first = dead.list(Some(&AUDIT), None, 2).await.unwrap();
    assert_eq!(ids(&first), ["4", "2"], "oldest first, then by id");
    let rest = dead
        .list(None, first.last().map(DeadLetter::cursor).as_ref(), 10)
        .await
        .unwrap();
    assert_eq!(ids(&rest), ["3", "1"]);
}

pub async fn a_redrive_starts_anew(harness: &dyn BusHarness) {
    for id in ["1", "2", "3"] {
        bury(harness, id, 1).await;
    }
    let mail = event("1", "a");
    harness.inbox().deliver(&MAIL, &mail, at(0)).await.unwrap();
    let other = harness
        .inbox()
        .claim(&MAIL, 1, at(0), LEASE)
        .await
        .unwrap()
        .remove(0);
    harness
        .inbox()
        .bury(&other.receipt, "poison", at(1))
        .await
        .unwrap();

    let dead = harness.dead();
    let one = Redrive::One(AUDIT, EventId::new("2"));
    assert_eq!(dead.redrive(&one, at(10)).await.unwrap(), 1);
    assert_eq!(
        dead.redrive(&one, at(10)).await.unwrap(),
        0,
        "it is no longer dead"
    );
    let again = claim(harness, 10, at(10)).await;
    assert_eq!(again.len(), 1);
    assert_eq!(
        (again[0].event.event_id.as_str(), again[0].attempt),
        ("2", 1)
    );

    assert_eq!(
        dead.redrive(&Redrive::Subscription(AUDIT), at(10))
            .await
            .unwrap(),
        2
    );
    assert_eq!(dead.redrive(&Redrive::All, at(10)).await.unwrap(), 1);
    assert_eq!(dead.count().await.unwrap(), 0);
}

pub async fn a_redrive_ends_older_claims(harness: &dyn BusHarness) {
    let old = claimed(harness, "1", at(0)).await.receipt;
    harness.inbox().bury(&old, "poison", at(1)).await.unwrap();
    harness.dead().redrive(&Redrive::All, at(2)).await.unwrap();
    let new = claim(harness, 10, at(2)).await.remove(0).receipt;
    assert!(
        new.fence > old.fence,
        "the fence is not reset with the attempts"
    );
    assert_eq!(
        harness.inbox().complete(&old, at(3)).await.unwrap(),
        Settlement::Lost
    );
    assert_eq!(
        harness.inbox().complete(&new, at(3)).await.unwrap(),
        Settlement::Applied
    );
}

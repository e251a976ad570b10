//! Cases of suppressions.

use domain::{
    shared::{SuppressionId, WorkspaceId},
    suppression::{SuppressedHash, Suppression, SuppressionKind, SuppressionReason},
};
use ports::store::SuppressionFilter;

use super::{StoreHarness, at, begin, number, user, workspace};

fn who(kind: SuppressionKind, hash: &str) -> SuppressedHash {
    let hash = hash.to_owned();
    SuppressedHash { kind, hash }
}

fn phone(hash: &str) -> SuppressedHash {
    who(SuppressionKind::Phone, hash)
}

fn new(who: SuppressedHash, reason: SuppressionReason) -> Suppression {
    Suppression {
        id: SuppressionId::from_raw(number()),
        who,
        reason,
        created_by: user(),
        created_at: at(1),
    }
}

async fn add(h: &dyn StoreHarness, ws: &WorkspaceId, new: &[Suppression]) -> Vec<Suppression> {
    let mut uow = begin(h).await;
    let stored = uow.suppressions().add(ws, new).await.unwrap();
    uow.commit().await.unwrap();
    stored
}

async fn remove(
    h: &dyn StoreHarness,
    ws: &WorkspaceId,
    people: &[SuppressedHash],
) -> Vec<SuppressedHash> {
    let mut uow = begin(h).await;
    let mut removed = uow.suppressions().remove(ws, people).await.unwrap();
    uow.commit().await.unwrap();
    removed.sort();
    removed
}

async fn among(
    h: &dyn StoreHarness,
    ws: &WorkspaceId,
    people: &[SuppressedHash],
) -> Vec<SuppressedHash> {
    let found = h.queries().suppressed_among(ws, people).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|one| one.who).collect();
    found.sort();
    found
}

pub async fn whoever_is_suppressed_is_so_once(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let (bounce, manual) = (SuppressionReason::Bounce, SuppressionReason::Manual);
    let first = new(phone("1"), bounce);
    let email = new(who(SuppressionKind::Email, "1"), manual);
    let stored = add(h, &ws, &[first.clone(), email.clone(), first.clone()]).await;
    assert_eq!(stored, [first.clone(), email.clone(), first.clone()]);
    let again = new(phone("1"), manual);
    assert_eq!(add(h, &ws, &[again]).await, std::slice::from_ref(&first));
    assert!(add(h, &ws, &[]).await.is_empty());
    let mut uow = begin(h).await;
    let found = uow.suppressions().get(&ws, first.id).await.unwrap();
    assert_eq!(found, Some(first.clone()));
    let other = workspace("other");
    let found = uow.suppressions().get(&other, first.id).await.unwrap();
    assert_eq!(found, None);
    drop(uow);
    let people = [phone("1"), phone("2"), email.who.clone()];
    assert_eq!(among(h, &ws, &people).await, [phone("1"), email.who]);
    assert!(among(h, &other, &people).await.is_empty());
    assert!(among(h, &ws, &[]).await.is_empty());
}

pub async fn an_erasure_replaces_other_reasons_and_stays(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let before = new(phone("1"), SuppressionReason::Bounce);
    add(h, &ws, std::slice::from_ref(&before)).await;
    let erasure = Suppression {
        created_at: at(2),
        ..new(phone("1"), SuppressionReason::Erasure)
    };
    let id = before.id;
    let erased = Suppression { id, ..erasure };
    let stored = add(h, &ws, &[erasure_of(&erased)]).await;
    assert_eq!(stored, std::slice::from_ref(&erased));
    let manual = new(phone("1"), SuppressionReason::Manual);
    assert_eq!(add(h, &ws, &[manual]).await, std::slice::from_ref(&erased));
    let two = new(phone("2"), SuppressionReason::Manual);
    add(h, &ws, &[two]).await;
    let people = [phone("1"), phone("2"), phone("3")];
    assert!(remove(h, &workspace("other"), &people).await.is_empty());
    assert_eq!(remove(h, &ws, &people).await, [phone("2")]);
    assert_eq!(among(h, &ws, &people).await, [phone("1")]);
    assert!(remove(h, &ws, &[]).await.is_empty());
}

/// The same under an id of its own.
fn erasure_of(erased: &Suppression) -> Suppression {
    Suppression {
        id: SuppressionId::from_raw(number()),
        ..erased.clone()
    }
}

pub async fn suppressions_are_listed_newest_first(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("w"), workspace("other"));
    let (bounce, manual) = (SuppressionReason::Bounce, SuppressionReason::Manual);
    let document = who(SuppressionKind::Document, "1");
    let all = [
        new(phone("1"), bounce),
        new(document, manual),
        new(phone("2"), manual),
    ];
    add(h, &ws, &all).await;
    add(h, &other, &[new(phone("1"), manual)]).await;
    let listed = async |filter: SuppressionFilter| {
        let filter = SuppressionFilter { limit: 2, ..filter };
        let found = h.queries().suppressions(&ws, &filter).await.unwrap();
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let [one, two, three] = all.map(|one| one.id);
    let any = SuppressionFilter::default;
    assert_eq!(listed(any()).await, [three, two]);
    let before = Some(two);
    assert_eq!(listed(SuppressionFilter { before, ..any() }).await, [one]);
    let kind = Some(SuppressionKind::Phone);
    assert_eq!(
        listed(SuppressionFilter { kind, ..any() }).await,
        [three, one]
    );
    let reason = Some(manual);
    assert_eq!(
        listed(SuppressionFilter { reason, ..any() }).await,
        [three, two]
    );
    let both = SuppressionFilter {
        kind,
        reason,
        ..any()
    };
    assert_eq!(listed(both).await, [three]);
}

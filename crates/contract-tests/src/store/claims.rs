//! Cases of leases on operations.

use std::collections::BTreeSet;

use domain::{
    operation::{Operation, OperationKind, OperationState},
    shared::{AudienceId, OperationId},
};
use futures::join;
use ports::store::{Claimed, Lease, LeaseError, OperationUpdate};

use super::{StoreHarness, at, begin, enqueue, number, operation, workspace};

const LONG: u32 = 600;

async fn take(h: &dyn StoreHarness, owner: &str, lease_seconds: u32) -> Option<Claimed> {
    let kinds = [
        OperationKind::Recycle,
        OperationKind::Upload,
        OperationKind::Duplicate,
    ];
    let mut uow = begin(h).await;
    let claimed = uow
        .operations()
        .claim(&kinds, owner, lease_seconds, at(100))
        .await
        .unwrap();
    uow.commit().await.unwrap();
    claimed
}

async fn claim_for(
    h: &dyn StoreHarness,
    owner: &str,
    lease_seconds: u32,
) -> Option<(Operation, Lease)> {
    let claimed = take(h, owner, lease_seconds).await?;
    Some((claimed.operation, claimed.lease))
}

async fn claim(h: &dyn StoreHarness) -> Option<(Operation, Lease)> {
    claim_for(h, "worker", LONG).await
}

async fn claimed(h: &dyn StoreHarness) -> OperationId {
    claim(h).await.unwrap().0.id
}

async fn update(
    h: &dyn StoreHarness,
    lease: &Lease,
    update: OperationUpdate,
) -> Result<(), LeaseError> {
    let mut uow = begin(h).await;
    uow.operations().update_leased(lease, &update).await?;
    Ok(uow.commit().await?)
}

fn to(state: OperationState) -> OperationUpdate {
    OperationUpdate {
        state: Some(state),
        ..OperationUpdate::default()
    }
}

async fn end(h: &dyn StoreHarness, lease: &Lease) {
    update(h, lease, to(OperationState::Succeeded))
        .await
        .unwrap();
}

pub async fn the_oldest_is_claimed_first(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let first = operation(&ws, None, OperationKind::Upload);
    let second = operation(&ws, None, OperationKind::Recycle);
    let other = operation(&ws, None, OperationKind::Purge);
    enqueue(h, &[&second, &other, &first]).await;
    let (running, lease) = claim(h).await.unwrap();
    assert_eq!(
        (running.id, running.state),
        (first.id, OperationState::Running)
    );
    assert_eq!(running.started_at, Some(at(100)));
    assert_eq!(
        (lease.operation, lease.owner.as_str()),
        (first.id, "worker")
    );
    assert_eq!(
        h.queries().operation(&ws, first.id).await.unwrap(),
        Some(running)
    );
    assert_eq!(claimed(h).await, second.id);
    assert_eq!(
        claim(h).await,
        None,
        "a kind that was not asked for is left alone"
    );
}

pub async fn two_claimers_get_different_operations(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let all: Vec<_> = (0..20)
        .map(|_| operation(&ws, None, OperationKind::Upload))
        .collect();
    enqueue(h, &all.iter().collect::<Vec<_>>()).await;
    let drain = async |owner: &str| {
        let mut ids = Vec::new();
        while let Some((operation, _)) = claim_for(h, owner, LONG).await {
            ids.push(operation.id);
        }
        ids
    };
    let (mut one, two) = join!(drain("one"), drain("two"));
    one.extend(two);
    let distinct: BTreeSet<_> = one.iter().copied().collect();
    assert_eq!((one.len(), distinct.len()), (20, 20));
}

pub async fn what_is_not_due_is_left_alone(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let mut planned = operation(&ws, None, OperationKind::Upload);
    planned.not_before = Some(at(101));
    let mut due = operation(&ws, None, OperationKind::Upload);
    due.not_before = Some(at(100));
    let mut ended = operation(&ws, None, OperationKind::Upload);
    ended.state = OperationState::Succeeded;
    enqueue(h, &[&planned, &due, &ended]).await;
    assert_eq!(claimed(h).await, due.id);
    assert_eq!(claim(h).await, None);
}

pub async fn exclusive_ones_take_turns_on_an_audience(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let (one, two) = (
        AudienceId::from_raw(number()),
        AudienceId::from_raw(number()),
    );
    let first = operation(&ws, Some(one), OperationKind::Recycle);
    let second = operation(&ws, Some(one), OperationKind::Recycle);
    let shared = operation(&ws, Some(one), OperationKind::Upload);
    let elsewhere = operation(&ws, Some(two), OperationKind::Recycle);
    enqueue(h, &[&first, &second, &shared, &elsewhere]).await;
    let (running, lease) = claim(h).await.unwrap();
    assert_eq!(running.id, first.id);
    assert_eq!(claimed(h).await, shared.id, "shared kinds do not wait");
    assert_eq!(
        claimed(h).await,
        elsewhere.id,
        "other audiences do not wait"
    );
    assert_eq!(claim(h).await, None);
    end(h, &lease).await;
    assert_eq!(claimed(h).await, second.id);
}

pub async fn what_is_about_earlier_uploads_waits_for_them(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let audience = Some(AudienceId::from_raw(number()));
    let elsewhere = operation(
        &ws,
        Some(AudienceId::from_raw(number())),
        OperationKind::Upload,
    );
    let before = operation(&ws, audience, OperationKind::Upload);
    let mut removal = operation(&ws, audience, OperationKind::Recycle);
    removal.after_uploads_of = audience;
    let mut copy = operation(&ws, None, OperationKind::Duplicate);
    copy.after_uploads_of = audience;
    let after = operation(&ws, audience, OperationKind::Upload);
    enqueue(h, &[&elsewhere, &before, &removal, &copy, &after]).await;
    assert_eq!(claimed(h).await, elsewhere.id);
    let (running, lease) = claim(h).await.unwrap();
    assert_eq!(running.id, before.id);
    assert_eq!(claimed(h).await, after.id, "uploads wait for nobody");
    assert_eq!(claim(h).await, None);
    update(h, &lease, to(OperationState::Waiting))
        .await
        .unwrap();
    assert_eq!(claim(h).await, None);
    update(h, &lease, to(OperationState::Failed)).await.unwrap();
    assert_eq!(claimed(h).await, removal.id);
    assert_eq!(claimed(h).await, copy.id);
}

pub async fn an_older_retry_waits_for_the_running_one(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let audience = Some(AudienceId::from_raw(number()));
    let older = operation(&ws, audience, OperationKind::Recycle);
    let younger = operation(&ws, audience, OperationKind::Recycle);
    enqueue(h, &[&older, &younger]).await;
    let (_, lease) = claim(h).await.unwrap();
    update(h, &lease, to(OperationState::Failed)).await.unwrap();
    let (running, lease) = claim(h).await.unwrap();
    assert_eq!(running.id, younger.id);
    let mut uow = begin(h).await;
    uow.operations().requeue(older.id).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(claim(h).await, None);
    end(h, &lease).await;
    assert_eq!(claimed(h).await, older.id);
}

pub async fn an_interrupted_one_goes_on_before_an_older_retry(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let audience = Some(AudienceId::from_raw(number()));
    let older = operation(&ws, audience, OperationKind::Recycle);
    let younger = operation(&ws, audience, OperationKind::Recycle);
    enqueue(h, &[&older, &younger]).await;
    let (_, lease) = claim(h).await.unwrap();
    update(h, &lease, to(OperationState::Failed)).await.unwrap();
    for interrupted_as in [OperationState::Running, OperationState::Waiting] {
        let (begun, lease) = claim(h).await.unwrap();
        assert_eq!(begun.id, younger.id);
        update(h, &lease, to(interrupted_as)).await.unwrap();
        let mut uow = begin(h).await;
        // The second time it is queued already.
        let _ = uow.operations().requeue(older.id).await;
        uow.operations().release_leases().await.unwrap();
        uow.commit().await.unwrap();
    }
    let (running, lease) = claim(h).await.unwrap();
    assert_eq!(running.id, younger.id);
    end(h, &lease).await;
    assert_eq!(claimed(h).await, older.id);
}

pub async fn a_waiting_one_holds_back_younger_ones(h: &dyn StoreHarness) {
    let ws = workspace("w");
    let audience = Some(AudienceId::from_raw(number()));
    let older = operation(&ws, audience, OperationKind::Recycle);
    let younger = operation(&ws, audience, OperationKind::Recycle);
    enqueue(h, &[&older, &younger]).await;
    let (_, lease) = claim(h).await.unwrap();
    update(h, &lease, to(OperationState::Waiting))
        .await
        .unwrap();
    assert_eq!(claim(h).await, None);
    update(h, &lease, to(OperationState::Running))
        .await
        .unwrap();
    end(h, &lease).await;
    assert_eq!(claimed(h).await, younger.id);
}

pub async fn a_waiting_one_is_taken_over_when_its_lease_lapses(h: &dyn StoreHarness) {
    let waiting = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&waiting]).await;
    let (_, lease) = claim(h).await.unwrap();
    update(h, &lease, to(OperationState::Waiting))
        .await
        .unwrap();
    assert_eq!(claim(h).await, None);
    let mut uow = begin(h).await;
    assert_eq!(uow.operations().release_leases().await.unwrap(), 1);
    uow.commit().await.unwrap();
    assert_eq!(claimed(h).await, waiting.id);
}

pub async fn workspaces_take_turns(h: &dyn StoreHarness) {
    let of = |name| operation(&workspace(name), None, OperationKind::Upload);
    let (many, few) = ([of("many"), of("many"), of("many")], [of("few"), of("few")]);
    enqueue(h, &[&many[0], &many[1], &many[2], &few[0], &few[1]]).await;
    for expected in [&many[0], &few[0], &many[1], &few[1], &many[2]] {
        assert_eq!(claimed(h).await, expected.id);
    }
}

pub async fn released_leases_lapse_at_once(h: &dyn StoreHarness) {
    enqueue(
        h,
        &[&operation(&workspace("w"), None, OperationKind::Upload)],
    )
    .await;
    let (_, held) = claim(h).await.unwrap();
    assert!(claim(h).await.is_none());
    let mut uow = begin(h).await;
    assert_eq!(uow.operations().release_leases().await.unwrap(), 1);
    uow.commit().await.unwrap();
    let (taken, lease) = claim(h).await.unwrap();
    assert_eq!(taken.id, held.operation);
    assert!(lease.fence > held.fence);
}

pub async fn a_lapsed_lease_is_taken_over(h: &dyn StoreHarness) {
    let new = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&new]).await;
    let (_, lapsed) = claim_for(h, "one", 0).await.unwrap();
    let (running, lease) = claim_for(h, "two", LONG).await.unwrap();
    assert_eq!(
        (running.id, running.attempt),
        (new.id, 1),
        "an attempt is what a person sees"
    );
    assert!(lease.fence > lapsed.fence);
    assert_eq!(claim(h).await, None);
}

pub async fn an_old_lease_is_refused(h: &dyn StoreHarness) {
    let new = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&new]).await;
    // The same process may claim again after a pause.
    let (_, old) = claim_for(h, "one", 0).await.unwrap();
    let (_, lease) = claim_for(h, "one", LONG).await.unwrap();
    let mut uow = begin(h).await;
    let beat = uow.operations().heartbeat(&old, LONG).await;
    assert!(matches!(beat, Err(LeaseError::Lost)), "{beat:?}");
    drop(uow);
    let changed = update(h, &old, to(OperationState::Failed)).await;
    assert!(matches!(changed, Err(LeaseError::Lost)), "{changed:?}");
    let stranger = Lease {
        owner: "two".to_owned(),
        ..lease.clone()
    };
    let changed = update(h, &stranger, to(OperationState::Failed)).await;
    assert!(matches!(changed, Err(LeaseError::Lost)), "{changed:?}");
    end(h, &lease).await;
}

pub async fn an_end_ends_the_lease(h: &dyn StoreHarness) {
    let ws = workspace("w");
    for state in [
        OperationState::Succeeded,
        OperationState::Cancelled,
        OperationState::Queued,
    ] {
        let new = operation(&ws, None, OperationKind::Upload);
        enqueue(h, &[&new]).await;
        let (_, lease) = claim(h).await.unwrap();
        update(h, &lease, to(state)).await.unwrap();
        let again = update(h, &lease, OperationUpdate::default()).await;
        assert!(matches!(again, Err(LeaseError::Lost)), "{state}: {again:?}");
    }
    assert!(
        claim(h).await.is_some(),
        "what was given back is claimed again"
    );
}

pub async fn a_cancel_reaches_the_worker(h: &dyn StoreHarness) {
    let new = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&new]).await;
    let (_, lease) = claim_for(h, "one", 0).await.unwrap();
    let mut uow = begin(h).await;
    assert!(!uow.operations().heartbeat(&lease, LONG).await.unwrap());
    uow.operations().request_cancel(new.id).await.unwrap();
    assert!(uow.operations().heartbeat(&lease, LONG).await.unwrap());
    uow.commit().await.unwrap();
    assert_eq!(claim(h).await, None, "the heartbeat prolonged the lease");
    update(h, &lease, to(OperationState::Cancelled))
        .await
        .unwrap();
}

pub async fn claims_are_counted_until_it_gets_on(h: &dyn StoreHarness) {
    let new = operation(&workspace("w"), None, OperationKind::Upload);
    enqueue(h, &[&new]).await;
    for claims in 1..=3 {
        let claimed = take(h, "one", 0).await.unwrap();
        assert_eq!(claimed.claims, claims);
        assert_eq!(claimed.traceparent, new.traceparent);
    }
    let (_, lease) = claim_for(h, "one", 0).await.unwrap();
    let beat = OperationUpdate::default();
    let (waits, runs) = (to(OperationState::Waiting), to(OperationState::Running));
    for sign in [beat, waits, runs] {
        update(h, &lease, sign).await.unwrap();
    }
    let claimed = take(h, "one", 0).await.unwrap();
    assert_eq!(claimed.claims, 5, "a sign of life is no progress");
    let checkpoint = OperationUpdate {
        checkpoint: Some(serde_json::json!(1)),
        ..OperationUpdate::default()
    };
    update(h, &claimed.lease, checkpoint).await.unwrap();
    assert_eq!(take(h, "one", 0).await.unwrap().claims, 1);
}

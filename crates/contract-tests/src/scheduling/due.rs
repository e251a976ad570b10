//! Cases of what waits, and who takes it.

use domain::scheduling::CommunicationState;
use futures::future::join_all;
use ports::{StoreError, scheduling::CommunicationFilter};

use super::{ScheduleHarness, add, at, begin, communication, workspace};

pub async fn a_communication_reads_back_as_it_was_written(h: &impl ScheduleHarness) {
    let one = communication(7, "w1", 60);
    add(h, std::slice::from_ref(&one)).await;
    let (w1, w2) = (workspace("w1"), workspace("w2"));
    let read = h.queries().communication(&w1, one.id).await.unwrap();
    assert!(read.unwrap() == one);
    let foreign = h.queries().communication(&w2, one.id).await.unwrap();
    assert!(foreign.is_none());
    let mut unit = begin(h).await;
    assert!(
        unit.communications()
            .get(&w2, one.id)
            .await
            .unwrap()
            .is_none()
    );
    let mut changed = unit
        .communications()
        .get(&w1, one.id)
        .await
        .unwrap()
        .unwrap();
    assert!(changed.claim(at(61)));
    let occurrence = changed.occurred(at(60), at(61));
    let mut communications = unit.communications();
    communications
        .occur(std::slice::from_ref(&occurrence))
        .await
        .unwrap();
    communications.save(&[changed.clone()]).await.unwrap();
    drop(communications);
    unit.commit().await.unwrap();
    let read = h.queries().communication(&w1, one.id).await.unwrap();
    assert!(read.unwrap() == changed);
    let listed = h.queries().occurrences(&w1, one.id, None, 9).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&occurrence));
    let foreign = h.queries().occurrences(&w2, one.id, None, 9).await.unwrap();
    assert_eq!(foreign, []);
    let mut unit = begin(h).await;
    let mut arrived = occurrence;
    arrived.arrive(Some(1));
    assert!(arrived.has_all());
    arrived.end(CommunicationState::Completed, at(62));
    let mut communications = unit.communications();
    communications.save_occurrence(&arrived).await.unwrap();
    let read = communications.occurrence(one.id, 1).await.unwrap();
    assert_eq!(read, Some(arrived));
}

pub async fn what_is_due_comes_in_the_order_of_its_instants(h: &impl ScheduleHarness) {
    assert_eq!(h.queries().next_due().await.unwrap(), None);
    let all = [
        communication(1, "w1", 30),
        communication(2, "w2", 10),
        communication(3, "w1", 20),
        communication(4, "w1", 31),
    ];
    add(h, &all).await;
    assert_eq!(h.queries().next_due().await.unwrap(), Some(at(10)));
    let mut unit = begin(h).await;
    let ids = |due: Vec<domain::scheduling::Communication>| -> Vec<i64> {
        due.iter().map(|one| one.id.raw()).collect()
    };
    let mut communications = unit.communications();
    assert_eq!(
        ids(communications.due(at(30), 9).await.unwrap().ready),
        [2, 3, 1]
    );
    assert_eq!(
        ids(communications.due(at(30), 2).await.unwrap().ready),
        [2, 3]
    );
    assert_eq!(
        ids(communications.due(at(9), 9).await.unwrap().ready),
        [0; 0]
    );
}

pub async fn what_no_longer_waits_is_not_due(h: &impl ScheduleHarness) {
    let mut one = communication(1, "w1", 10);
    add(h, std::slice::from_ref(&one)).await;
    assert_eq!(one.cancel(at(5)), Ok(true));
    let mut unit = begin(h).await;
    unit.communications()
        .save(std::slice::from_ref(&one))
        .await
        .unwrap();
    assert!(
        unit.communications()
            .due(at(99), 9)
            .await
            .unwrap()
            .ready
            .is_empty()
    );
    unit.commit().await.unwrap();
    assert_eq!(h.queries().next_due().await.unwrap(), None);
}

pub async fn a_stale_change_is_refused(h: &impl ScheduleHarness) {
    let one = communication(1, "w1", 10);
    add(h, std::slice::from_ref(&one)).await;
    let mut unit = begin(h).await;
    let stale = unit.communications().save(&[one]).await;
    assert!(matches!(stale, Err(StoreError::StaleVersion)));
}

pub async fn of_many_who_claim_each_gets_others(h: &impl ScheduleHarness) {
    let all: Vec<_> = (1..=40).map(|id| communication(id, "w1", id)).collect();
    add(h, &all).await;
    let claims = (0..4).map(async |_| {
        let mut mine = Vec::new();
        loop {
            let mut unit = begin(h).await;
            let mut due = unit.communications().due(at(100), 5).await.unwrap().ready;
            if due.is_empty() {
                return mine;
            }
            for one in &mut due {
                one.claim(at(41));
                mine.push(one.id.raw());
            }
            unit.communications().save(&due).await.unwrap();
            unit.commit().await.unwrap();
        }
    });
    let mut claimed: Vec<i64> = join_all(claims).await.concat();
    claimed.sort_unstable();
    assert_eq!(claimed, (1..=40).collect::<Vec<i64>>());
}

/// Of a cancel and a claim at the same time, one wins: what was cancelled is not claimed, and the other way round.
pub async fn of_cancels_and_claims_one_wins(h: &impl ScheduleHarness) {
    let all: Vec<_> = (1..=60).map(|id| communication(id, "w1", 1)).collect();
    add(h, &all).await;
    let ws = workspace("w1");
    let claim = async {
        let mut claimed = 0;
        loop {
            let mut unit = begin(h).await;
            let mut due = unit.communications().due(at(2), 3).await.unwrap().ready;
            if due.is_empty() {
                // Those that are being cancelled are passed over.
                if h.queries().next_due().await.unwrap().is_none() {
                    return claimed;
                }
                drop(unit);
                tokio::task::yield_now().await;
                continue;
            }
            claimed += due
                .iter_mut()
                .filter_map(|one| one.claim(at(2)).then_some(()))
                .count();
            unit.communications().save(&due).await.unwrap();
            unit.commit().await.unwrap();
        }
    };
    let cancel = async {
        let mut cancelled = 0;
        for one in all.iter().rev() {
            let mut unit = begin(h).await;
            let mut one = unit
                .communications()
                .get(&ws, one.id)
                .await
                .unwrap()
                .unwrap();
            if one.cancel(at(2)) == Ok(true) {
                unit.communications().save(&[one]).await.unwrap();
                unit.commit().await.unwrap();
                cancelled += 1;
            }
        }
        cancelled
    };
    let (claimed, cancelled) = futures::future::join(claim, cancel).await;
    assert_eq!(
        claimed + cancelled,
        60,
        "{claimed} claimed, {cancelled} cancelled"
    );
}

pub async fn lists_go_by_workspace_and_state(h: &impl ScheduleHarness) {
    let mut all: Vec<_> = (1..=5).map(|id| communication(id, "w1", 9)).collect();
    all.push(communication(6, "w2", 9));
    add(h, &all).await;
    assert_eq!(all[1].cancel(at(5)), Ok(true));
    let mut unit = begin(h).await;
    unit.communications().save(&all[1..2]).await.unwrap();
    unit.commit().await.unwrap();
    let ws = workspace("w1");
    let list = async |filter: CommunicationFilter| -> Vec<i64> {
        let found = h.queries().communications(&ws, &filter).await.unwrap();
        found.iter().map(|one| one.id.raw()).collect()
    };
    let filter = |limit| CommunicationFilter {
        limit,
        ..CommunicationFilter::default()
    };
    assert_eq!(list(filter(9)).await, [5, 4, 3, 2, 1]);
    let before = CommunicationFilter {
        before: Some(all[3].id),
        ..filter(2)
    };
    assert_eq!(list(before).await, [3, 2]);
    let cancelled = CommunicationFilter {
        state: Some(CommunicationState::Cancelled),
        ..filter(9)
    };
    assert_eq!(list(cancelled).await, [2]);
}

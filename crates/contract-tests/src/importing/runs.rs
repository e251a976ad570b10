//! Runs.

use domain::{
    importing::{
        ExternalId, Totals,
        walk::{End, Limits, Next, Walk},
    },
    shared::{ClientId, OperationId},
};
use futures::future::join_all;
use ports::importing::{ImportKind, ListKey, Opened};

use super::{CLIENT, ImportHarness, begin};
use crate::store::at;

const fn operation(id: i64) -> OperationId {
    OperationId::from_raw(id)
}

async fn open(harness: &impl ImportHarness, kind: ImportKind, id: i64) -> Opened {
    let mut unit = begin(harness).await;
    let opened = unit.runs().open(CLIENT, kind, operation(id)).await.unwrap();
    unit.commit().await.unwrap();
    opened
}

pub async fn r2_of_concurrent_requests_one_begins_and_the_others_join(
    harness: &impl ImportHarness,
) {
    let requests =
        (1..=20).map(|id| async move { (id, open(harness, ImportKind::Tickets, id).await) });
    let opened = join_all(requests).await;
    let new: Vec<_> = opened.iter().filter(|(_, o)| *o == Opened::New).collect();
    assert_eq!(new.len(), 1);
    let live = operation(new[0].0);
    let joined = opened.iter().filter(|(_, o)| *o == Opened::Joined(live));
    assert_eq!(joined.count(), 19);
    assert_eq!(open(harness, ImportKind::Contacts, 21).await, Opened::New);
}

pub async fn a_run_that_ended_makes_room(harness: &impl ImportHarness) {
    assert_eq!(open(harness, ImportKind::Tickets, 1).await, Opened::New);
    assert_eq!(
        open(harness, ImportKind::Tickets, 2).await,
        Opened::Joined(operation(1))
    );
    let mut unit = begin(harness).await;
    let other = unit
        .runs()
        .open(ClientId::from_raw(8), ImportKind::Tickets, operation(3))
        .await;
    assert_eq!(other.unwrap(), Opened::New);
    unit.runs().close(operation(1)).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(open(harness, ImportKind::Tickets, 4).await, Opened::New);
}

pub async fn a_run_is_tried_again_with_its_walks(harness: &impl ImportHarness) {
    open(harness, ImportKind::Tickets, 1).await;
    let mut walk = Walk::new(Limits::LIST);
    let mark = walk.arrived(&[1, 2], &Totals::default()).unwrap();
    let mut unit = begin(harness).await;
    let mut runs = unit.runs();
    let list = ListKey::Tickets;
    runs.save_walk(operation(1), &list, walk.checkpoint(), &mark)
        .await
        .unwrap();
    runs.close(operation(1)).await.unwrap();
    drop(runs);
    unit.commit().await.unwrap();
    assert_eq!(open(harness, ImportKind::Tickets, 2).await, Opened::New);
    let joined = open(harness, ImportKind::Tickets, 1).await;
    assert_eq!(joined, Opened::Joined(operation(2)), "not beside another");
    let mut unit = begin(harness).await;
    unit.runs().close(operation(2)).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(open(harness, ImportKind::Tickets, 1).await, Opened::New);
    let mut unit = begin(harness).await;
    let stored = unit.runs().walk(operation(1), &list).await.unwrap();
    assert_eq!(stored.map(|walk| walk.keys), Some(vec![1, 2]));
    unit.runs()
        .forget_ended(CLIENT, ImportKind::Tickets)
        .await
        .unwrap();
    let kept = unit.runs().walk(operation(1), &list).await.unwrap();
    assert!(kept.is_some(), "it is live");
    unit.runs().forget_walks(operation(1)).await.unwrap();
    assert_eq!(unit.runs().walk(operation(1), &list).await.unwrap(), None);
}

/// A list of 120 rows of which one moves while the first pass goes on, so that there is a second.
pub async fn a_walk_is_taken_up_where_it_was_left(harness: &impl ImportHarness) {
    let tickets = [
        ListKey::Tickets,
        ListKey::Messages(ExternalId::from_stored("t".to_owned())),
    ];
    let mut pages = Vec::new();
    loop {
        let mut unit = begin(harness).await;
        let stored = unit.runs().walk(operation(1), &tickets[0]).await.unwrap();
        let mut walk = match stored {
            Some(stored) => Walk::resume(Limits::LIST, stored.checkpoint, stored.keys),
            None => Walk::new(Limits::LIST),
        };
        let page = match walk.next() {
            Next::Page(page) => page,
            Next::Done(end) => {
                assert_eq!(end, End::Complete);
                break;
            }
        };
        pages.push(page);
        let first = if pages.len() == 2 {
            (page - 1) * 50 - 1
        } else {
            (page - 1) * 50
        };
        let keys: Vec<u64> = (first..(first + 50).min(120)).collect();
        let totals = Totals {
            pages: Some(3),
            ..Totals::default()
        };
        let mark = walk.arrived(&keys, &totals).unwrap();
        let mut runs = unit.runs();
        runs.save_walk(operation(1), &tickets[0], walk.checkpoint(), &mark)
            .await
            .unwrap();
        drop(runs);
        unit.commit().await.unwrap();
    }
    assert_eq!(pages, [1, 2, 3, 1, 2, 3]);
    let mut unit = begin(harness).await;
    assert_eq!(
        unit.runs().walk(operation(1), &tickets[1]).await.unwrap(),
        None
    );
    assert_eq!(
        unit.runs().walk(operation(2), &tickets[0]).await.unwrap(),
        None
    );
    unit.runs()
        .end_walk(operation(1), &tickets[0])
        .await
        .unwrap();
    assert_eq!(
        unit.runs().walk(operation(1), &tickets[0]).await.unwrap(),
        None
    );
}

pub async fn the_cursor_never_goes_back(harness: &impl ImportHarness) {
    let mut unit = begin(harness).await;
    let mut runs = unit.runs();
    assert_eq!(runs.cursor(CLIENT).await.unwrap(), None);
    for (to, cursor) in [(50, 50), (20, 50), (60, 60)] {
        runs.move_cursor(CLIENT, at(to)).await.unwrap();
        assert_eq!(runs.cursor(CLIENT).await.unwrap(), Some(at(cursor)));
    }
    assert_eq!(runs.contacts_page(CLIENT).await.unwrap(), 0);
    for page in [7, 0] {
        runs.save_contacts_page(CLIENT, page).await.unwrap();
        assert_eq!(runs.contacts_page(CLIENT).await.unwrap(), page);
    }
    assert_eq!(runs.cursor(ClientId::from_raw(8)).await.unwrap(), None);
}

pub async fn batches_of_customers_are_numbered(harness: &impl ImportHarness) {
    for number in 1..=3 {
        let mut unit = begin(harness).await;
        assert_eq!(unit.runs().next_batch(CLIENT).await.unwrap(), number);
        unit.commit().await.unwrap();
    }
    let mut unit = begin(harness).await;
    assert_eq!(
        unit.runs().next_batch(ClientId::from_raw(8)).await.unwrap(),
        1
    );
}

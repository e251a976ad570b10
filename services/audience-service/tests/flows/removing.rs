//! Single removals at once, and beside a process that holds the audience.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use audience_service::{AppError, AppResult, UseCases};
use domain::{contact::Document, shared::AudienceId};

use crate::{
    meeting::until_first,
    rig::{self, Rig},
};

const MEMBERS: [&str; 12] = [
    "D01", "D02", "D03", "D04", "D05", "D06", "D07", "D08", "D09", "D10", "D11", "D12",
];

fn remove(
    app: &Arc<UseCases>,
    rig: &Rig,
    id: AudienceId,
    document: &str,
) -> impl Future<Output = AppResult<()>> + Send + 'static {
    let (app, actor) = (Arc::clone(app), rig.actor());
    let document = Document::parse(document).unwrap();
    async move { app.contacts.remove.execute(&actor, id, &document).await }
}

async fn contacts(rig: &Rig, id: AudienceId) -> i64 {
    rig.app
        .find
        .visible(&rig.actor(), id)
        .await
        .unwrap()
        .contacts
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_removals_of_a_contact_one_finds_nothing() {
    let rig = Rig::new().await;
    let id = rig.create("base", &MEMBERS).await;
    let leaving = &MEMBERS[..9];
    let twice = leaving.iter().chain(leaving);
    let removals = twice.map(|document| tokio::spawn(remove(&rig.app, &rig, id, document)));
    let removals: Vec<_> = removals.collect();
    for document in &MEMBERS[9..] {
        let add = rig::contacts(&[document]);
        let (actor, request_id) = (rig.actor(), rig.request_id());
        rig.app
            .contacts
            .add
            .execute(&actor, request_id, id, None, add)
            .await
            .unwrap();
    }
    let answers = futures::future::join_all(removals).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let gone = answers.iter().filter(|answer| answer.is_ok()).count();
    let not_found = |answer: &&AppResult<()>| matches!(answer, Err(AppError::NotFound));
    let missing = answers.iter().filter(not_found).count();
    assert_eq!((gone, missing), (9, 9));
    assert_eq!(rig.members(id).await, MEMBERS[9..]);
}

/// "Not found" beside a count that still has the contact would contradict it, for as long as whoever
/// removes it takes, or its lease if it has died.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_contact_is_not_found_once_it_is_not_counted() {
    let rig = Rig::new().await;
    let id = rig.create("base", &MEMBERS).await;
    let first = until_first(
        "remove.tombstones_written",
        remove(&rig.app, &rig, id, "D05"),
    );
    first.reached();
    let mut second = tokio::spawn(remove(&rig.app, &rig, id, "D05"));
    let early = tokio::time::timeout(Duration::from_millis(200), &mut second).await;
    assert!(early.is_err(), "{early:?} and {}", contacts(&rig, id).await);
    first.finish().await.unwrap();
    assert!(matches!(second.await.unwrap(), Err(AppError::NotFound)));
    assert_eq!(contacts(&rig, id).await, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_a_stop_nobody_waits_for_the_lease_of_another_process() {
    let rig = Rig::new().await;
    let id = rig.create("base", &MEMBERS).await;
    let mut deps = rig.ports.clone();
    deps.owner = "another".into();
    let another = Arc::new(UseCases::new(deps));
    let holder = until_first(
        "remove.tombstones_written",
        remove(&another, &rig, id, "D01"),
    );
    holder.reached();
    rig.app.stop_work();
    let begun = Instant::now();
    let removals = MEMBERS.map(|document| tokio::spawn(remove(&rig.app, &rig, id, document)));
    for answer in futures::future::join_all(removals).await {
        let answer = answer.unwrap();
        assert!(matches!(answer, Err(AppError::Store(_))), "{answer:?}");
    }
    // All together, not one after the other.
    assert!(begun.elapsed() < Duration::from_secs(8));
    holder.finish().await.unwrap();
    assert_eq!(contacts(&rig, id).await, 11);
}

//! Whoever is opted out stays out when a removal is taken back.

use chrono::TimeDelta;
use domain::{
    contact::Document,
    operation::{OperationKind, Report},
    recycle::{Outcome, OutcomeFact, OutcomeRecord},
    shared::{AudienceId, OperationId},
};
use ports::store::OperationFilter;

use crate::rig::Rig;

impl Rig {
    /// Said long ago, told now.
    async fn opt_out(&self, documents: &[&str]) {
        let now = self.app.clock.now();
        let record = |text: &&str| OutcomeRecord {
            document: Document::parse(text).unwrap(),
            fact: OutcomeFact {
                channel: "voice".to_owned(),
                outcome: Outcome::OptedOut,
                occurred_at: now - TimeDelta::days(28),
            },
            external_id: None,
            recorded_at: now,
        };
        let records = documents.iter().map(record).collect();
        let actor = self.actor();
        let request_id = self.request_id();
        let recorded = self.app.outcomes.record(&actor, request_id, records).await;
        assert_eq!(recorded.unwrap().recorded, documents.len());
    }

    /// Undoes, again as well, and answers how many stay out.
    async fn undo(&self, operation: OperationId) -> i64 {
        let actor = self.actor();
        let undone = self
            .app
            .operations
            .undo
            .execute(&actor, operation)
            .await
            .unwrap();
        let again = self
            .app
            .operations
            .undo
            .execute(&actor, operation)
            .await
            .unwrap();
        assert_eq!(undone.report, again.report);
        self.work().await;
        match undone.report {
            Some(Report::Removal(report)) => report.withheld,
            other => panic!("{other:?}"),
        }
    }

    async fn clear(&self, id: AudienceId) -> OperationId {
        let actor = self.actor();
        let cleared = self.app.clear.execute(&actor, self.request_id(), id, None);
        cleared.await.unwrap().operation
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_removed_for_opting_out_stays_out() {
    let rig = Rig::new().await;
    rig.opt_out(&["gone"]).await;
    let id = rig.create("Base", &["gone", "ok"]).await;
    let recycled = rig.recycle(id, &[], false).await;
    assert_eq!(rig.members(id).await, ["OK"]);
    assert_eq!(rig.undo(recycled).await, 1);
    assert_eq!(rig.members(id).await, ["OK"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_removed_for_another_reason_stays_out_and_may_be_written_again() {
    let rig = Rig::new().await;
    let id = rig.create("Base", &["a", "b", "c", "d"]).await;
    let first = rig.recycle(id, &["a", "b"], false).await;
    rig.opt_out(&["a"]).await;
    let second = rig.recycle(id, &["c"], false).await;
    rig.opt_out(&["c"]).await;
    assert_eq!(rig.undo(second).await, 1);
    assert_eq!(rig.undo(first).await, 1);
    assert_eq!(rig.members(id).await, ["B", "D"]);
    let (actor, again) = (rig.actor(), crate::rig::contacts(&["a"]));
    let added = rig
        .app
        .contacts
        .add
        .execute(&actor, rig.request_id(), id, None, again);
    assert_eq!(added.await.unwrap().counts.inserted, 1);
    assert_eq!(rig.members(id).await, ["A", "B", "D"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_undo_of_a_clear_counts_whom_it_keeps_out_once() {
    let rig = Rig::new().await;
    rig.opt_out(&["a"]).await;
    let id = rig.create("Base", &["a", "b", "c", "d"]).await;
    let recycled = rig.recycle(id, &["b"], false).await;
    assert_eq!(
        rig.undo(recycled).await,
        1,
        "a, by an undo before the clear"
    );
    let kept = rig.recycle(id, &["b"], false).await;
    let cleared = rig.clear(id).await;
    rig.opt_out(&["c"]).await;
    assert_eq!(rig.undo(cleared).await, 1, "c");
    assert_eq!(rig.members(id).await, ["D"]);
    let again = rig.clear(id).await;
    assert_eq!(rig.undo(again).await, 0, "nobody is left to be kept out");
    assert_eq!(rig.members(id).await, ["D"]);
    assert_eq!(
        rig.undo(kept).await,
        0,
        "a removal before the clear is undone after it"
    );
    assert_eq!(rig.members(id).await, ["B", "D"]);
    let purges = OperationFilter {
        kind: Some(OperationKind::Purge),
        limit: 100,
        ..OperationFilter::default()
    };
    let queries = &rig.ports.queries;
    let purges = queries.operations(&rig.actor().workspace, &purges).await;
    let ended = |o: &domain::operation::Operation| o.state.is_terminal();
    assert!(
        purges.unwrap().iter().any(ended),
        "whom it kept out is deleted"
    );
}

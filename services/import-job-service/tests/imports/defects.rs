//! The ten defects of the predecessor. Each case would fail on the naive way.

use std::{collections::HashSet, time::Duration};

use domain::{
    importing::rows::RowKind,
    operation::{OperationResult, OperationState},
};
use fake_crm::{Change, Endpoint, Fault, Misbehaviour, Order, Plan, Scheduled};
use futures::future::join_all;
use ports::importing::{ImportKind, ImportQueries};

use crate::rig::{Rig, actor, code, report};

fn plan(tickets: u64, contacts: u64) -> Plan {
    Plan {
        tickets,
        contacts,
        messages_per_ticket: 3,
        ..Plan::default()
    }
}

/// K6: what was accepted is stored before the answer.
#[tokio::test(flavor = "multi_thread")]
async fn d1_k6_a_restart_after_the_acceptance_does_not_lose_the_run() {
    let mut rig = Rig::new(plan(60, 0)).await;
    let batch = rig
        .cases
        .start_batch
        .execute(ImportKind::Tickets, None)
        .await
        .unwrap();
    rig.restart().await;
    rig.work().await;
    let (_, runs) = rig.db.batch(batch).await.unwrap().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].state, OperationState::Succeeded);
    assert_eq!(rig.count(RowKind::Ticket).await, 60);
}

/// K7: whatever page it is cut off at, it goes on from there; nothing is doubled.
#[tokio::test(flavor = "multi_thread")]
async fn d1_k7_a_run_that_is_cut_off_goes_on_where_it_was() {
    let mut rig = Rig::new(Plan {
        delay_ms: 3,
        ..plan(300, 300)
    })
    .await;
    for kind in [ImportKind::Tickets, ImportKind::Contacts] {
        let run = rig.start(kind).await;
        let mut restarts = 0;
        while !rig.look(&run).await.operation.state.is_terminal() {
            let importer = rig.cases.worker.clone();
            let work = async move {
                let claimed = importer.claim().await.unwrap().unwrap();
                importer.work_on(claimed).await;
            };
            let worker = tokio::spawn(work);
            let before = rig.fake.log().requests().len();
            // After three more pages or at the end, the worker is gone.
            while rig.fake.log().requests().len() < before + 3 && !worker.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            worker.abort();
            let _ = worker.await;
            rig.restart().await;
            restarts += 1;
        }
        let run = rig.look(&run).await;
        assert_eq!(run.operation.state, OperationState::Succeeded);
        assert_eq!(run.operation.result, Some(OperationResult::Complete));
        let report = report(&run);
        assert!(report.balances());
        let total = report.total();
        assert_eq!(total.created, total.received, "nothing came twice");
        let pages = report.pages as usize;
        let asked = rig.fake.log().requests().len();
        rig.fake.clear_log();
        assert!(restarts > 1);
        assert!(asked <= pages + restarts, "{asked} for {pages}, {restarts}");
    }
    rig.equals_the_crm().await.unwrap();
    let customers = rig.synced().await;
    let ids: HashSet<_> = customers.iter().map(|c| &c.external_id).collect();
    assert_eq!(ids.len(), customers.len(), "each person once");
}

/// R2: a second trigger joins the run that is live.
#[tokio::test(flavor = "multi_thread")]
async fn d2_r2_a_hundred_triggers_at_once_make_one_run() {
    let rig = Rig::new(plan(60, 60)).await;
    let triggers = (0..100).map(|_| rig.start(ImportKind::Tickets));
    let ids: HashSet<_> = join_all(triggers)
        .await
        .into_iter()
        .map(|run| run.operation.id)
        .collect();
    assert_eq!(ids.len(), 1);
    let batch = rig
        .cases
        .start_batch
        .execute(ImportKind::Tickets, None)
        .await
        .unwrap();
    let (_, runs, _) = rig.cases.batch.execute(batch).await.unwrap();
    assert!(ids.contains(&runs[0].operation), "a batch joins as well");
    let contacts = rig.start(ImportKind::Contacts).await;
    assert!(
        !ids.contains(&contacts.operation.id),
        "the other kind is apart"
    );
    rig.work().await;
    assert_eq!(rig.asked(Endpoint::Tickets), 2, "the list was walked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn d3_the_cursor_does_not_walk_backwards_on_empty_runs() {
    let rig = Rig::new(plan(60, 0)).await;
    rig.import().await;
    let cursor = rig.cursor().await.unwrap();
    for _ in 0..3 {
        let run = rig.run(ImportKind::Tickets).await;
        assert_eq!(report(&run).tickets.created, 0);
        assert_eq!(rig.cursor().await, Some(cursor));
    }
}

/// X2: none of these is an empty list, and no cursor moves.
#[tokio::test(flavor = "multi_thread")]
async fn d4_x2_an_odd_200_is_a_failure_and_the_cursor_stays() {
    let odd = [
        (Misbehaviour::ErrorBody, "body_reports_error"),
        (Misbehaviour::Html, "body_not_json"),
        (Misbehaviour::Truncated, "body_not_json"),
        (Misbehaviour::UnknownEnvelope, "unknown_envelope"),
    ];
    let lists = Endpoint::ALL;
    let cases = odd
        .iter()
        .flat_map(|odd| lists.map(|list| (odd.0.clone(), odd.1, list)));
    join_all(cases.map(|(misbehaviour, expected, list)| async move {
        let rig = Rig::new(plan(120, 120)).await;
        rig.fake.replan(|plan| {
            plan.faults = vec![Fault {
                on: Some(list),
                request: 2,
                times: 1_000,
                misbehaviour: misbehaviour.clone(),
            }];
        });
        let (kind, page) = match list {
            Endpoint::Contacts => (ImportKind::Contacts, 1),
            _ => (ImportKind::Tickets, 0),
        };
        let run = rig.run(kind).await;
        // A fault of one list after the other, so that each code is seen.
        assert_eq!(code(&run), expected, "{misbehaviour:?} of {list:?}");
        assert_eq!(rig.cursor().await, None, "{misbehaviour:?} of {list:?}");
        assert_eq!(rig.contacts_page().await, page, "the page that was stored");
        rig.fake.replan(|plan| plan.faults.clear());
        rig.import().await;
        rig.equals_the_crm().await.unwrap();
    }))
    .await;
}

/// X1: rows move up while the list is walked, so that some are on no page that is read in order.
#[tokio::test(flavor = "multi_thread")]
async fn d5_x1_pages_that_shift_skip_no_row() {
    let shift = |on, change: Change| Scheduled {
        on,
        request: 2,
        times: 3,
        change,
    };
    let rig = Rig::new(Plan {
        order: Order::ById,
        changes: vec![
            shift(Endpoint::Tickets, Change::DeleteTicket { row: 0 }),
            shift(Endpoint::Contacts, Change::DeleteContact { row: 0 }),
        ],
        ..plan(220, 220)
    })
    .await;
    rig.import().await;
    rig.equals_the_crm().await.unwrap();
    let walked = rig.asked(Endpoint::Contacts);
    assert!(walked > 5, "it was noticed: {walked} pages");
}

/// The cursor is at an instant, and another message with that very instant comes later.
#[tokio::test(flavor = "multi_thread")]
async fn d6_a_message_with_the_instant_of_the_last_one_is_not_lost() {
    let rig = Rig::new(plan(5, 0)).await;
    rig.import().await;
    rig.fake
        .change(Change::AddMessageOfSameInstant { ticket: 4 });
    rig.import().await;
    assert_eq!(rig.count(RowKind::Message).await, 5 * 3 + 1);
    rig.equals_the_crm().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn d7_edits_are_seen() {
    let rig = Rig::new(plan(120, 120)).await;
    rig.import().await;
    for change in [
        Change::EditTicket { row: 3 },
        Change::EditMessage { ticket: 7, row: 1 },
        Change::EditContact { row: 11 },
        Change::CommitTicketLate { ms: 86_400_000 },
    ] {
        rig.fake.change(change);
    }
    let [tickets, contacts] = rig.import().await;
    assert_eq!(report(&tickets).messages.updated, 1);
    assert_eq!(report(&tickets).late, 1);
    assert_eq!(report(&contacts).contacts.updated, 1);
    rig.equals_the_crm().await.unwrap();
}

/// X4: a list without an end, and one that shows the same page for ever.
#[tokio::test(flavor = "multi_thread")]
async fn d8_x4_endless_pagination_ends() {
    for list in [Endpoint::Tickets, Endpoint::Contacts] {
        let rig = Rig::new(plan(120, 120)).await;
        rig.fake.replan(|plan| {
            plan.faults = vec![Fault {
                on: Some(list),
                request: 1,
                times: 1_000_000,
                misbehaviour: Misbehaviour::SamePage,
            }];
        });
        let kind = match list {
            Endpoint::Contacts => ImportKind::Contacts,
            _ => ImportKind::Tickets,
        };
        let run = rig.run(kind).await;
        assert_eq!(code(&run), "no_progress");
        assert!(rig.asked(list) < 10);
        assert_eq!(rig.cursor().await, None);
    }
}

/// What the certificate is worth is tested in adapter-crm; that the client's own flag, and nothing
/// else, decides whether it is verified, here.
#[tokio::test(flavor = "multi_thread")]
async fn d9_tls_is_verified_unless_the_client_says_otherwise() {
    let rig = Rig::new(plan(1, 1)).await;
    assert!(rig.client.tls_verify);
    let mut new = crate::rig::new_client("other", &rig.fake.url);
    new.tls_verify = false;
    let other = rig
        .cases
        .create_client
        .execute(&actor(), rig.request_id(), new)
        .await;
    assert!(!other.unwrap().tls_verify);
}

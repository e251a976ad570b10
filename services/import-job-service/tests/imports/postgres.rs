//! The same use cases on PostgreSQL, with two replicas that have no memory in common.

use std::sync::Arc;

use adapter_sql::pg::Db;
use domain::operation::{OperationResult, OperationState};
use fake_crm::{Fake, Plan};
use import_job_service::use_cases::{Setup, UseCases};
use ports::importing::{ImportClient, ImportKind, Run};
use runtime::Snowflakes;

use crate::{
    doubles::Unlimited,
    rig::{actor, crm_at, new_client, report, request_id, setup},
};

/// The use cases of a replica, and what they stand on.
type Replica = (UseCases, Setup);

fn replica(db: &Db, fake: &Fake, node: u16) -> Replica {
    let mut setup = setup(db, crm_at(fake), Arc::new(Unlimited));
    setup.ids = Arc::new(Snowflakes::new(node, Arc::new(runtime::SystemClock)).unwrap());
    setup.owner = format!("replica-{node}");
    (UseCases::new(&setup), setup)
}

/// A run that any of the replicas takes.
async fn import(replicas: &[Replica; 2], client: &ImportClient, kind: ImportKind) -> Run {
    let begun = replicas.iter().map(|(cases, setup)| {
        let by_request = request_id(setup);
        async move {
            let by = actor();
            let begun = cases.start_run.execute(&by, by_request, client.id, kind);
            begun.await.unwrap()
        }
    });
    let begun = futures::future::join_all(begun).await;
    let id = begun[0].operation.id;
    assert_eq!(id, begun[1].operation.id, "the second one joins");
    let workers = replicas.iter().map(|(cases, _)| {
        let worker = cases.worker.clone();
        tokio::spawn(async move {
            while let Some(claimed) = worker.claim().await.unwrap() {
                worker.work_on(claimed).await;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    replicas[0].0.runs.get(&actor(), id).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_import_each_row_once() {
    let Some(db) = test_kit::postgres().await else {
        return;
    };
    let fake = Fake::start(Plan {
        tickets: 120,
        contacts: 120,
        messages_per_ticket: 3,
        ..Plan::default()
    });
    let fake = fake.unwrap();
    let replicas = [replica(&db, &fake, 1), replica(&db, &fake, 2)];
    let (cases, setup) = &replicas[0];
    let new = new_client("acme", &fake.url);
    let create = &cases.create_client;
    let client = create.execute(&actor(), request_id(setup), new).await;
    let client = client.unwrap();
    for round in 0..2 {
        for kind in [ImportKind::Tickets, ImportKind::Contacts] {
            let run = import(&replicas, &client, kind).await;
            assert_eq!(run.operation.state, OperationState::Succeeded, "{run:?}");
            assert_eq!(run.operation.result, Some(OperationResult::Complete));
            let report = report(&run);
            assert!(report.balances());
            let created =
                report.tickets.created + report.messages.created + report.contacts.created;
            let expected = match (round, kind) {
                (0, ImportKind::Tickets) => 120 + 360,
                (0, ImportKind::Contacts) => 120,
                _ => 0,
            };
            assert_eq!(created, expected, "round {round}");
        }
    }
}

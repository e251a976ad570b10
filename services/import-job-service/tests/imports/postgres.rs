//! The same use cases on PostgreSQL, with two replicas that have no memory in common.

use std::sync::Arc;

use adapter_sql::pg::Db;
use domain::operation::{OperationResult, OperationState};
use fake_crm::{Fake, Plan};
use import_job_service::application::App;
use ports::importing::{ImportClient, ImportKind, Run};
use runtime::Snowflakes;

use crate::{
    doubles::Unlimited,
    rig::{actor, crm_at, deps, new_client, report, write},
};

fn replica(db: &Db, fake: &Fake, node: u16) -> Arc<App> {
    let mut deps = deps(db, crm_at(fake), Arc::new(Unlimited));
    deps.ids = Arc::new(Snowflakes::new(node, Arc::new(runtime::SystemClock)).unwrap());
    deps.owner = format!("replica-{node}");
    Arc::new(App::new(deps))
}

/// A run that any of the replicas takes.
async fn import(replicas: &[Arc<App>; 2], client: &ImportClient, kind: ImportKind) -> Run {
    let begun = replicas.iter().map(|app| {
        let ticket = write(app.deps());
        let app = Arc::clone(app);
        async move {
            let by = actor();
            app.start_run(&by, ticket, client.id, kind).await.unwrap()
        }
    });
    let begun = futures::future::join_all(begun).await;
    let id = begun[0].operation.id;
    assert_eq!(id, begun[1].operation.id, "the second one joins");
    let workers = replicas.iter().cloned().map(|app| {
        tokio::spawn(async move {
            while let Some(claimed) = app.claim().await.unwrap() {
                app.work_on(claimed).await;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    replicas[0].run(&actor(), id).await.unwrap()
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
    let ticket = write(replicas[0].deps());
    let new = new_client("acme", &fake.url);
    let client = replicas[0]
        .create_client(&actor(), ticket, new)
        .await
        .unwrap();
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

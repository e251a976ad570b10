//! Once the other side is still, the next full run equals its rows one by one.

use fake_crm::{Change, Endpoint, Fault, Ids, Misbehaviour, Order, Plan, Scheduled, Tells};
use futures::future::join_all;

use crate::rig::{Rig, report};

/// Changes while runs go on, of every kind.
fn restless(seed: u64, order: Order, tells: Tells) -> Plan {
    let change = |on, request, times, change| Scheduled {
        on,
        request,
        times,
        change,
    };
    Plan {
        seed,
        tickets: 130,
        contacts: 130,
        messages_per_ticket: 4,
        order,
        tells,
        equal_instants: 3,
        unstable_ties: seed.is_multiple_of(2),
        changes: vec![
            change(Endpoint::Tickets, 2, 2, Change::InsertTicket),
            change(Endpoint::Tickets, 2, 1, Change::DeleteTicket { row: 5 }),
            change(Endpoint::Tickets, 3, 1, Change::EditTicket { row: 70 }),
            change(
                Endpoint::Tickets,
                3,
                1,
                Change::CommitTicketLate { ms: 3_600_000 },
            ),
            change(Endpoint::Messages, 4, 3, Change::AddMessage { ticket: 2 }),
            change(
                Endpoint::Messages,
                9,
                1,
                Change::EditMessage { ticket: 60, row: 0 },
            ),
            change(Endpoint::Contacts, 2, 1, Change::DeleteContact { row: 1 }),
            change(Endpoint::Contacts, 2, 2, Change::InsertContact),
            change(Endpoint::Contacts, 3, 1, Change::EditContact { row: 9 }),
        ],
        faults: vec![Fault {
            on: Some(Endpoint::Tickets),
            request: 2,
            times: 1,
            misbehaviour: Misbehaviour::Short { rows: 20 },
        }],
        ..Plan::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_full_run_equals_its_rows_one_by_one() {
    let orders = [Order::NewestFirst, Order::OldestFirst, Order::ById];
    let tells = [Tells::MetaTotals, Tells::HasMore, Tells::Nothing];
    let cases = (1..).zip(orders.into_iter().flat_map(|o| tells.map(|t| (o, t))));
    join_all(cases.map(|(seed, (order, tells))| async move {
        let rig = Rig::new(restless(seed, order, tells)).await;
        rig.import().await;
        rig.fake.replan(|plan| plan.changes.clear());
        rig.import().await;
        rig.equals_the_crm().await.unwrap();
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_as_strings_are_the_same_ids() {
    let plan = Plan {
        tickets: 60,
        contacts: 60,
        ids: Ids::Mixed,
        ..Plan::default()
    };
    let rig = Rig::new(plan).await;
    rig.import().await;
    let [tickets, contacts] = rig.import().await;
    assert_eq!(report(&tickets).tickets.created, 0);
    assert_eq!(report(&contacts).contacts.created, 0);
}

/// A quiet second run reads the lists once and no message; nobody is told of people who stay as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_second_run_reads_each_list_once_and_no_message() {
    let rig = Rig::new(Plan {
        tickets: 120,
        contacts: 120,
        ..Plan::default()
    })
    .await;
    rig.import().await;
    let people = rig.synced().await.len();
    assert!(
        people > 0 && people <= 120,
        "groups are no people: {people}"
    );
    rig.fake.clear_log();
    rig.import().await;
    let asked = Endpoint::ALL.map(|list| rig.asked(list));
    assert_eq!(asked, [3, 0, 3]);
    assert_eq!(rig.synced().await.len(), 0);
    rig.fake.change(Change::EditContact { row: 4 });
    rig.import().await;
    assert!(rig.synced().await.len() <= 1);
}

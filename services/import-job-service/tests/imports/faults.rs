//! A CRM that is slow, busy, away, or has locked us out.

use std::time::Instant;

use domain::operation::OperationState;
use fake_crm::{Endpoint, Fault, Misbehaviour, Plan, RetryAfter};
use ports::importing::ImportKind;

use crate::rig::{Rig, actor, code, new_client, report};

fn faulty(on: Option<Endpoint>, request: u64, times: u64, misbehaviour: Misbehaviour) -> Plan {
    Plan {
        tickets: 60,
        contacts: 60,
        messages_per_ticket: 1,
        faults: vec![Fault {
            on,
            request,
            times,
            misbehaviour,
        }],
        ..Plan::default()
    }
}

const fn status(status: u16, retry_after: RetryAfter) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x3_a_429_is_waited_for_as_long_as_it_asks() {
    let rig = Rig::new(faulty(None, 2, 1, status(429, RetryAfter::Seconds(2)))).await;
    let begun = Instant::now();
    rig.import().await;
    assert!(begun.elapsed().as_secs_f64() >= 2.0);
    rig.equals_the_crm().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn x3_a_burst_of_5xx_and_broken_connections_is_survived() {
    let mut plan = faulty(None, 3, 1, status(503, RetryAfter::Absent));
    plan.faults.push(Fault {
        on: None,
        request: 8,
        times: 1,
        misbehaviour: Misbehaviour::Cut,
    });
    let rig = Rig::new(plan).await;
    let [tickets, _] = rig.import().await;
    rig.equals_the_crm().await.unwrap();
    let asked = rig.asked(Endpoint::Tickets) + rig.asked(Endpoint::Messages);
    assert_eq!(asked as u64, report(&tickets).pages + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn x3_a_refusal_is_not_repeated_and_stops_the_client() {
    for (answer, expected) in [
        (status(401, RetryAfter::Absent), "unauthorized"),
        (
            Misbehaviour::Redirect {
                to: "http://127.0.0.1:9/".to_owned(),
            },
            "redirected",
        ),
    ] {
        let rig = Rig::new(faulty(None, 1, 1_000, answer)).await;
        let run = rig.run(ImportKind::Tickets).await;
        assert_eq!(code(&run), expected);
        assert_eq!(rig.asked(Endpoint::Tickets), 1);
        assert_eq!(rig.cursor().await, None);
    }
}

/// X1: a page in the middle that has only some of its rows.
#[tokio::test(flavor = "multi_thread")]
async fn x1_a_short_page_in_the_middle_is_not_the_last_one() {
    let short = Misbehaviour::Short { rows: 7 };
    let mut plan = faulty(Some(Endpoint::Contacts), 2, 1, short);
    plan.contacts = 220;
    let rig = Rig::new(plan).await;
    rig.import().await;
    rig.equals_the_crm().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn x5_an_address_that_must_not_be_reached_is_refused_at_once() {
    let rig = Rig::new(Plan::default()).await;
    for (url, expected) in [
        ("https://10.0.0.1", "private_address"),
        ("https://169.254.169.254", "private_address"),
        ("http://crm.example", "not_https"),
        ("https://crm.example:8443", "port_not_allowed"),
    ] {
        let new = new_client("inside", url);
        let refused = rig
            .cases
            .create_client
            .execute(&actor(), rig.request_id(), new)
            .await;
        let Err(kernel::AppError::Invalid(broken)) = refused else {
            panic!("{url}")
        };
        assert_eq!(
            (broken[0].pointer.as_str(), broken[0].code),
            ("/base_url", expected)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_clients_failure_stops_no_other() {
    let rig = Rig::new(Plan {
        tickets: 10,
        contacts: 0,
        ..Plan::default()
    })
    .await;
    let mut new = new_client("locked-out", &rig.fake.url);
    new.token = "wrong".to_owned();
    rig.cases
        .create_client
        .execute(&actor(), rig.request_id(), new)
        .await
        .unwrap();
    let batch = rig
        .cases
        .start_batch
        .execute(ImportKind::Tickets, None)
        .await
        .unwrap();
    rig.work().await;
    let (_, runs, _) = rig.cases.batch.execute(batch).await.unwrap();
    let state = |slug: &str| runs.iter().find(|run| run.slug == slug).unwrap().state;
    assert_eq!(state("locked-out"), OperationState::Failed);
    assert_eq!(state("acme"), OperationState::Succeeded);
}

/// The messages of one ticket are broken for good: the others are read, and the run says that it is
/// not whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_cannot_be_read_is_left_due() {
    let rig = Rig::new(faulty(Some(Endpoint::Messages), 5, 3, Misbehaviour::Html)).await;
    let run = rig.run(ImportKind::Tickets).await;
    assert_eq!(run.operation.state, OperationState::Succeeded);
    assert_eq!(
        run.operation.result,
        Some(domain::operation::OperationResult::Partial)
    );
    assert_eq!(report(&run).messages.created, 59);
    assert_eq!(rig.cursor().await, None, "not past what was not read");
    let again = rig.run(ImportKind::Tickets).await;
    assert_eq!(report(&again).messages.created, 1);
    assert!(rig.cursor().await.is_some());
}

/// One contact whose name was cut in the middle of an emoji ended the import: 50 of 120 came.
#[tokio::test(flavor = "multi_thread")]
async fn one_row_that_is_no_text_or_no_number_does_not_end_a_page() {
    for (misbehaviour, quarantined) in [
        (Misbehaviour::HalfEmoji { row: 0 }, 0),
        (Misbehaviour::NumberBeyond { row: 0 }, 1),
    ] {
        for list in Endpoint::ALL {
            let rig = Rig::new(Plan {
                tickets: 120,
                contacts: 120,
                ..faulty(Some(list), 1, 1_000, misbehaviour.clone())
            })
            .await;
            let kind = match list {
                Endpoint::Contacts => ImportKind::Contacts,
                _ => ImportKind::Tickets,
            };
            let run = rig.run(kind).await;
            assert_eq!(run.operation.state, OperationState::Succeeded, "{run:?}");
            let report = report(&run);
            let (of_list, pages) = match list {
                Endpoint::Tickets => (report.tickets, 3),
                Endpoint::Contacts => (report.contacts, 3),
                Endpoint::Messages => (report.messages, 120),
            };
            assert_eq!(of_list.received, 120, "{list:?} {misbehaviour:?}");
            assert_eq!(of_list.quarantined, quarantined * pages, "{list:?}");
        }
    }
}

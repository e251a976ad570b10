//! Walks over a CRM that changes and misbehaves, with the smallest importer there is: rows in memory,
//! no budget, no pauses between tries. Once the other side is still, the next run equals its rows.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use adapter_crm::{
    AllowedHosts, HttpCrm, Settings, SystemLookup,
    wire::{self, Wire},
};
use domain::{
    importing::{
        ApiToken, BaseUrl, ExternalId, Filter, Fingerprint, MessagesRead, Page, Retry, TicketRun,
        messages_due, next_try,
        rows::{Contact, Message, Row, Ticket},
        walk::{End, Limits, Next, Walk},
    },
    shared::Instant,
};
use fake_crm::{
    Change, Endpoint, Fake, Fault, Ids, Misbehaviour, Order, Plan, RetryAfter, Scheduled, Tells,
};
use ports::{
    Clock,
    crm::{Crm, CrmEndpoint, SourceError, TicketSource},
};
use serde_json::Value;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }
}

#[derive(Debug, Default)]
struct Importer {
    cursor: Option<Instant>,
    tickets: BTreeMap<ExternalId, Fingerprint>,
    read: BTreeMap<ExternalId, MessagesRead>,
    messages: BTreeMap<(ExternalId, ExternalId), Fingerprint>,
    contacts: BTreeMap<ExternalId, Fingerprint>,
    late: u64,
}

/// Asks until the page is there, as often as it is sensible.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<Page<T>, SourceError>
where
    F: Future<Output = Result<Page<T>, SourceError>>,
{
    let mut failures = 0;
    loop {
        let error = match ask().await {
            Ok(delivered) => return Ok(delivered),
            Err(error) => error,
        };
        failures += 1;
        if next_try(error.failure(), failures, 0.0) == Retry::GiveUp {
            return Err(error);
        }
    }
}

/// Why a run failed.
type Failed = &'static str;

impl Importer {
    async fn run(&mut self, source: &dyn TicketSource) -> Result<End, Failed> {
        let end = self.run_tickets(source).await?;
        let contacts = self.run_contacts(source).await?;
        Ok(if contacts == End::Complete {
            end
        } else {
            contacts
        })
    }

    async fn run_tickets(&mut self, source: &dyn TicketSource) -> Result<End, Failed> {
        let filter = Filter {
            start_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            cursor: self.cursor,
        };
        let mut run: Option<TicketRun> = None;
        let mut clock = None;
        let mut due = Vec::new();
        let mut walk = Walk::new(Limits::LIST);
        let end = loop {
            let page = match walk.next() {
                Next::Page(page) => page,
                Next::Done(end) => break end,
            };
            let mut read = patiently(|| source.tickets(page))
                .await
                .map_err(|e| e.code())?;
            clock = read.clock.or(clock);
            let run = run.get_or_insert_with(|| TicketRun::start(filter, clock.unwrap()));
            walk.arrived(read.keys(), &read.totals)
                .map_err(|e| e.code())?;
            assert!(read.quarantined().is_empty());
            for row in read.take_rows() {
                let id = row.value.id.clone();
                let stored = self.tickets.get(&id).copied();
                run.select(&row, stored);
                if messages_due(&row, self.read.get(&id)) {
                    due.push((id.clone(), row.fingerprint));
                }
                self.tickets.insert(id, row.fingerprint);
            }
        };
        for (ticket, fingerprint) in due {
            let as_of = clock.unwrap();
            self.run_messages(source, &ticket).await?;
            let read = MessagesRead {
                ticket: fingerprint,
                as_of,
            };
            self.read.insert(ticket, read);
        }
        let mut run = run.unwrap();
        run.end_tickets(end);
        self.late += run.report.late;
        self.cursor = run.cursor();
        Ok(end)
    }

    async fn run_messages(
        &mut self,
        source: &dyn TicketSource,
        ticket: &ExternalId,
    ) -> Result<(), Failed> {
        let mut walk = Walk::new(Limits::MESSAGES);
        while let Next::Page(page) = walk.next() {
            let mut read = match patiently(|| source.messages(ticket, page)).await {
                // Deleted since it was listed.
                Err(SourceError::NotFound) => return Ok(()),
                answer => answer.map_err(|e| e.code())?,
            };
            walk.arrived(read.keys(), &read.totals)
                .map_err(|e| e.code())?;
            let keyed = read
                .take_rows()
                .into_iter()
                .map(|row| ((ticket.clone(), row.value.id), row.fingerprint));
            self.messages.extend(keyed);
        }
        Ok(())
    }

    async fn run_contacts(&mut self, source: &dyn TicketSource) -> Result<End, Failed> {
        let mut walk = Walk::new(Limits::LIST);
        loop {
            let page = match walk.next() {
                Next::Page(page) => page,
                Next::Done(end) => return Ok(end),
            };
            let mut read = patiently(|| source.contacts(page))
                .await
                .map_err(|e| e.code())?;
            walk.arrived(read.keys(), &read.totals)
                .map_err(|e| e.code())?;
            let keyed = read
                .take_rows()
                .into_iter()
                .map(|row| (row.value.id, row.fingerprint));
            self.contacts.extend(keyed);
        }
    }

    /// Every row that the CRM has is here as it is there.
    fn assert_equals(&self, fake: &Fake) {
        let world = fake.world();
        let mut count = 0;
        for row in read_all::<Ticket>(world.tickets()) {
            assert_eq!(self.tickets.get(&row.value.id), Some(&row.fingerprint));
            count += 1;
        }
        assert_eq!(count, world.ticket_count());
        for row in read_all::<Contact>(world.contacts()) {
            assert_eq!(self.contacts.get(&row.value.id), Some(&row.fingerprint));
        }
        for (ticket, message) in world.messages() {
            let key = ExternalId::from_stored(ticket);
            let read = wire::read::<Message>(vec![message]);
            let [row] = read.rows() else {
                panic!("a message")
            };
            let found = self.messages.get(&(key, row.value.id.clone()));
            assert_eq!(found, Some(&row.fingerprint));
        }
    }
}

fn read_all<T: Wire>(rows: impl Iterator<Item = Value>) -> Vec<Row<T>> {
    wire::read(rows.collect()).take_rows()
}

fn start(plan: Plan) -> (Fake, Arc<dyn TicketSource>) {
    let fake = Fake::start(plan).unwrap();
    let settings = Settings {
        allowed_hosts: AllowedHosts::parse(fake.url.split("://").nth(1).unwrap()).unwrap(),
        ..Settings::default()
    };
    let crm = HttpCrm::new(settings, Arc::new(SystemLookup), Arc::new(FixedClock));
    let endpoint = CrmEndpoint {
        base_url: BaseUrl::parse(&fake.url).unwrap(),
        token: ApiToken::parse("secret").unwrap(),
        tls_verify: true,
    };
    let source = crm.open(&endpoint).unwrap();
    (fake, source)
}

fn scheduled(on: Endpoint, request: u64, times: u64, change: Change) -> Scheduled {
    Scheduled {
        on,
        request,
        times,
        change,
    }
}

fn small() -> Plan {
    Plan {
        tickets: 170,
        contacts: 120,
        messages_per_ticket: 3,
        ..Plan::default()
    }
}

#[tokio::test]
async fn a_quiet_second_run_reads_lists_once_and_no_message_page() {
    for ids in [Ids::Numbers, Ids::Strings] {
        let (fake, source) = start(Plan {
            messages_per_ticket: 21,
            ids,
            ..small()
        });
        let mut importer = Importer::default();
        assert_eq!(importer.run(&*source).await, Ok(End::Complete));
        assert_eq!(fake.log().count(Endpoint::Messages), 170 * 2);
        importer.assert_equals(&fake);
        let cursor = importer.cursor;
        fake.clear_log();
        assert_eq!(importer.run(&*source).await, Ok(End::Complete));
        let log = fake.log();
        assert_eq!(log.pages(Endpoint::Tickets), [1, 2, 3, 4]);
        assert_eq!(log.pages(Endpoint::Contacts), [1, 2, 3]);
        assert_eq!(log.count(Endpoint::Messages), 0);
        assert_eq!(
            importer.cursor, cursor,
            "no step back on a run without news"
        );
    }
}

#[tokio::test]
async fn only_what_changed_is_read_again() {
    let (fake, source) = start(small());
    let mut importer = Importer::default();
    importer.run(&*source).await.unwrap();
    for change in [
        Change::AddMessage { ticket: 3 },
        Change::AddMessageOfSameInstant { ticket: 50 },
        Change::EditMessage { ticket: 60, row: 1 },
        Change::EditTicket { row: 70 },
        Change::CommitTicketLate { ms: 100_000 },
        Change::EditContact { row: 9 },
    ] {
        fake.change(change);
    }
    fake.clear_log();
    assert_eq!(importer.run(&*source).await, Ok(End::Complete));
    assert_eq!(fake.log().count(Endpoint::Messages), 5);
    importer.assert_equals(&fake);
}

#[tokio::test]
async fn a_ticket_committed_late_with_an_instant_long_past_is_not_lost() {
    let (fake, source) = start(Plan {
        tickets: 300,
        messages_per_ticket: 0,
        ..small()
    });
    let mut importer = Importer::default();
    importer.run(&*source).await.unwrap();
    fake.change(Change::CommitTicketLate { ms: 200_000 });
    importer.run(&*source).await.unwrap();
    assert_eq!(importer.late, 1, "it lies before the cursor");
    importer.assert_equals(&fake);
}

#[tokio::test]
async fn x1_pages_that_shift_while_they_are_walked_lose_nothing() {
    for (order, tells) in [
        (Order::NewestFirst, Tells::MetaTotals),
        (Order::NewestFirst, Tells::Nothing),
        (Order::OldestFirst, Tells::MetaLastPage),
        (Order::OldestFirst, Tells::HasMore),
        (Order::ById, Tells::MetaTotals),
        (Order::ById, Tells::Nothing),
    ] {
        let (fake, source) = start(Plan {
            order,
            tells,
            equal_instants: 9,
            unstable_ties: true,
            changes: vec![
                scheduled(Endpoint::Tickets, 2, 1, Change::InsertTicket),
                scheduled(Endpoint::Tickets, 3, 2, Change::DeleteTicket { row: 10 }),
                scheduled(Endpoint::Tickets, 3, 1, Change::EditTicket { row: 20 }),
                scheduled(
                    Endpoint::Tickets,
                    4,
                    1,
                    Change::CommitTicketLate { ms: 90_500 },
                ),
                scheduled(Endpoint::Messages, 9, 3, Change::AddMessage { ticket: 40 }),
                scheduled(Endpoint::Messages, 30, 1, Change::DeleteTicket { row: 100 }),
                scheduled(Endpoint::Contacts, 2, 1, Change::DeleteContact { row: 5 }),
                scheduled(Endpoint::Contacts, 3, 1, Change::InsertContact),
            ],
            ..small()
        });
        let mut importer = Importer::default();
        importer.run(&*source).await.unwrap();
        fake.replan(|plan| {
            plan.changes.clear();
            plan.unstable_ties = false;
        });
        let end = importer.run(&*source).await;
        assert_eq!(end, Ok(End::Complete), "{order:?} {tells:?}");
        importer.assert_equals(&fake);
    }
}

#[tokio::test]
async fn a_side_that_never_rests_ends_partial_and_keeps_the_cursor() {
    let (fake, source) = start(Plan {
        tells: Tells::MetaTotals,
        changes: vec![scheduled(Endpoint::Tickets, 2, 1_000, Change::InsertTicket)],
        ..small()
    });
    let mut importer = Importer::default();
    assert_eq!(importer.run_tickets(&*source).await, Ok(End::Partial));
    assert_eq!(importer.cursor, None);
    fake.replan(|plan| plan.changes.clear());
    assert_eq!(importer.run(&*source).await, Ok(End::Complete));
    assert!(importer.cursor.is_some());
    importer.assert_equals(&fake);
}

#[tokio::test]
async fn x1_x2_x3_bad_answers_in_between_are_survived() {
    let status = |status, retry_after| Misbehaviour::Status {
        status,
        retry_after,
    };
    for misbehaviour in [
        Misbehaviour::Truncated,
        Misbehaviour::Html,
        Misbehaviour::ErrorBody,
        Misbehaviour::UnknownEnvelope,
        Misbehaviour::Short { rows: 7 },
        Misbehaviour::Short { rows: 0 },
        Misbehaviour::SamePage,
        Misbehaviour::Cut,
        status(500, RetryAfter::Absent),
        status(429, RetryAfter::Seconds(1)),
    ] {
        let faults = [Endpoint::Tickets, Endpoint::Messages, Endpoint::Contacts].map(|on| Fault {
            on: Some(on),
            request: 2,
            times: 2,
            misbehaviour: misbehaviour.clone(),
        });
        let (fake, source) = start(Plan {
            messages_per_ticket: 45,
            tickets: 101,
            contacts: 101,
            faults: faults.to_vec(),
            ..small()
        });
        let mut importer = Importer::default();
        let end = importer.run(&*source).await;
        assert_eq!(end, Ok(End::Complete), "{misbehaviour:?}");
        importer.assert_equals(&fake);
    }
}

#[tokio::test]
async fn x2_x4_what_stays_bad_fails_the_run_and_leaves_the_cursor() {
    for (misbehaviour, code) in [
        (Misbehaviour::ErrorBody, "body_reports_error"),
        (Misbehaviour::UnknownEnvelope, "unknown_envelope"),
        (Misbehaviour::SamePage, "no_progress"),
    ] {
        let (fake, source) = start(small());
        let mut importer = Importer::default();
        importer.run(&*source).await.unwrap();
        let (cursor, known) = (importer.cursor, importer.contacts.keys().cloned().collect());
        fake.replan(|plan| {
            plan.faults = vec![Fault {
                on: None,
                request: 2,
                times: 1_000,
                misbehaviour,
            }];
        });
        assert_eq!(importer.run_tickets(&*source).await, Err(code));
        assert_eq!(importer.run_contacts(&*source).await, Err(code));
        assert_eq!(importer.cursor, cursor);
        let still_known: BTreeSet<ExternalId> = importer.contacts.into_keys().collect();
        assert_eq!(still_known, known);
    }
}

#[tokio::test]
async fn x4_pages_without_end_are_given_up() {
    let (_fake, source) = start(Plan {
        faults: vec![Fault {
            on: Some(Endpoint::Tickets),
            request: 1,
            times: u64::MAX,
            misbehaviour: Misbehaviour::Endless,
        }],
        ..small()
    });
    let limits = Limits {
        pages: 20,
        ..Limits::LIST
    };
    let mut walk = Walk::new(limits);
    let error = loop {
        let Next::Page(page) = walk.next() else {
            panic!("it has no end")
        };
        let page = source.tickets(page).await.unwrap();
        if let Err(error) = walk.arrived(page.keys(), &page.totals) {
            break error;
        }
    };
    assert_eq!(error.code(), "too_many_pages");
}

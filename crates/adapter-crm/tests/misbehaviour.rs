//! The adapter against a CRM that misbehaves (rows X1 to X5 of the faults to survive).

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use adapter_crm::{AllowedHosts, HttpCrm, Lookup, Settings, SystemLookup, Timeouts};
use domain::{
    importing::{ApiToken, BaseUrl, ExternalId, Failure, Page, Totals, rows::Ticket},
    shared::Instant,
};
use fake_crm::{Endpoint, Envelope, Fake, Fault, Misbehaviour, Plan, RetryAfter, Tells};
use ports::{
    Clock,
    crm::{Crm, CrmEndpoint, SourceError, TicketSource},
};
use tokio::{io::AsyncWriteExt, net::TcpListener};

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }
}

fn settings(url: &str) -> Settings {
    let host = url.split("://").nth(1).unwrap();
    Settings {
        allowed_hosts: AllowedHosts::parse(host).unwrap(),
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            idle: Duration::from_millis(400),
            answer: Duration::from_secs(2),
        },
        largest_answer: 1 << 20,
    }
}

fn endpoint(url: &str) -> CrmEndpoint {
    CrmEndpoint {
        base_url: BaseUrl::parse(url).unwrap(),
        token: ApiToken::parse("secret").unwrap(),
        tls_verify: true,
    }
}

fn open(url: &str) -> Arc<dyn TicketSource> {
    let crm = HttpCrm::new(settings(url), Arc::new(SystemLookup), Arc::new(FixedClock));
    crm.open(&endpoint(url)).unwrap()
}

fn fake(plan: Plan) -> (Fake, Arc<dyn TicketSource>) {
    let fake = Fake::start(Plan {
        token: Some("secret".to_owned()),
        ..plan
    })
    .unwrap();
    let source = open(&fake.url);
    (fake, source)
}

/// What a ticket page that is answered like this comes to; the next one is whole again.
async fn answered(misbehaviour: Misbehaviour) -> Result<Page<Ticket>, SourceError> {
    let (fake, source) = fake(Plan {
        faults: vec![Fault {
            on: Some(Endpoint::Tickets),
            request: 1,
            times: 1,
            misbehaviour,
        }],
        ..Plan::default()
    });
    let answer = source.tickets(1).await;
    assert_eq!(source.tickets(2).await.unwrap().rows().len(), 50);
    assert_eq!(fake.log().count(Endpoint::Tickets), 2, "one request a call");
    answer
}

async fn failure(misbehaviour: Misbehaviour) -> (&'static str, Failure) {
    let error = answered(misbehaviour).await.unwrap_err();
    (error.code(), error.failure())
}

#[tokio::test]
async fn the_three_lists_are_asked_as_agreed() {
    let (fake, source) = fake(Plan {
        messages_per_ticket: 25,
        clock_skew_s: 3_600,
        ..Plan::default()
    });
    let tickets = source.tickets(2).await.unwrap();
    assert_eq!(tickets.rows().len(), 50);
    let totals = Totals {
        pages: Some(2),
        rows: Some(100),
        more: None,
    };
    assert_eq!(tickets.totals, totals);
    assert!(tickets.clock.is_some());
    assert_eq!(source.contacts(3).await.unwrap().rows().len(), 0);
    let ticket = tickets.rows()[0].value.id.clone();
    assert_eq!(source.messages(&ticket, 1).await.unwrap().rows().len(), 20);
    assert_eq!(source.messages(&ticket, 2).await.unwrap().rows().len(), 5);
    assert_eq!(fake.log().pages(Endpoint::Messages), [1, 2]);
    let strange = ExternalId::from_stored("../../contact?x=1#".to_owned());
    let error = source.messages(&strange, 1).await.unwrap_err();
    assert!(
        matches!(error, SourceError::NotFound),
        "an id stays one segment"
    );
}

#[tokio::test]
async fn every_envelope_is_read() {
    let (fake, source) = fake(Plan::default());
    for envelope in [
        Envelope::Bare,
        Envelope::Data,
        Envelope::Contacts,
        Envelope::Messages,
    ] {
        for tells in [
            Tells::Nothing,
            Tells::MetaTotals,
            Tells::MetaLastPage,
            Tells::PaginationTotalPages,
            Tells::HasMore,
        ] {
            fake.replan(|plan| (plan.envelope, plan.tells) = (envelope, tells));
            let page = source.contacts(1).await.unwrap();
            assert_eq!(page.rows().len(), 50, "{envelope:?} {tells:?}");
            let told = page.totals != Totals::default();
            assert_eq!(told, envelope != Envelope::Bare && tells != Tells::Nothing);
        }
    }
}

#[tokio::test]
async fn x2_an_odd_body_is_a_failure_and_never_an_empty_page() {
    for (misbehaviour, code) in [
        (Misbehaviour::Truncated, "body_not_json"),
        (Misbehaviour::Html, "body_not_json"),
        (Misbehaviour::ErrorBody, "body_reports_error"),
        (Misbehaviour::UnknownEnvelope, "unknown_envelope"),
        (Misbehaviour::Huge { bytes: 2 << 20 }, "answer_too_large"),
    ] {
        assert_eq!(failure(misbehaviour).await, (code, Failure::Malformed));
    }
}

#[tokio::test]
async fn x3_quotas_say_how_long_to_wait() {
    for (status, retry_after, asked) in [
        (429, RetryAfter::Absent, None),
        (429, RetryAfter::Seconds(7), Some(7)),
        (503, RetryAfter::Seconds(7), Some(7)),
    ] {
        let wait = asked.map(Duration::from_secs);
        let (_, failure) = failure(Misbehaviour::Status {
            status,
            retry_after,
        })
        .await;
        assert_eq!(failure, Failure::Quota(wait));
    }
    let dated = Misbehaviour::Status {
        status: 429,
        retry_after: RetryAfter::Date(30),
    };
    let (_, Failure::Quota(Some(wait))) = failure(dated).await else {
        panic!("a quota")
    };
    assert!(
        (28..=31).contains(&wait.as_secs()),
        "by the clock of the other side"
    );
}

#[tokio::test]
async fn x3_statuses_tell_what_may_be_tried_again() {
    for (status, code, expected) in [
        (500, "server_error", Failure::Transient),
        (502, "server_error", Failure::Transient),
        (503, "server_error", Failure::Transient),
        (401, "unauthorized", Failure::Permanent),
        (403, "unauthorized", Failure::Permanent),
        (404, "not_found", Failure::Permanent),
        (422, "request_refused", Failure::Permanent),
        (204, "unexpected_status", Failure::Malformed),
    ] {
        let retry_after = RetryAfter::Absent;
        let found = failure(Misbehaviour::Status {
            status,
            retry_after,
        })
        .await;
        assert_eq!(found, (code, expected), "{status}");
    }
}

#[tokio::test]
async fn x3_broken_and_silent_connections_are_transient() {
    let slow = Misbehaviour::Slow { ms: 100 };
    for (misbehaviour, code) in [
        (Misbehaviour::Cut, "connection_lost"),
        (Misbehaviour::Silent, "timeout"),
        (slow, "timeout"),
    ] {
        let name = format!("{misbehaviour:?}");
        assert_eq!(
            failure(misbehaviour).await,
            (code, Failure::Transient),
            "{name}"
        );
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let error = open(&url).tickets(1).await.unwrap_err();
    assert_eq!(
        (error.code(), error.failure()),
        ("not_reachable", Failure::Transient)
    );
}

#[tokio::test]
async fn x5_redirects_are_not_followed() {
    let (target, _) = fake(Plan::default());
    let redirect = Misbehaviour::Redirect {
        to: format!("{}/ticket?page=1", target.url),
    };
    assert_eq!(failure(redirect).await, ("redirected", Failure::Permanent));
    assert!(target.log().requests().is_empty());
}

/// Says that every name is an address inside.
#[derive(Default)]
struct Inside(AtomicUsize);

#[async_trait::async_trait]
impl Lookup for Inside {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

#[tokio::test]
async fn x5_a_name_is_resolved_for_each_connection_and_not_connected_to_when_it_is_private() {
    let lookup = Arc::new(Inside::default());
    let crm = HttpCrm::new(
        Settings::default(),
        Arc::clone(&lookup) as _,
        Arc::new(FixedClock),
    );
    let source = crm.open(&endpoint("https://crm.example")).unwrap();
    for turn in 1..=2 {
        let error = source.tickets(1).await.unwrap_err();
        let found = (error.code(), error.failure());
        assert_eq!(found, ("private_address", Failure::Permanent));
        assert_eq!(lookup.0.load(Ordering::Relaxed), turn);
    }
}

#[tokio::test]
async fn x5_addresses_that_must_not_be_reached_are_refused_before_a_request() {
    let (fake, _) = fake(Plan::default());
    let crm = HttpCrm::new(
        Settings::default(),
        Arc::new(SystemLookup),
        Arc::new(FixedClock),
    );
    let port = fake.url.rsplit(':').next().unwrap().to_owned();
    for (url, code) in [
        (fake.url.clone(), "not_https"),
        (format!("https://127.0.0.1:{port}"), "port_not_allowed"),
        ("https://169.254.169.254".to_owned(), "private_address"),
        ("https://127.1".to_owned(), "private_address"),
    ] {
        let error = crm.open(&endpoint(&url)).err().unwrap();
        assert_eq!(error.code(), code, "{url}");
    }
    assert!(fake.log().requests().is_empty());
}

/// A TLS server whose certificate nobody vouches for; it answers one empty page per connection.
async fn self_signed() -> String {
    let acceptor = test_kit::tls::self_signed("localhost").acceptor;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test]
async fn x5_a_certificate_that_nobody_vouches_for_is_refused_unless_the_client_says_otherwise() {
    let url = self_signed().await;
    let crm = HttpCrm::new(settings(&url), Arc::new(SystemLookup), Arc::new(FixedClock));
    let strict = endpoint(&url);
    let error = crm.open(&strict).unwrap().tickets(1).await.unwrap_err();
    assert_eq!(
        (error.code(), error.failure()),
        ("invalid_certificate", Failure::Permanent)
    );
    let lenient = CrmEndpoint {
        tls_verify: false,
        ..strict
    };
    let delivered = crm.open(&lenient).unwrap().tickets(1).await.unwrap();
    assert!(delivered.rows().is_empty() && delivered.clock.is_none());
}

#[tokio::test]
async fn errors_do_not_show_where_or_what_was_asked() {
    let nobody = "http://127.0.0.1:1";
    let ticket = ExternalId::from_stored("ticket-of-somebody".to_owned());
    let error = open(nobody).messages(&ticket, 1).await.unwrap_err();
    let mut shown = format!("{error:?} {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        shown += &format!(" {inner}");
        cause = inner.source();
    }
    assert!(
        !shown.contains("ticket-of-somebody") && !shown.contains("secret"),
        "{shown}"
    );
}

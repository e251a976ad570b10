//! What becomes of a dispatch: sent once, told what became of it, whatever the mail server does and whenever it ends.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{path::Path, sync::Arc, time::Duration};

use adapter_smtp::{Security, SmtpSender, SmtpSettings};
use adapter_sql::{Context, sqlite::Db};
use chrono::{DateTime, TimeDelta};
use domain::shared::{Instant, WorkspaceId};
use events::{
    Attributes, Envelope,
    v1::{DispatchContent, DispatchReported, DispatchRequested},
};
use kernel::Wake;
use messaging::{EventHandler, outgoing};
use plateia_sender::{
    handler::{Dispatches, SendDispatch},
    log::{LogFile, LogSender},
};
use ports::{
    Clock,
    bus::{Delivery, InboxStore, OutboxQueue, Outcome, Settlement, Subscription},
    sending::MessageSender,
};
use tempfile::TempDir;
use test_kit::smtp::{Fake, Fault};

static SUBSCRIPTION: Subscription = Subscription::from_static(events::SENDERS);
const LEASE: Duration = Duration::from_secs(15);

fn at(seconds: i64) -> Instant {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        at(0)
    }
}

/// The senders of a process on a directory, in which the next one goes on.
struct Running {
    db: Db,
    handler: SendDispatch,
}

/// A dispatch, asked for by an event.
fn requested(event: &str, id: &str, address: &str) -> Envelope<DispatchRequested> {
    let attributes = Attributes {
        id: event.to_owned(),
        source: "/plateia/scheduler-service".to_owned(),
        time: at(0),
        workspace: "w1".to_owned(),
        version: 1,
        traceparent: None,
    };
    let data = DispatchRequested {
        dispatch_id: id.to_owned(),
        communication_id: "com_7".to_owned(),
        channel: id.split('.').nth(2).unwrap_or_default().to_owned(),
        address: Some(address.to_owned()),
        content: Some(DispatchContent {
            subject: Some("Hi".to_owned()),
            text: Some("Hi".to_owned()),
            html: None,
        }),
        ..DispatchRequested::default()
    };
    Envelope::new(attributes, data)
}

fn email(event: &str, recipient: u32) -> Envelope<DispatchRequested> {
    let id = format!("dsp_7.1.email.{recipient}");
    requested(event, &id, &format!("p{recipient}@example.org"))
}

impl Running {
    /// E-mail goes to the server, what else there is into the log.
    async fn start(dir: &Path, server: &Fake) -> Self {
        let log = LogFile::open(&dir.join("dispatches.ndjson")).unwrap();
        let log = Arc::new(LogSender::new(log));
        Self::with(dir, vec![Arc::new(smtp(server)), log]).await
    }

    async fn with(dir: &Path, senders: Vec<Arc<dyn MessageSender>>) -> Self {
        let db = Db::open(&dir.join("sender.db")).await.unwrap();
        let contexts = &[Context::Messaging, Context::Sending];
        db.migrate(contexts).await.unwrap();
        let dispatches = Dispatches {
            store: Arc::new(db.clone()),
            clock: Arc::new(Still),
            wake: Wake::default(),
            senders,
        };
        Self {
            db,
            handler: SendDispatch(Arc::new(dispatches)),
        }
    }

    async fn deliver(&self, event: &Envelope<DispatchRequested>) {
        let workspace = WorkspaceId::parse("w1").unwrap();
        let event = outgoing(event, &workspace).unwrap();
        self.db.deliver(&SUBSCRIPTION, &event, at(0)).await.unwrap();
    }

    /// The delivery that is due at a time, which must be one.
    async fn claim(&self, seconds: i64) -> Delivery {
        let claimed = InboxStore::claim(&self.db, &SUBSCRIPTION, 9, at(seconds), LEASE);
        let mut claimed = claimed.await.unwrap();
        assert_eq!(claimed.len(), 1);
        claimed.remove(0)
    }

    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let event = Envelope::decode(&delivery.event.payload).unwrap();
        self.handler.handle(delivery, event).await
    }

    /// Delivers an event and handles it.
    async fn take(&self, event: &Envelope<DispatchRequested>) -> Outcome {
        self.deliver(event).await;
        let delivery = self.claim(0).await;
        self.handle(&delivery).await
    }

    /// What was told so far and not before, by event.
    async fn told(&self) -> Vec<(String, DispatchReported)> {
        let claims = OutboxQueue::claim(&self.db, 99, at(0), LEASE)
            .await
            .unwrap();
        let mut told = Vec::new();
        for claim in claims {
            let event = claim.event;
            self.db
                .mark_sent(std::slice::from_ref(&event.event_id), at(0))
                .await
                .unwrap();
            let envelope = Envelope::<DispatchReported>::decode(&event.payload).unwrap();
            told.push((event.event_id.to_string(), envelope.data));
        }
        told
    }

    /// The only report: its status, and its name or its code.
    async fn report(&self) -> (String, String) {
        let mut told = self.told().await;
        assert_eq!(told.len(), 1, "{told:?}");
        let (_, report) = told.remove(0);
        let detail = report.provider_id.or(report.error);
        (report.status, detail.unwrap_or_default())
    }
}

fn smtp(server: &Fake) -> SmtpSender {
    SmtpSender::new(SmtpSettings {
        host: "localhost".to_owned(),
        port: server.address.port(),
        security: Security::Plain,
        ca_file: None,
        credentials: None,
        from: "news@example.com".to_owned(),
        list_unsubscribe: None,
        timeout: Duration::from_secs(8),
        connections: 2,
    })
    .unwrap()
}

async fn fresh() -> (TempDir, Fake, Running) {
    let (dir, server) = (tempfile::tempdir().unwrap(), Fake::start());
    let running = Running::start(dir.path(), &server).await;
    (dir, server, running)
}

fn words(status: &str, detail: &str) -> (String, String) {
    (status.to_owned(), detail.to_owned())
}

#[tokio::test]
async fn email_goes_by_smtp_and_the_rest_into_the_log() {
    let (dir, server, running) = fresh().await;
    assert_eq!(running.take(&email("e1", 1)).await, Outcome::Done);
    let name = "dsp_7.1.email.1@example.com";
    assert_eq!(running.report().await, words("sent", name));
    let sms = requested("e2", "dsp_7.1.sms.1", "+5511999999999");
    assert_eq!(running.take(&sms).await, Outcome::Done);
    let told = running.told().await;
    let (id, report) = &told[0];
    assert_eq!((id.as_str(), report.status.as_str()), ("sent-e2", "sent"));
    assert_eq!(report.dispatch_id, "dsp_7.1.sms.1");
    assert_eq!(server.mails().len(), 1);
    let log = std::fs::read_to_string(dir.path().join("dispatches.ndjson")).unwrap();
    assert_eq!(log.lines().count(), 1);
    assert!(log.contains("dsp_7.1.sms.1"));
}

#[tokio::test]
async fn what_is_refused_has_failed_with_its_code() {
    let (_dir, server, running) = fresh().await;
    server.fault(Fault::Answer("RCPT", 550));
    assert_eq!(running.take(&email("e1", 1)).await, Outcome::Done);
    assert_eq!(running.report().await, words("failed", "550"));
    let nowhere = requested("e2", "dsp_7.1.email.2", "nowhere");
    assert_eq!(running.take(&nowhere).await, Outcome::Done);
    assert_eq!(running.report().await, words("failed", "invalid_address"));
    // Asked again, it is told again, and not tried.
    assert_eq!(running.take(&email("e3", 1)).await, Outcome::Done);
    let told = running.told().await;
    assert_eq!(told[0].0, "failed-e3");
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn what_cannot_be_sent_now_is_sent_when_it_is_tried_again() {
    let (_dir, server, running) = fresh().await;
    for fault in [Fault::Answer("RCPT", 451), Fault::Close("MAIL")] {
        server.fault(fault);
    }
    running.deliver(&email("e1", 1)).await;
    for (seconds, now) in [(0, "went away"), (1, "451")] {
        let delivery = running.claim(seconds).await;
        let Outcome::Retry {
            after: None,
            reason,
        } = running.handle(&delivery).await
        else {
            panic!("not tried again");
        };
        assert!(reason.contains(now) && !reason.contains('@'), "{reason}");
        let later = running
            .db
            .retry(&delivery.receipt, at(seconds + 1), &reason);
        assert_eq!(later.await.unwrap(), Settlement::Applied);
    }
    assert!(running.told().await.is_empty());
    let delivery = running.claim(2).await;
    assert_eq!(running.handle(&delivery).await, Outcome::Done);
    assert_eq!(running.report().await.0, "sent");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn what_was_sent_is_only_told_again_by_whoever_comes_next() {
    let (dir, server, running) = fresh().await;
    assert_eq!(running.take(&email("e1", 1)).await, Outcome::Done);
    assert_eq!(running.report().await.0, "sent");
    drop(running);
    let running = Running::start(dir.path(), &server).await;
    assert_eq!(running.take(&email("e2", 1)).await, Outcome::Done);
    let told = running.told().await;
    assert_eq!(told[0].0, "sent-e2");
    let name = told[0].1.provider_id.as_deref();
    assert_eq!(name, Some("dsp_7.1.email.1@example.com"));
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_delivery_that_was_taken_over_is_not_sent_again() {
    let (_dir, server, running) = fresh().await;
    running.deliver(&email("e1", 1)).await;
    let slow = running.claim(0).await;
    // Its lease has lapsed.
    let next = running.claim(20).await;
    assert_eq!(running.handle(&slow).await, Outcome::Done);
    assert!(running.told().await.is_empty(), "told by whoever has it");
    assert_eq!(running.handle(&next).await, Outcome::Done);
    assert_eq!(running.report().await.0, "sent");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_sends_twice_under_one_name() {
    let (_dir, server, running) = fresh().await;
    server.fault(Fault::Close("."));
    running.deliver(&email("e1", 1)).await;
    let delivery = running.claim(0).await;
    assert!(matches!(
        running.handle(&delivery).await,
        Outcome::Retry { .. }
    ));
    // As after a crash: nobody gave it back.
    let delivery = running.claim(20).await;
    assert_eq!(running.handle(&delivery).await, Outcome::Done);
    assert_eq!(running.report().await.0, "sent");
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
}

#[tokio::test]
async fn a_channel_without_a_sender_is_left_to_others() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Fake::start());
    let running = Running::with(dir.path(), vec![Arc::new(smtp(&server))]).await;
    let sms = requested("e1", "dsp_7.1.sms.1", "+5511999999999");
    assert_eq!(running.take(&sms).await, Outcome::Done);
    assert!(running.told().await.is_empty());
}

#[tokio::test]
async fn what_is_malformed_is_rejected() {
    let (_dir, server, running) = fresh().await;
    let mut other = email("e2", 1);
    other.data.channel = "sms".to_owned();
    let mut nobody = email("e3", 1);
    nobody.attributes.workspace = "no such name".to_owned();
    for event in [
        requested("e1", "no.such.email", "a@b.example"),
        other,
        nobody,
    ] {
        running.deliver(&event).await;
        let delivery = running.claim(0).await;
        let outcome = running.handle(&delivery).await;
        assert!(matches!(outcome, Outcome::Reject { .. }), "{outcome:?}");
        running.db.bury(&delivery.receipt, "", at(0)).await.unwrap();
    }
    assert!(server.mails().is_empty() && running.told().await.is_empty());
}

//! The sender against a mail server that does what servers do on bad days.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::{Duration, Instant};

use adapter_smtp::{Security, SmtpSender, SmtpSettings};
use domain::{customer::Channel, scheduling::Content, shared::WorkspaceId};
use futures::future::join_all;
use ports::sending::{Dispatch, MessageSender, NotPassed, Passed};
use test_kit::{
    place::NOWHERE,
    smtp::{Fake, Fault, Style},
};

const LOGIN: (&str, &str) = ("me", "hunter2");

fn settings(server: &Fake) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        port: server.address.port(),
        security: Security::Plain,
        ca_file: Some(server.ca_file.clone()),
        credentials: None,
        from: "Notícias <news@example.com>".to_owned(),
        list_unsubscribe: None,
        timeout: Duration::from_secs(8),
        connections: 2,
    }
}

fn sender(server: &Fake) -> SmtpSender {
    SmtpSender::new(settings(server)).unwrap()
}

fn dispatch(recipient: u32) -> Dispatch {
    Dispatch {
        id: format!("dsp_7.1.email.{recipient}").parse().unwrap(),
        workspace: WorkspaceId::parse("w1").unwrap(),
        address: Some(format!("p{recipient}@example.org")),
        content: Content {
            subject: Some("Olá".to_owned()),
            text: Some(format!("Hi {recipient}\n.\nbye")),
            html: Some(format!("<p>Hi {recipient}</p>")),
        },
    }
}

fn passed(recipient: u32) -> Result<Passed, NotPassed> {
    Ok(Passed {
        provider_id: Some(format!("dsp_7.1.email.{recipient}@example.com")),
    })
}

/// Why nothing was sent; never with an address.
fn reason(sent: Result<Passed, NotPassed>) -> String {
    let Err(NotPassed::Unavailable { reason }) = sent else {
        panic!("{sent:?}");
    };
    assert!(!reason.contains('@'), "{reason}");
    reason
}

#[tokio::test]
async fn an_email_arrives_as_it_was_written() {
    let server = Fake::start();
    let sender = sender(&server);
    assert!(sender.takes(Channel::Email) && !sender.takes(Channel::Sms));
    assert_eq!(sender.send(&dispatch(1), false).await, passed(1));
    assert_eq!(sender.send(&dispatch(2), true).await, passed(2));
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    let mail = &mails[0];
    assert_eq!(mail.hello, "example.com");
    assert_eq!(mail.from, "news@example.com");
    assert_eq!(mail.to, ["p1@example.org"]);
    assert_eq!(mail.header("Message-ID"), "<dsp_7.1.email.1@example.com>");
    assert_eq!(mail.header("To"), "p1@example.org");
    assert!(mail.header("From").ends_with("<news@example.com>"));
    assert!(mail.data.contains("Hi 1\r\n.\r\nbye"), "{}", mail.data);
    assert!(mail.data.contains("<p>Hi 1</p>"));
    assert_eq!(server.connections(), 1, "kept for the next one");
}

#[tokio::test]
async fn what_the_server_refuses_for_good_is_refused_with_its_code() {
    let server = Fake::start();
    let sender = sender(&server);
    for (step, code) in [("RCPT", 550), ("DATA", 554), (".", 552), ("MAIL", 553)] {
        server.fault(Fault::Answer(step, code));
        let refused = Err(NotPassed::refused(code.to_string()));
        assert_eq!(sender.send(&dispatch(1), false).await, refused, "{step}");
    }
    assert!(server.mails().is_empty());
    assert_eq!(sender.send(&dispatch(2), false).await, passed(2));
}

#[tokio::test]
async fn what_the_server_refuses_for_now_is_tried_again() {
    let server = Fake::start();
    let sender = sender(&server);
    for (step, code) in [("RCPT", 450), (".", 451), ("MAIL", 421), ("connect", 554)] {
        server.fault(Fault::Answer(step, code));
        let reason = reason(sender.send(&dispatch(1), false).await);
        assert_eq!(reason, format!("the mail server answered {code}"));
    }
    for step in ["connect", "EHLO", "RCPT", "DATA"] {
        server.fault(Fault::Close(step));
        let reason = reason(sender.send(&dispatch(1), false).await);
        assert!(reason.contains("mail server"), "{step}: {reason}");
    }
    assert!(server.mails().is_empty());
    assert_eq!(sender.send(&dispatch(1), true).await, passed(1));
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_sends_twice_under_one_id() {
    let server = Fake::start();
    let sender = sender(&server);
    server.fault(Fault::Close("."));
    reason(sender.send(&dispatch(1), false).await);
    assert_eq!(sender.send(&dispatch(1), true).await, passed(1));
    let mails = server.mails();
    let ids: Vec<&str> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids, ["<dsp_7.1.email.1@example.com>"; 2]);
}

#[tokio::test]
async fn nobody_waits_longer_than_the_limit_and_nothing_is_mixed_up() {
    let server = Fake::start();
    let mut settings = settings(&server);
    (settings.timeout, settings.connections) = (Duration::from_millis(300), 1);
    for (n, step) in (1..).zip(["connect", "EHLO", "MAIL", "DATA", "."]) {
        let sender = SmtpSender::new(settings.clone()).unwrap();
        server.fault(Fault::Hang(step));
        let begun = Instant::now();
        let reason = reason(sender.send(&dispatch(n), false).await);
        assert_eq!(reason, "the mail server took longer than 0.3 s", "{step}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        // A new connection: what hung is used no more.
        assert_eq!(sender.send(&dispatch(n + 10), false).await, passed(n + 10));
        let last = server.mails().pop().unwrap();
        assert_eq!(last.to, [format!("p{}@example.org", n + 10)]);
    }
}

#[tokio::test]
async fn there_are_no_more_connections_than_are_allowed() {
    let server = Fake::start();
    let sender = sender(&server);
    let all: Vec<Dispatch> = (0..20).map(dispatch).collect();
    let sent = join_all(all.iter().map(|one| sender.send(one, false))).await;
    for (n, sent) in (0..).zip(sent) {
        assert_eq!(sent, passed(n));
    }
    assert!(server.connections() <= 2, "{}", server.connections());
    let mut to: Vec<String> = server
        .mails()
        .into_iter()
        .flat_map(|mail| mail.to)
        .collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 20);
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let server = Fake::start();
    let mut settings = settings(&server);
    let (host, port) = NOWHERE.split_once(':').unwrap();
    (settings.host, settings.port) = (host.to_owned(), port.parse().unwrap());
    let sender = SmtpSender::new(settings).unwrap();
    let reason = reason(sender.send(&dispatch(1), false).await);
    assert_eq!(reason, "no connection to the mail server");
}

#[tokio::test]
async fn tls_and_a_login_are_used_as_they_are_set() {
    for (security, tls, starttls) in [
        (Security::Plain, false, false),
        (Security::Tls, true, false),
        (Security::Starttls, false, true),
    ] {
        let style = Style {
            tls,
            starttls,
            login: Some(LOGIN),
        };
        let server = Fake::with(style);
        let of = |password: &str| {
            let mut settings = settings(&server);
            settings.security = security;
            settings.credentials = Some((LOGIN.0.to_owned(), password.into()));
            assert!(!format!("{settings:?}").contains(password));
            SmtpSender::new(settings).unwrap()
        };
        assert_eq!(of(LOGIN.1).send(&dispatch(1), false).await, passed(1));
        let mail = &server.mails()[0];
        assert_eq!(
            (mail.tls, mail.known),
            (tls || starttls, true),
            "{security:?}"
        );
        // Nobody's e-mail is to blame for a wrong password, or for none.
        let wrong = reason(of("wrong-password").send(&dispatch(2), false).await);
        assert_eq!(wrong, "the mail server answered 535");
        let mut settings = settings(&server);
        settings.security = security;
        let nobody = SmtpSender::new(settings).unwrap();
        let none = reason(nobody.send(&dispatch(2), false).await);
        assert_eq!(none, "the mail server answered 530");
        assert_eq!(server.mails().len(), 1);
    }
}

#[tokio::test]
async fn without_tls_that_is_wanted_or_a_certificate_nothing_is_sent() {
    let open = Fake::start();
    let mut wanted = settings(&open);
    wanted.security = Security::Starttls;
    reason(
        SmtpSender::new(wanted)
            .unwrap()
            .send(&dispatch(1), false)
            .await,
    );
    assert!(open.mails().is_empty());

    let strange = Fake::with(Style {
        tls: true,
        ..Style::default()
    });
    let mut untrusting = settings(&strange);
    (untrusting.security, untrusting.ca_file) = (Security::Tls, None);
    reason(
        SmtpSender::new(untrusting)
            .unwrap()
            .send(&dispatch(1), false)
            .await,
    );
    assert!(strange.mails().is_empty());
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let server = Fake::start();
    let dir = server.ca_file.parent().unwrap();
    for (name, text) in [
        ("none.pem", ""),
        (
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
        ),
    ] {
        let mut settings = settings(&server);
        settings.security = Security::Tls;
        settings.ca_file = Some(dir.join(name));
        let missing = SmtpSender::new(settings.clone()).err().unwrap().to_string();
        assert!(missing.contains(name), "{missing}");
        std::fs::write(dir.join(name), text).unwrap();
        let unusable = SmtpSender::new(settings).err().unwrap().to_string();
        assert!(unusable.contains(name), "{unusable}");
    }
}

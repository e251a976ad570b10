//! The program on real servers.

use std::sync::Arc;

use adapter_rabbitmq::{RabbitBus, RabbitSettings};
use contract_tests::bus::travel::{Arrivals, NoWake, binding};
use domain::shared::WorkspaceId;
use events::{
    Attributes, Envelope, IntegrationEvent,
    v1::{DispatchContent, DispatchReported, DispatchRequested},
};
use messaging::outgoing;
use ports::{
    Clock,
    bus::{Subscribers, Subscription},
};
use runtime::SystemClock;
use test_kit::{
    blocking::until,
    place,
    place::Place,
    smtp::{Fake, Style},
};
use tokio_util::sync::CancellationToken;

const PROGRAM: &str = env!("CARGO_BIN_EXE_plateia-sender");

#[test]
fn bad_settings_are_named() {
    place::refuses_bad_settings(PROGRAM);
    let place = Place::new(PROGRAM);
    for (variable, value, key) in [
        ("SENDER__KINDS", "log,fax", "sender.kinds"),
        ("SENDER__KINDS", "smtp", "smtp.host"),
    ] {
        place.refuses(&format!("PLATEIA__{variable}"), value, key);
    }
    let smtp = [
        ("PLATEIA__SMTP__HOST", "localhost"),
        ("PLATEIA__SMTP__FROM", "news@example.com"),
    ];
    for (name, value) in [
        ("from", "news"),
        ("list_unsubscribe", "example.com"),
        ("ca_file", "/nowhere/ca.pem"),
    ] {
        let variable = format!("PLATEIA__SMTP__{}", name.to_uppercase());
        let mut settings = smtp.to_vec();
        settings.push((&variable, value));
        for command in [&["config", "check"][..], &["serve"]] {
            let (output, said) = place.run(command, &settings);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains(&format!("smtp.{name}")), "{said}");
        }
    }
}

#[test]
fn it_checks_and_migrates() {
    place::checks_and_migrates(PROGRAM);
}

#[test]
fn it_serves_until_it_is_told_to_end() {
    place::serves_until_it_is_told_to_end(PROGRAM);
}

fn dispatch(recipient: u32) -> Envelope<DispatchRequested> {
    let id = format!("dsp_7.1.email.{recipient}");
    let attributes = Attributes {
        id: id.clone(),
        source: "/plateia/scheduler-service".to_owned(),
        time: SystemClock.now(),
        workspace: "w1".to_owned(),
        version: 1,
        traceparent: None,
    };
    let data = DispatchRequested {
        dispatch_id: id,
        communication_id: "com_7".to_owned(),
        channel: "email".to_owned(),
        address: Some(format!("p{recipient}@example.org")),
        content: Some(DispatchContent {
            text: Some("Hi".to_owned()),
            ..DispatchContent::default()
        }),
        ..DispatchRequested::default()
    };
    Envelope::new(attributes, data)
}

/// Ended where it is not known whether it was sent, it sends again, and everybody can tell.
#[test]
fn dispatches_come_by_the_broker_and_leave_by_smtp() {
    let server = Fake::with(Style {
        starttls: true,
        login: Some(("me", "hunter2")),
        ..Style::default()
    });
    let place = Place::new(PROGRAM);
    let port = server.address.port().to_string();
    let settings = [
        ("PLATEIA__SENDER__KINDS", "smtp"),
        ("PLATEIA__SMTP__HOST", "localhost"),
        ("PLATEIA__SMTP__PORT", port.as_str()),
        ("PLATEIA__SMTP__CA_FILE", server.ca_file.to_str().unwrap()),
        ("PLATEIA__SMTP__USER", "me"),
        ("PLATEIA__SMTP__PASSWORD", "hunter2"),
        ("PLATEIA__SMTP__POOL_SIZE", "1"),
        ("PLATEIA__SMTP__LIST_UNSUBSCRIBE", "https://example.com/u"),
        ("PLATEIA__SMTP__FROM", "news@example.com"),
    ];
    let mut crashing = settings.to_vec();
    crashing.push(("CRASH_AT", "dispatch.sent:2"));
    let (mut program, _) = place.start(&crashing);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stop = CancellationToken::new();
    let senders = Subscription::from_static(events::SENDERS);
    let reports = Subscription::from_static(events::COMMUNICATIONS);
    let required = Subscribers::default().require(DispatchRequested::TYPE, senders);
    let arrivals = Arc::new(Arrivals::default());
    let broker = RabbitSettings::new(&test_kit::rabbitmq_url(), &place.name).unwrap();
    let bus = RabbitBus::new(broker, Arc::new(SystemClock), required).bind(
        binding(reports, [DispatchReported::TYPE]),
        arrivals.clone(),
        Arc::new(NoWake),
    );
    let (publisher, status) = (bus.publisher(), bus.status());
    let running = runtime.spawn(bus.run(stop.clone()));
    let workspace = WorkspaceId::parse("w1").unwrap();
    runtime.block_on(async {
        status.wait(true).await;
        for recipient in 0..3 {
            let event = outgoing(&dispatch(recipient), &workspace).unwrap();
            publisher.publish(&event).await.unwrap();
        }
    });
    until("the crash", || program.has_ended().then_some(()));
    let (mut program, _) = place.start(&settings);
    // What was in hand comes back when its lease has lapsed.
    until("all reports", || (arrivals.all().len() == 3).then_some(()));
    let mails = server.mails();
    let mut ids: Vec<&str> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!((3..=6).contains(&mails.len()), "{}", mails.len());
    assert!(mails.iter().all(|mail| mail.tls && mail.known));
    let leave = mails[0].header("List-Unsubscribe");
    assert_eq!(leave, "<https://example.com/u>");
    assert_eq!(server.connections(), 2, "one of each process");
    assert_eq!(program.stop().code(), Some(0));
    stop.cancel();
    runtime.block_on(running).unwrap();
}

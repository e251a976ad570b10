//! The broker through TLS: a front of the tests' broker that speaks it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, sync::Arc};

use adapter_rabbitmq::{RabbitBus, RabbitSettings, RabbitStartError};
use domain::shared::Instant;
use lapin::{Connection, ConnectionProperties, uri::AMQPUri};
use ports::{Clock, bus::Subscribers};
use test_kit::tls::Front;

/// First part of the names that a check declares.
const PREFIX: &str = "test-tls";

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        contract_tests::bus::at(0)
    }
}

/// A front that shows a certificate for `name`, and how it is reached.
async fn front(name: &str) -> (Front, RabbitSettings) {
    let url = test_kit::rabbitmq_url();
    let AMQPUri { authority, .. } = url.parse().unwrap();
    let open = format!("{}:{}", authority.host, authority.port);
    let front = Front::start(name, (authority.host, authority.port), None).await;
    let url = url
        .replace("amqp://", "amqps://")
        .replace(&open, &format!("localhost:{}", front.port));
    (front, RabbitSettings::new(&url, PREFIX).unwrap())
}

async fn check(settings: RabbitSettings) -> Result<(), RabbitStartError> {
    let bus = RabbitBus::new(settings, Arc::new(Still), Subscribers::default());
    bus.check().await
}

fn refused(ca_file: &Path) -> String {
    let settings = RabbitSettings::new("amqps://localhost", PREFIX).unwrap();
    let error = settings.trusting(ca_file).unwrap_err();
    assert!(!error.is_transient());
    error.to_string()
}

#[tokio::test]
async fn a_broker_with_a_certificate_that_is_known_is_reached() {
    let (front, settings) = front("localhost").await;
    check(settings.trusting(&front.ca_file).unwrap())
        .await
        .unwrap();

    let url = test_kit::rabbitmq_url();
    let connection = Connection::connect(&url, ConnectionProperties::default());
    let channel = connection.await.unwrap().create_channel().await.unwrap();
    for declared in ["events", "dead"] {
        let name = format!("{PREFIX}.{declared}");
        let deleted = channel.exchange_delete(name.as_str().into(), Default::default());
        deleted.await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (_front, settings) = front("localhost").await;
    let refused = check(settings).await.unwrap_err().to_string();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (front, settings) = front("elsewhere").await;
    let settings = settings.trusting(&front.ca_file).unwrap();
    let refused = check(settings).await.unwrap_err().to_string();
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let missing = Path::new("/nowhere/ca.pem");
    assert!(refused(missing).contains("/nowhere/ca.pem"));
    let none = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    assert!(refused(none).ends_with("Cargo.toml: there is none"));
}

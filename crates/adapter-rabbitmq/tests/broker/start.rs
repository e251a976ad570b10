//! What is wrong at the start is told at the start.

use std::sync::Arc;

use adapter_rabbitmq::{RabbitBus, RabbitSettings, RabbitStartError};
use contract_tests::bus::{AUDIT, MAIL, event, travel::Arrivals};
use lapin::{options::QueueDeclareOptions, types::FieldTable};
use ports::bus::Subscribers;

use crate::rig::{Still, TYPE, publish, with, within};

async fn check(url: &str, prefix: &str) -> RabbitStartError {
    let settings = RabbitSettings::new(url, prefix).unwrap();
    let bus = RabbitBus::new(settings, Arc::new(Still), Subscribers::default());
    within(bus.check()).await.unwrap_err()
}

#[test]
fn malformed_settings_are_refused_without_a_broker() {
    for url in ["", "localhost:5672", "http://localhost", "amqp://h:port/"] {
        let refused = RabbitSettings::new(url, "plateia");
        assert!(matches!(refused, Err(RabbitStartError::Url)), "{url:?}");
    }
    for prefix in ["", "Plateia", "1a", "a.b", "a b", &"a".repeat(41)] {
        let refused = RabbitSettings::new("amqp://localhost", prefix);
        assert!(
            matches!(refused, Err(RabbitStartError::Prefix)),
            "{prefix:?}"
        );
    }
    let settings = RabbitSettings::new("amqp://u:secret-word@localhost", "plateia").unwrap();
    assert!(!format!("{settings:?}").contains("secret-word"));
}

#[tokio::test]
async fn a_broker_that_is_not_there_may_come_later() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let error = check(&format!("amqp://u:secret-word@{address}/%2f"), "plateia").await;
    assert!(error.is_transient());
    let text = error.to_string();
    assert!(text.contains(&address.to_string()), "{text}");
    assert!(!text.contains("secret-word"), "{text}");
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_not_waited_for() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let error = check(&format!("amqp://{address}/%2f"), "plateia").await;
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_broker_that_does_not_let_us_in_is_our_fault() {
    with(async |rig| {
        let (scheme, rest) = rig.url.split_once("://").unwrap();
        let host = rest.rsplit('@').next().unwrap();
        let wrong_password = format!("{scheme}://guest:secret-word@{host}");
        let error = check(&wrong_password, &rig.prefix).await;
        assert!(matches!(error, RabbitStartError::Refused { .. }), "{error}");
        assert!(!error.is_transient());
        assert!(!error.to_string().contains("secret-word"));

        let host = rig.url.rsplit_once('/').unwrap().0;
        let error = check(&format!("{host}/no-such-host"), &rig.prefix).await;
        assert!(matches!(error, RabbitStartError::Refused { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_secure_url_never_speaks_in_the_open() {
    with(async |rig| {
        let error = check(&rig.url.replace("amqp://", "amqps://"), &rig.prefix).await;
        assert!(
            matches!(error, RabbitStartError::Unreachable { .. }),
            "{error}"
        );
    })
    .await;
}

async fn declare_otherwise(rig: &crate::rig::Rig, name: &str) {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let arguments = FieldTable::default();
    let declared = rig.channel.queue_declare(name.into(), options, arguments);
    declared.await.unwrap();
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_named() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let name = rig.queue(&MAIL);
        declare_otherwise(rig, &name).await;
        let bus = rig.both_listen(&rig.url, inbox);
        let error = bus.check().await.unwrap_err();
        assert!(!error.is_transient());
        assert!(
            matches!(&error, RabbitStartError::Topology { name: wrong, .. } if *wrong == name),
            "{error}"
        );
        let text = error.to_string();
        assert!(
            text.contains(&name) && text.contains("inequivalent arg"),
            "{text}"
        );

        rig.delete_queue(&name).await;
        bus.check().await.unwrap();
        bus.check().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn one_wrong_queue_does_not_stop_the_others() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let name = rig.queue(&MAIL);
        declare_otherwise(rig, &name).await;
        let bus = rig.launch(rig.both_listen(&rig.url, inbox.clone()));
        publish(&*bus.publisher, &event("1", "a")).await;
        inbox.count(1).await;
        assert_eq!(inbox.ids(&AUDIT), ["1"]);
        let consumers = bus.status.consumers();
        assert!(!consumers.connected);
        assert!(consumers.problem.unwrap().contains(&name));

        rig.delete_queue(&name).await;
        within(bus.status.wait(true)).await;
        publish(&*bus.publisher, &event("2", "a")).await;
        inbox.count(3).await;
        assert_eq!(inbox.ids(&MAIL), ["2"]);
    })
    .await;
}

#[tokio::test]
async fn a_check_makes_what_is_required() {
    with(async |rig| {
        let required = Subscribers::default().require(TYPE, AUDIT);
        rig.bus(required).check().await.unwrap();
        assert_eq!(rig.ready(&rig.queue(&AUDIT)).await, 0);
    })
    .await;
}

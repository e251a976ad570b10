//! What cannot be delivered is kept, shown and sent again.

use std::sync::Arc;

use contract_tests::bus::{AUDIT, MAIL, at, event, travel::Arrivals};
use futures::StreamExt;
use lapin::{
    BasicProperties,
    options::{BasicConsumeOptions, BasicNackOptions},
    types::{AMQPValue, FieldTable},
};
use ports::bus::{DeadLetter, EventId, Redrive, Subscribers};

use crate::rig::{Rig, Running, TYPE, publish, with, within};

/// Properties of an event whose attempts to be stored are used up.
fn worn_out(id: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in [
        ("ce-id", id),
        ("ce-type", TYPE),
        ("ce-subject", "a"),
        ("ce-workspace", "ws_test"),
        ("ce-aggregateversion", "7"),
        ("x-attempts", "1000"),
    ] {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    BasicProperties::default().with_headers(headers)
}

async fn both(rig: &Rig) -> (Running, Arc<Arrivals>) {
    let inbox = Arc::new(Arrivals::default());
    let bus = rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
    (bus, inbox)
}

fn ids(letters: &[DeadLetter]) -> Vec<&str> {
    letters.iter().map(|l| l.event.event_id.as_str()).collect()
}

#[tokio::test]
async fn poison_goes_to_the_dead_letters_and_its_neighbours_arrive() {
    with(async |rig| {
        let (bus, inbox) = both(rig).await;
        let queue = rig.queue(&MAIL);
        for n in 0..20 {
            publish(&*bus.publisher, &event(&n.to_string(), "a")).await;
            if n % 5 == 0 {
                let poison = format!("poison {n}");
                rig.put(&queue, BasicProperties::default(), poison.as_bytes())
                    .await;
            }
        }
        let huge = vec![b'x'; (8 << 20) + 1];
        rig.put(&queue, worn_out("huge"), &huge).await;
        inbox.count(40).await;
        rig.until_ready(&rig.dead_queue(&MAIL), 5).await;
        assert_eq!(bus.dead.count().await.unwrap(), 5);
        let letters = bus.dead.list(None, None, 10).await.unwrap();
        let reasons: Vec<&str> = letters.iter().map(|l| l.reason.as_str()).collect();
        let large = reasons.iter().filter(|r| **r == "the message is too large");
        assert_eq!(large.count(), 1, "{reasons:?}");
        let poison = letters
            .iter()
            .find(|l| l.event.payload == b"poison 5")
            .unwrap();
        assert_eq!(poison.subscription, MAIL);
        assert_eq!(poison.event.workspace.as_str(), "unreadable");
        assert_eq!(poison.attempts, 1);
        assert_eq!(poison.buried_at, at(0));
        assert!(poison.reason.contains("headers"), "{}", poison.reason);
        assert_eq!(bus.dead.list(Some(&AUDIT), None, 10).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn what_the_inbox_never_takes_is_given_up_with_the_reason() {
    with(async |rig| {
        let (bus, inbox) = both(rig).await;
        inbox.fail(vec![ports::StoreError::Corrupt("a test")]);
        rig.put(&rig.queue(&AUDIT), worn_out("1"), b"payload").await;
        rig.until_ready(&rig.dead_queue(&AUDIT), 1).await;
        let letters = bus.dead.list(None, None, 10).await.unwrap();
        assert_eq!(ids(&letters), ["1"]);
        assert_eq!(letters[0].event.payload, b"payload");
        assert_eq!(letters[0].event.aggregate_version, 7);
        assert_eq!(letters[0].attempts, 1001);
        assert!(
            letters[0].reason.contains("corrupt"),
            "{}",
            letters[0].reason
        );
    })
    .await;
}

#[tokio::test]
async fn what_consumers_die_of_is_given_up_by_the_broker() {
    with(async |rig| {
        both(rig).await;
        rig.stopped().await;
        let bus = rig.run(rig.bus(Subscribers::default())).await;
        bus.publisher.publish(&event("1", "a")).await.unwrap();
        let queue = rig.queue(&MAIL);
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = rig
            .channel
            .basic_consume(queue.as_str().into(), "".into(), options, none);
        let mut consumer = consumer.await.unwrap();
        for _ in 0..9 {
            let delivery = within(consumer.next()).await.unwrap().unwrap();
            let again = BasicNackOptions {
                requeue: true,
                ..BasicNackOptions::default()
            };
            delivery.nack(again).await.unwrap();
        }
        rig.until_ready(&rig.dead_queue(&MAIL), 1).await;
        let letters = bus.dead.list(None, None, 10).await.unwrap();
        assert_eq!(letters[0].event, event("1", "a"));
        assert!(
            letters[0].reason.contains("delivery_limit"),
            "{}",
            letters[0].reason
        );
        assert!(letters[0].buried_at > at(0), "the broker's own clock");

        assert_eq!(bus.dead.redrive(&Redrive::All, at(1)).await.unwrap(), 1);
        let delivery = within(consumer.next()).await.unwrap().unwrap();
        assert_eq!(delivery.data, event("1", "a").payload);
        let headers = delivery.properties.headers().as_ref().unwrap().inner();
        assert!(!headers.contains_key("x-death"), "it starts anew");
    })
    .await;
}

/// Puts events among the dead letters as a consumer does.
async fn bury(rig: &Rig, subscription: &ports::bus::Subscription, all: &[&str]) {
    for id in all {
        rig.put(&rig.dead_queue(subscription), worn_out(id), b"{}")
            .await;
    }
}

#[tokio::test]
async fn the_list_has_pages_and_changes_nothing() {
    with(async |rig| {
        let (bus, _) = both(rig).await;
        bury(rig, &AUDIT, &["3", "1", "2"]).await;
        bury(rig, &MAIL, &["4"]).await;
        let first = bus.dead.list(None, None, 2).await.unwrap();
        assert_eq!(ids(&first), ["1", "2"], "of the same time, by id");
        let after = first.last().map(DeadLetter::cursor);
        let rest = bus.dead.list(None, after.as_ref(), 10).await.unwrap();
        assert_eq!(ids(&rest), ["3", "4"]);

        let (one, two, three) = tokio::join!(
            bus.dead.list(None, None, 10),
            bus.dead.list(None, None, 10),
            bus.dead.count(),
        );
        assert_eq!(one.unwrap().len(), 4, "everyone sees all of them");
        assert_eq!(two.unwrap().len(), 4);
        assert_eq!(three.unwrap(), 4);
    })
    .await;
}

#[tokio::test]
async fn every_look_sees_what_the_one_before_saw_in_the_same_order() {
    with(async |rig| {
        let (bus, inbox) = both(rig).await;
        let all: Vec<String> = (0..120).map(|n| n.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        bury(rig, &AUDIT, &all).await;
        let nobody = Redrive::One(AUDIT, EventId::new("nobody"));
        for _ in 0..3 {
            let letters = bus.dead.list(None, None, 1000).await.unwrap();
            assert_eq!(letters.len(), all.len());
            assert_eq!(bus.dead.redrive(&nobody, at(1)).await.unwrap(), 0);
        }
        bus.dead.redrive(&Redrive::All, at(1)).await.unwrap();
        inbox.count(all.len()).await;
        assert_eq!(inbox.ids(&AUDIT), all);
    })
    .await;
}

#[tokio::test]
async fn dead_letters_are_sent_again_by_id_by_subscription_or_all() {
    with(async |rig| {
        let (bus, inbox) = both(rig).await;
        bury(rig, &AUDIT, &["1", "2", "3"]).await;
        bury(rig, &MAIL, &["4"]).await;
        assert_eq!(inbox.all().len(), 0);

        let one = Redrive::One(AUDIT, EventId::new("2"));
        assert_eq!(bus.dead.redrive(&one, at(1)).await.unwrap(), 1);
        inbox.count(1).await;
        assert_eq!(inbox.ids(&AUDIT), ["2"]);
        assert_eq!(
            bus.dead.redrive(&one, at(1)).await.unwrap(),
            0,
            "no longer dead"
        );
        assert_eq!(bus.dead.count().await.unwrap(), 3);

        let audit = Redrive::Subscription(AUDIT);
        assert_eq!(bus.dead.redrive(&audit, at(1)).await.unwrap(), 2);
        inbox.count(3).await;
        assert_eq!(inbox.ids(&AUDIT), ["2", "1", "3"]);
        assert_eq!(bus.dead.redrive(&Redrive::All, at(1)).await.unwrap(), 1);
        inbox.count(4).await;
        assert_eq!(inbox.ids(&MAIL), ["4"]);
        assert_eq!(bus.dead.list(None, None, 10).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn without_its_dead_queue_poison_is_held_until_the_queue_is_back() {
    with(async |rig| {
        let (bus, inbox) = both(rig).await;
        rig.delete_queue(&rig.dead_queue(&MAIL)).await;
        rig.put(&rig.queue(&MAIL), BasicProperties::default(), b"poison")
            .await;
        publish(&*bus.publisher, &event("1", "a")).await;
        inbox.count(2).await;
        rig.until_ready(&rig.dead_queue(&MAIL), 1).await;
    })
    .await;
}

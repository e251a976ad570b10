//! Events on their way: headers, repetitions, stops.

use std::sync::Arc;

use contract_tests::bus::{
    AUDIT, MAIL, event,
    travel::{Arrivals, NoWake, binding},
};
use events::{IntegrationEvent, v1::DispatchRequested};
use lapin::{
    options::{QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use ports::bus::{OutboxEvent, Subscribers};

use crate::rig::{TYPE, with, within};

#[tokio::test]
async fn attributes_and_trace_travel_as_headers() {
    with(async |rig| {
        let required = Subscribers::default().require(TYPE, AUDIT);
        let bus = rig.run(rig.bus(required)).await;
        let mut sent = event("1", "aud_1");
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        sent.payload = format!(
            r#"{{"specversion":"1.0","source":"/plateia/test","time":"2026-01-02T03:04:05Z",
                 "traceparent":"{trace}","data":{{"n":[1,2]}}}}"#
        )
        .into_bytes();
        bus.publisher.publish(&sent).await.unwrap();

        let message = rig.get(&rig.queue(&AUDIT)).await;
        assert_eq!(message.data, sent.payload);
        let properties = &message.properties;
        assert_eq!(*properties.delivery_mode(), Some(2), "persistent");
        let id = properties.message_id().as_ref().unwrap();
        assert_eq!(id.as_str(), "1");
        let kind = properties.content_type().as_ref().unwrap();
        assert_eq!(kind.as_str(), "application/cloudevents+json");
        let headers = properties.headers().as_ref().unwrap().inner();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-type", TYPE),
            ("ce-source", "/plateia/test"),
            ("ce-subject", "aud_1"),
            ("ce-time", "2026-01-02T03:04:05Z"),
            ("ce-workspace", "ws_test"),
            ("ce-aggregateversion", "9223372036854775807"),
            ("ce-traceparent", trace),
            ("traceparent", trace),
        ] {
            let expected = AMQPValue::LongString(value.into());
            assert_eq!(headers.get(name), Some(&expected), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_published_while_nobody_consumes_waits() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let first = rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        first.publisher.publish(&event("1", "a")).await.unwrap();
        inbox.count(2).await;
        rig.stopped().await;
        assert!(!first.status.is_healthy());

        let publishing = rig.run(rig.bus(Subscribers::default())).await;
        publishing
            .publisher
            .publish(&event("2", "a"))
            .await
            .unwrap();
        assert_eq!(rig.ready(&rig.queue(&MAIL)).await, 1);
        rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        inbox.count(4).await;
        assert_eq!(inbox.ids(&AUDIT), ["1", "2"]);
        assert_eq!(inbox.ids(&MAIL), ["1", "2"]);
    })
    .await;
}

#[tokio::test]
async fn consumers_of_one_subscription_share_it() {
    with(async |rig| {
        let (one, two) = (Arc::new(Arrivals::default()), Arc::new(Arrivals::default()));
        let bus = rig.run(rig.both_listen(&rig.url, one.clone())).await;
        rig.run(rig.both_listen(&rig.url, two.clone())).await;
        for n in 0..100 {
            bus.publisher
                .publish(&event(&n.to_string(), "a"))
                .await
                .unwrap();
        }
        within(async {
            while one.all().len() + two.all().len() < 200 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(one.calls() + two.calls(), 200);
        assert!(one.calls() > 0 && two.calls() > 0);
    })
    .await;
}

#[tokio::test]
async fn a_stop_hands_nothing_back_unstored() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        for n in 0..60 {
            bus.publisher
                .publish(&event(&n.to_string(), "a"))
                .await
                .unwrap();
        }
        rig.stopped().await;
        let left = rig.ready(&rig.queue(&AUDIT)).await + rig.ready(&rig.queue(&MAIL)).await;
        // The copies for the exchange are dropped, those for the queues stored: none is both.
        let audit = inbox.ids(&AUDIT).len();
        assert_eq!(inbox.ids(&MAIL).len() + audit, inbox.calls(), "each once");
        assert!(left as usize + inbox.calls() >= 120, "none is lost");
    })
    .await;
}

/// A dispatch by a channel, as its producer stores it.
fn dispatch(channel: &str) -> OutboxEvent {
    let mut event = event(channel, "com_1");
    event.event_type = DispatchRequested::TYPE.to_owned();
    event.payload = format!(r#"{{"data":{{"channel":"{channel}"}}}}"#).into_bytes();
    event
}

#[tokio::test]
async fn a_listener_to_one_channel_hears_that_channel_and_a_subscription_all() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let required = Subscribers::default().require(DispatchRequested::TYPE, AUDIT);
        let both = [AUDIT, MAIL].map(|name| binding(name, [DispatchRequested::TYPE]));
        let bus = both.into_iter().fold(rig.bus(required), |bus, binding| {
            bus.bind(binding, inbox.clone(), Arc::new(NoWake))
        });
        let bus = rig.run(bus).await;
        // A program of somebody else's, which knows the documented name only.
        let exclusive = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = rig
            .channel
            .queue_declare("".into(), exclusive, FieldTable::default());
        let queue = queue.await.unwrap().name().clone();
        let (exchange, key) = (
            format!("{}.events", rig.prefix),
            "dispatch.requested.v1.email",
        );
        rig.channel
            .queue_bind(
                queue.clone(),
                exchange.as_str().into(),
                key.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
        let channels = ["sms", "email", "whatsapp", "push"];
        for channel in channels {
            bus.publisher.publish(&dispatch(channel)).await.unwrap();
        }
        assert_eq!(rig.ready(queue.as_str()).await, 1);
        let heard = rig.get(queue.as_str()).await;
        assert_eq!(heard.routing_key.as_str(), key);
        assert_eq!(heard.data, dispatch("email").payload);
        inbox.count(8).await;
        for subscription in [AUDIT, MAIL] {
            let mut ids = inbox.ids(&subscription);
            ids.sort_unstable();
            assert_eq!(ids, ["email", "push", "sms", "whatsapp"]);
        }
        let nowhere = bus.publisher.publish(&dispatch("a.b")).await;
        assert!(nowhere.is_err(), "a key of several words is nobody's");
    })
    .await;
}

//! Events on their way: headers, repetitions, stops.

use std::sync::Arc;

use contract_tests::bus::{AUDIT, MAIL, event, travel::Arrivals};
use lapin::types::AMQPValue;
use ports::bus::Subscribers;

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

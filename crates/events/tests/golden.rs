//! The written form of events, which others parse: it may only grow.

use chrono::{DateTime, TimeDelta, Utc};
use events::{
    Attributes, DecodeError, Envelope, IntegrationEvent, REQUIRED_SUBSCRIBERS, TYPES, route,
    routed_by, routing_key, v1,
};

/// 2026-01-02T03:04:05.678Z and some days.
fn after(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(1_767_323_045_678) + TimeDelta::days(days)
}

fn attributes() -> Attributes {
    Attributes {
        id: "104629547441512450".into(),
        source: "/plateia/audience-service".into(),
        time: after(0),
        workspace: "ws_demo".into(),
        version: i64::MAX,
        traceparent: None,
    }
}

fn recycled() -> v1::RecycleCompleted {
    v1::RecycleCompleted {
        audience_id: "aud_1".into(),
        operation_id: "op_2".into(),
        target_audience_id: None,
        total: 9_007_199_254_740_993,
        removed: 2,
        kept: 0,
        by_reason: [("do_not_call".to_owned(), 2)].into(),
        undo_until: Some(after(7).into()),
    }
}

const RECYCLED: &str = concat!(
    r#"{"specversion":"1.0","id":"104629547441512450","source":"/plateia/audience-service","#,
    r#""type":"plateia.audience.recycle_completed.v1","subject":"aud_1","#,
    r#""time":"2026-01-02T03:04:05.678Z","datacontenttype":"application/json","#,
    r#""workspace":"ws_demo","aggregateversion":"9223372036854775807","#,
    r#""data":{"audienceId":"aud_1","operationId":"op_2","total":"9007199254740993","#,
    r#""removed":"2","byReason":{"do_not_call":"2"},"#,
    r#""undoUntil":"2026-01-09T03:04:05.678+00:00"}}"#
);

#[test]
fn an_event_is_written_as_cloudevents_json_and_read_back() {
    let envelope = Envelope::new(attributes(), recycled());
    let bytes = envelope.encode().unwrap();
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), RECYCLED);
    assert_eq!(Envelope::decode(&bytes), Ok(envelope));
}

#[test]
fn a_usage_is_written_with_the_names_of_its_members() {
    let data = v1::AudienceUsageChanged {
        audience_id: "aud_1".into(),
        kind: "communication".into(),
        id: "com_7".into(),
        name: "Natal".into(),
        resource: false,
        in_use: true,
    };
    let envelope = Envelope::new(attributes(), data);
    let bytes = envelope.encode().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["type"], "plateia.audience.usage_changed.v1");
    let members = serde_json::json!({
        "audienceId": "aud_1", "kind": "communication", "id": "com_7", "name": "Natal", "inUse": true,
    });
    assert_eq!(json["data"], members);
    assert_eq!(Envelope::decode(&bytes), Ok(envelope));
}

#[test]
fn a_oneof_and_a_traceparent_survive() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let data = v1::OperationFinished {
        operation_id: "op_2".into(),
        kind: "upload".into(),
        state: "succeeded".into(),
        result: Some("partial".into()),
        attempt: 1,
        report: Some(v1::operation_finished::Report::Upload(v1::UploadCounts {
            received: 3,
            created: 2,
            rejected: 1,
            ..Default::default()
        })),
        ..Default::default()
    };
    let attributes = Attributes {
        traceparent: Some(trace.into()),
        ..attributes()
    };
    let envelope = Envelope::new(attributes, data);
    let bytes = envelope.encode().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["traceparent"], trace);
    assert_eq!(json["data"]["upload"]["received"], "3");
    assert_eq!(Envelope::decode(&bytes), Ok(envelope));
}

#[test]
fn members_of_a_newer_producer_are_ignored() {
    let newer = RECYCLED
        .replace(r#""total""#, r#""mood":"good","total""#)
        .replace(r#""subject""#, r#""tenanttier":"gold","subject""#);
    let read = Envelope::<v1::RecycleCompleted>::decode(newer.as_bytes()).unwrap();
    assert_eq!(read.data, recycled());
}

#[test]
fn what_is_not_the_event_is_refused_without_repeating_it() {
    let decode = |text: &str| Envelope::<v1::RecycleCompleted>::decode(text.as_bytes());
    let refused = |from: &str, to: &str| decode(&RECYCLED.replace(from, to)).unwrap_err();
    assert_eq!(
        refused(r#""1.0""#, r#""0.3""#),
        DecodeError::Unsupported("specversion")
    );
    assert_eq!(
        refused("application/json", "application/protobuf"),
        DecodeError::Unsupported("datacontenttype")
    );
    assert_eq!(
        refused("recycle_completed.v1", "recycle_completed.v2"),
        DecodeError::WrongType {
            expected: v1::RecycleCompleted::TYPE
        }
    );
    assert_eq!(
        refused("9223372036854775807", "9223372036854775808"),
        DecodeError::Unsupported("aggregateversion")
    );
    for bad in [
        "",
        "{}",
        "null",
        "\u{0}",
        "[1",
        &RECYCLED.replace(r#""2""#, r#""12345678909x""#),
    ] {
        let error = decode(bad).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed { .. }), "{bad:?}");
        assert!(!error.to_string().contains("12345678909"));
    }
}

#[test]
fn types_are_distinct_versioned_and_routable() {
    let mut seen = std::collections::BTreeSet::new();
    for event_type in TYPES {
        assert!(seen.insert(event_type));
        assert!(event_type.starts_with("plateia.") && event_type.ends_with(".v1"));
    }
    assert_eq!(routing_key(TYPES[0]), "audience.created.v1");
    assert!(
        REQUIRED_SUBSCRIBERS
            .iter()
            .all(|(event_type, _)| TYPES.contains(event_type))
    );
}

#[test]
fn dispatches_are_routed_by_channel_and_nothing_else_is() {
    let requested = |channel: &str| {
        let data = v1::DispatchRequested {
            communication_id: "com_7".into(),
            dispatch_id: "dsp_7.1.email.3".into(),
            channel: channel.into(),
            ..Default::default()
        };
        Envelope::new(attributes(), data).encode().unwrap()
    };
    let requested_type = v1::DispatchRequested::TYPE;
    for channel in ["email", "sms", "whatsapp", "push"] {
        let routed = route(requested_type, &requested(channel));
        assert_eq!(routed, Ok(Some(channel.to_owned())));
    }
    for bad in ["", "#", "*", "a.b", "E-mail"] {
        let refused = Err(DecodeError::Unsupported("channel"));
        assert_eq!(route(requested_type, &requested(bad)), refused, "{bad:?}");
    }
    assert!(route(requested_type, b"[").is_err());
    let routed: Vec<_> = TYPES.iter().filter(|t| routed_by(t).is_some()).collect();
    assert_eq!(routed, [&requested_type]);
    assert_eq!(route(v1::OperationFinished::TYPE, b"["), Ok(None));
}

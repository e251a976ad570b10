use contract_tests::bus::{AUDIT, MAIL, at, event as sample};

use super::*;

fn sent(addressed: &[Subscription]) -> BasicProperties {
    properties(&sample("1", "aud_1"), addressed.iter())
}

fn with(properties: &BasicProperties, name: &str, value: AMQPValue) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    headers.insert(name.into(), value);
    properties.clone().with_headers(headers)
}

#[test]
fn an_event_comes_back_as_it_was() {
    let original = sample("1", "aud_1");
    assert_eq!(event(&sent(&[]), &original.payload), Ok(original));
}

#[test]
fn an_id_of_any_length_comes_back() {
    let mut long = sample("1", "a");
    long.event_id = EventId::new("x".repeat(300));
    let properties = properties(&long, [].iter());
    assert_eq!(*properties.message_id(), None);
    assert_eq!(event(&properties, &long.payload), Ok(long));
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    let good = sent(&[]);
    let text = |value: &str| AMQPValue::LongString(value.into());
    let cases = [
        (BasicProperties::default(), "no aggregate version"),
        (with(&good, VERSION, text("seven")), "aggregate version"),
        (with(&good, WORKSPACE, text("no such name")), "workspace"),
        (with(&good, ID, AMQPValue::Boolean(true)), "event id"),
    ];
    for (properties, wanted) in &cases {
        let error = event(properties, b"").unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
    assert!(event(&good, &vec![0; MAX_BODY + 1]).is_err());
    assert!(event(&good, &vec![0; MAX_BODY]).is_ok());
}

#[test]
fn numbers_of_other_clients_are_read() {
    let numbered = with(&sent(&[]), VERSION, AMQPValue::LongLongInt(-7));
    assert_eq!(event(&numbered, b"").unwrap().aggregate_version, -7);
}

#[test]
fn only_those_with_a_copy_of_their_own_skip_this_one() {
    let properties = sent(&[AUDIT]);
    assert!(has_own_copy(&properties, &AUDIT));
    assert!(!has_own_copy(&properties, &MAIL));
    assert!(!has_own_copy(&sent(&[]), &AUDIT));
    assert!(!has_own_copy(
        &sent(&[Subscription::from_static("test.audit_all")]),
        &AUDIT
    ));
}

#[test]
fn attempts_are_counted_and_forgotten_when_it_starts_anew() {
    let twice = waiting(&waiting(&sent(&[]), 1), 2);
    assert_eq!(attempts(&twice), 2);
    let why = Given {
        attempts: 3,
        reason: "why".to_owned(),
        at: at(5),
    };
    let dead = given_up(&twice, &why);
    let read = why_given_up(&dead);
    assert_eq!(
        (read.attempts, read.reason.as_str(), read.at),
        (3, "why", at(5))
    );
    let anew = renewed(&dead);
    assert_eq!(attempts(&anew), 0);
    assert_eq!(anew, sent(&[]));
}

#[test]
fn the_brokers_own_reason_and_time_are_read() {
    let mut death = FieldTable::default();
    death.insert("time".into(), AMQPValue::Timestamp(1_700_000_000));
    let deaths = AMQPValue::FieldArray(vec![AMQPValue::FieldTable(death)].into());
    let reason = AMQPValue::LongString("delivery_limit".into());
    let dead = with(&sent(&[]), "x-death", deaths);
    let read = why_given_up(&with(&dead, "x-first-death-reason", reason));
    assert_eq!(read.reason, "given up by the broker: delivery_limit");
    assert_eq!(read.at.timestamp(), 1_700_000_000);
    assert_eq!(read.attempts, 8);
    assert!(
        !renewed(&dead)
            .headers()
            .as_ref()
            .unwrap()
            .contains_key("x-death")
    );
}

//! Reading conditions, kind by kind.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Condition, ContactSet, Field, Occurrence, Said,
    grammar::{Grammar, Parsed, Subject, invalid, list, object, required, text, wrong_type},
    happenings::{event, metric, occurrence, window},
    scores, sql,
    test::{MAX_VALUES, parse_test},
};
use crate::{
    customer::Channel,
    recycle::Outcome,
    shared::{AudienceId, Violation, fold_key, one_of},
};

type Members = Map<String, Value>;

/// What a condition may be about.
pub(super) const KINDS: [&str; 9] = [
    "property",
    "tag",
    "consent",
    "event",
    "metric",
    "rfm",
    "audience",
    "communication",
    "sql",
];

pub(super) fn condition(value: &Value, at: &str, grammar: Grammar<'_>) -> Parsed<Condition> {
    let Some(members) = value.as_object() else {
        return Err(wrong_type(at, "must be an object"));
    };
    let kind = text(members, "kind", at)?;
    let plain = matches!(kind, "property" | "tag");
    if KINDS.contains(&kind) && !plain && grammar.subject == Subject::Contact {
        let detail = "conditions of this kind are not supported here";
        let at = format!("{at}/kind");
        return Err(Violation::new(at, "unsupported_condition", detail));
    }
    let only = |known: &[&str]| object(value, at, known).map(drop);
    match kind {
        "property" => {
            only(&["kind", "field", "operator", "value"])?;
            property(members, at, grammar)
        }
        "tag" => {
            only(&["kind", "field", "operator", "value"])?;
            tag(members, at)
        }
        "consent" => {
            only(&["kind", "channel", "status"])?;
            consent(members, at)
        }
        "event" => {
            only(&["kind", "name", "occurrence", "window", "where"])?;
            event(members, at, grammar)
        }
        "metric" => {
            only(&[
                "kind", "name", "metric", "field", "operator", "value", "window", "where",
            ])?;
            metric(members, at, grammar)
        }
        "rfm" => {
            only(&["kind", "field", "operator", "value"])?;
            scores::rfm(members, at).map(Condition::Rfm)
        }
        "audience" => {
            only(&["kind", "operator", "value"])?;
            audience(members, at)
        }
        "communication" => {
            only(&["kind", "field", "channel", "occurrence", "window"])?;
            communication(members, at, grammar)
        }
        "sql" => {
            only(&["kind", "expression"])?;
            let expression = text(members, "expression", at)?;
            sql::parse(expression, &format!("{at}/expression"), grammar).map(Condition::Sql)
        }
        _ => {
            let known = match grammar.subject {
                Subject::Contact => "property, tag".to_owned(),
                Subject::Customer => KINDS.join(", "),
            };
            let detail = format!("must be one of {known}");
            Err(Violation::new(format!("{at}/kind"), "unknown_kind", detail))
        }
    }
}

fn property(members: &Members, at: &str, grammar: Grammar<'_>) -> Parsed<Condition> {
    let field = Field::named(text(members, "field", at)?, grammar.subject)
        .ok_or_else(|| invalid(&format!("{at}/field"), "must be the name of a field"))?;
    let operator = text(members, "operator", at)?;
    let value = members.get("value").unwrap_or(&Value::Null);
    let test = parse_test(&field, operator, (value, at), grammar.notation)?;
    Ok(Condition::Property { field, test })
}

fn tag(members: &Map<String, Value>, at: &str) -> Parsed<Condition> {
    let operator = text(members, "operator", at)?;
    let value = members.get("value").unwrap_or(&Value::Null);
    let value_at = format!("{at}/value");
    let (values, negated) = match operator {
        "has" | "equals" => (std::slice::from_ref(value), false),
        "not_has" | "not_equals" => (std::slice::from_ref(value), true),
        "in" | "not_in" => (
            list(value, &value_at, MAX_VALUES)?.as_slice(),
            operator == "not_in",
        ),
        _ => {
            let detail = "must be one of has, equals, not_has, not_equals, in, not_in";
            return Err(Violation::new(
                format!("{at}/operator"),
                "unknown_operator",
                detail,
            ));
        }
    };
    let label = |value: &Value| {
        let label = value.as_str().map(|text| fold_key(text.trim()));
        label.filter(|label| !label.is_empty() && !label.contains(','))
    };
    let any: Option<Vec<String>> = values.iter().map(label).collect();
    let any = any.ok_or_else(|| invalid(&value_at, "must be a tag"))?;
    Ok(Condition::Tag { any, negated })
}

fn consent(members: &Members, at: &str) -> Parsed<Condition> {
    let channel = text(members, "channel", at)?;
    let channel = one_of(&format!("{at}/channel"), channel, Channel::ALL)?;
    let said = match text(members, "status", at)? {
        "granted" => Said::Granted,
        "denied" => Said::Denied,
        "never" => Said::Never,
        _ => {
            let at = format!("{at}/status");
            return Err(Violation::not_one_of(at, ["granted", "denied", "never"]));
        }
    };
    Ok(Condition::Consent { channel, said })
}

fn audience(members: &Members, at: &str) -> Parsed<Condition> {
    let negated = match text(members, "operator", at)? {
        "member_of" => false,
        "not_member_of" => true,
        _ => {
            let at = format!("{at}/operator");
            return Err(Violation::not_one_of(at, ["member_of", "not_member_of"]));
        }
    };
    let id: Option<AudienceId> = text(members, "value", at)?.parse().ok();
    let id = id.ok_or_else(|| invalid(&format!("{at}/value"), "must be the id of an audience"))?;
    Ok(Condition::Audience { id, negated })
}

/// Names that stand for outcomes which mean the same.
pub(super) const CONTACTED: [&str; 4] = ["sent", "delivered", "failed", "answered"];

/// The outcomes that a name stands for: one of its own, or several that mean the same.
fn outcomes(name: &str, at: &str) -> Parsed<BTreeSet<Outcome>> {
    use Outcome::{Answered, Busy, Converted, Failed, InvalidNumber, NoAnswer};
    let failed = [NoAnswer, Busy, Failed, InvalidNumber];
    Ok(match name {
        "sent" => failed.into_iter().chain([Answered, Converted]).collect(),
        "delivered" | "answered" => BTreeSet::from([Answered, Converted]),
        "failed" => BTreeSet::from(failed),
        _ => {
            let names = CONTACTED.into_iter();
            let own = Outcome::ALL.iter().map(|outcome| outcome.as_str());
            let known = Outcome::ALL.iter().find(|outcome| outcome.as_str() == name);
            let unknown = || Violation::not_one_of(format!("{at}/field"), names.chain(own));
            BTreeSet::from([*known.ok_or_else(unknown)?])
        }
    })
}

fn communication(members: &Members, at: &str, grammar: Grammar<'_>) -> Parsed<Condition> {
    let outcomes = outcomes(text(members, "field", at)?, at)?;
    let channel = match members.get("channel") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(members, "channel", at)?.trim().to_ascii_lowercase()),
    };
    if channel.as_ref().is_some_and(String::is_empty) {
        return Err(required(&format!("{at}/channel")));
    }
    let contacts = ContactSet {
        outcomes,
        channel,
        window: window(members, at, grammar.notation)?,
    };
    let occurrence = occurrence(members, at)?.unwrap_or(Occurrence::AtLeast(1));
    Ok(Condition::Communication {
        contacts,
        occurrence,
    })
}

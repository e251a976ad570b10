//! The grammar of conditions as a JSON Schema, for whoever writes them elsewhere.
//!
//! It says which members there are, of which form, and which operators go with what. What only the reader
//! knows (how dates and numbers are written, which audiences there are, what SQL means) is not in it: what
//! the schema refuses, the reader refuses too, and what the reader takes, the schema takes.

use serde_json::{Map, Value, json};

use super::{
    Field, RfmCell, RfmScore,
    grammar::Subject,
    happenings::{self, MAX_FILTERS, METRICS},
    kinds::{CONTACTED, KINDS},
    parse::{MAX_CONDITIONS, MAX_GROUPS},
    scores,
    test::{MAX_DAYS, MAX_VALUES, OPERATORS},
};
use crate::{customer::Channel, recycle::Outcome};

/// Fields that are no attributes. Any other name is that of one.
const FIELDS: [&str; 12] = [
    "document",
    "document_kind",
    "document_valid",
    "name",
    "phone",
    "phone_valid",
    "email",
    "email_valid",
    "created_at",
    "updated_at",
    "client_id",
    "external_id",
];

/// The schema of `{"groups": […], "groupType": …}`.
pub fn json_schema() -> Value {
    let kinds = KINDS.map(|kind| json!({"$ref": format!("#/$defs/{kind}")}));
    let mut definitions = json!({
        "group": group(),
        "condition": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": KINDS}},
            "oneOf": kinds,
        },
        "test": test(),
        "filter": filter(),
        "window": window(),
        "occurrence": occurrence(),
        "days": {"type": "integer", "minimum": 1, "maximum": MAX_DAYS},
        "date": {"type": "string", "minLength": 1},
        "bound": {"type": ["number", "string"]},
        "scalar": {"type": ["string", "number", "boolean"]},
    });
    if let Some(definitions) = definitions.as_object_mut() {
        definitions.extend(KINDS.iter().map(|kind| ((*kind).to_owned(), of_kind(kind))));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Conditions of a segment",
        "description": "Groups of conditions over customers. Inside a group they are joined by `and` unless `logic` \
                        says `or`; groups by `or` unless `groupType` says `and`; those with `exclude` are taken away.",
        "type": "object",
        "required": ["groups"],
        "additionalProperties": false,
        "properties": {
            "groups": {
                "type": "array", "minItems": 1, "maxItems": MAX_GROUPS,
                "items": {"$ref": "#/$defs/group"},
            },
            "groupType": {"enum": ["and", "or", null]},
        },
        "$defs": definitions,
    })
}

fn group() -> Value {
    json!({
        "type": "object",
        "required": ["conditions"],
        "additionalProperties": false,
        "properties": {
            "logic": {"enum": ["and", "or", null]},
            "exclude": {"type": ["boolean", "null"]},
            "conditions": {
                "type": "array", "minItems": 1, "maxItems": MAX_CONDITIONS,
                "items": {"$ref": "#/$defs/condition"},
            },
        },
    })
}

/// An object of these members, of which some are required, and no others.
fn object(kind: Option<&str>, required: &[&str], members: Value) -> Value {
    let mut properties = Map::new();
    let mut all: Vec<&str> = Vec::new();
    if let Some(kind) = kind {
        properties.insert("kind".to_owned(), json!({ "const": kind }));
        all.push("kind");
    }
    all.extend(required);
    if let Value::Object(members) = members {
        properties.extend(members);
    }
    json!({
        "type": "object",
        "required": all,
        "additionalProperties": false,
        "properties": properties,
    })
}

fn refer(to: &str) -> Value {
    json!({"$ref": format!("#/$defs/{to}")})
}

fn or_null(to: &str) -> Value {
    json!({"anyOf": [refer(to), {"type": "null"}]})
}

fn list(of: Value, most: usize) -> Value {
    json!({"type": "array", "minItems": 1, "maxItems": most, "items": of})
}

/// What holds of the value where the operator is one of these.
fn when(operators: &[&str], value: Value) -> Value {
    json!({
        "if": {"properties": {"operator": {"enum": operators}}},
        "then": {"required": ["value"], "properties": {"value": value}},
    })
}

fn of_kind(kind: &str) -> Value {
    let of = |required: &[&str], members: Value| object(Some(kind), required, members);
    match kind {
        "property" => property(),
        "tag" => tag(),
        "consent" => of(
            &["channel", "status"],
            json!({
                "channel": {"enum": names(Channel::ALL.iter().map(|channel| channel.as_str()))},
                "status": {"enum": ["granted", "denied", "never"]},
            }),
        ),
        "event" => of(
            &["name"],
            happening(json!({"occurrence": or_null("occurrence")})),
        ),
        "metric" => metric(),
        "rfm" => rfm(),
        "audience" => of(
            &["operator", "value"],
            json!({
                "operator": {"enum": ["member_of", "not_member_of"]},
                "value": {"type": "string", "pattern": "^(aud_)?[1-9][0-9]{0,18}$"},
            }),
        ),
        "communication" => {
            let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str());
            of(
                &["field"],
                json!({
                    "field": {"enum": names(CONTACTED.into_iter().chain(outcomes))},
                    "channel": {"type": ["string", "null"]},
                    "occurrence": or_null("occurrence"),
                    "window": or_null("window"),
                }),
            )
        }
        _ => of(
            &["expression"],
            json!({"expression": {"type": "string", "maxLength": 8_192}}),
        ),
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct: Vec<&str> = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

fn property() -> Value {
    let members = json!({
        "field": {"type": "string", "minLength": 1},
        "operator": {"enum": OPERATORS},
        "value": {},
    });
    let mut schema = object(Some("property"), &["field", "operator"], members);
    let mut rules = vec![refer("test")];
    for name in FIELDS {
        let Some(field) = Field::named(name, Subject::Customer) else {
            continue;
        };
        let operators: Vec<&str> = OPERATORS.into_iter().filter(|o| field.has(o)).collect();
        rules.push(json!({
            "if": {"properties": {"field": {"const": name}}},
            "then": {"properties": {"operator": {"enum": operators}}},
        }));
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("allOf".to_owned(), rules.into());
    }
    schema
}

/// What an operator compares with.
fn test() -> Value {
    let bounds = ["greater", "greater_or_equal", "less", "less_or_equal"];
    let pair = json!({"type": "array", "minItems": 2, "maxItems": 2, "items": refer("bound")});
    json!({"allOf": [
        {
            "if": {"properties": {"operator": {"enum": ["exists", "not_exists"]}}},
            "then": {"properties": {"value": {"type": "null"}}},
        },
        when(&["equals", "not_equals"], refer("scalar")),
        when(&["in", "not_in"], list(refer("scalar"), MAX_VALUES)),
        when(&["contains", "starts_with"], json!({"type": "string", "minLength": 1})),
        when(&bounds, refer("bound")),
        when(&["before", "after"], refer("date")),
        when(&["between"], pair),
        when(&["in_last_days"], refer("days")),
    ]})
}

fn tag() -> Value {
    // The reader passes over a field.
    let members = json!({
        "field": {},
        "operator": {"enum": ["has", "equals", "not_has", "not_equals", "in", "not_in"]},
        "value": {},
    });
    let text = json!({"type": "string", "minLength": 1});
    let mut schema = object(Some("tag"), &["operator", "value"], members);
    if let Some(schema) = schema.as_object_mut() {
        let one = ["has", "equals", "not_has", "not_equals"];
        let rules = [
            when(&one, text.clone()),
            when(&["in", "not_in"], list(text, MAX_VALUES)),
        ];
        schema.insert("allOf".to_owned(), Value::from(rules.to_vec()));
    }
    schema
}

/// The members of conditions about events, and some more.
fn happening(more: Value) -> Value {
    let mut members = json!({
        "name": {"type": "string", "pattern": "^[a-z0-9_.-]{1,64}$"},
        "window": or_null("window"),
        "where": {"anyOf": [
            {"type": "array", "maxItems": MAX_FILTERS, "items": refer("filter")},
            {"type": "null"},
        ]},
    });
    if let (Some(members), Value::Object(more)) = (members.as_object_mut(), more) {
        members.extend(more);
    }
    members
}

fn filter() -> Value {
    let members = json!({
        "field": {"type": "string", "minLength": 1},
        "operator": {"enum": OPERATORS},
        "value": {},
    });
    let mut schema = object(None, &["field", "operator"], members);
    if let Some(schema) = schema.as_object_mut() {
        let textual = ["contains", "starts_with", "in_last_days"];
        let operators = OPERATORS.into_iter().filter(|o| !textual.contains(o));
        let of_amounts: Vec<&str> = operators.collect();
        let rule = json!({
            "if": {"properties": {"field": {"const": "amount"}}},
            "then": {"properties": {"operator": {"enum": of_amounts}}},
        });
        schema.insert("allOf".to_owned(), json!([refer("test"), rule]));
    }
    schema
}

fn metric() -> Value {
    let number = json!({"type": ["number", "string"]});
    let members = happening(json!({
        "metric": {"enum": METRICS},
        "field": {"type": ["string", "null"]},
        "operator": {"enum": happenings::OPERATORS},
        "value": {},
    }));
    let required = ["name", "metric", "operator", "value"];
    let mut schema = object(Some("metric"), &required, members);
    if let Some(schema) = schema.as_object_mut() {
        let one = happenings::OPERATORS
            .into_iter()
            .filter(|o| *o != "between");
        let one: Vec<&str> = one.collect();
        let pair = json!({"type": "array", "minItems": 2, "maxItems": 2, "items": number});
        let without = ["count", "days_since_first", "days_since_last"];
        let rules = json!([
            when(&one, number),
            when(&["between"], pair),
            {
                "if": {"properties": {"metric": {"enum": without}}},
                "then": {"properties": {"field": {"type": "null"}}},
            },
        ]);
        schema.insert("allOf".to_owned(), rules);
    }
    schema
}

fn rfm() -> Value {
    let scores = RfmScore::ALL.iter().map(|score| score.as_str());
    let members = json!({
        "field": {"enum": names(["cell"].into_iter().chain(scores))},
        "operator": {"enum": scores::OPERATORS},
        "value": {},
    });
    let mut schema = object(Some("rfm"), &["field", "operator", "value"], members);
    let cell = json!({"enum": names(RfmCell::ALL.iter().map(|cell| cell.as_str()))});
    let score = json!({"type": "integer", "minimum": 1, "maximum": 5});
    let one: Vec<&str> = scores::OPERATORS
        .into_iter()
        .filter(|o| !matches!(*o, "in" | "not_in" | "between"))
        .collect();
    let pair = json!({"type": "array", "minItems": 2, "maxItems": 2, "items": score});
    let of_scores = json!({"allOf": [
        when(&one, score.clone()),
        when(&["in", "not_in"], list(score, 5)),
        when(&["between"], pair),
    ]});
    let of_cells = json!({
        "properties": {"operator": {"enum": ["equals", "not_equals", "in", "not_in"]}},
        "allOf": [
            when(&["equals", "not_equals"], cell.clone()),
            when(&["in", "not_in"], list(cell, RfmCell::ALL.len())),
        ],
    });
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(
            "if".to_owned(),
            json!({"properties": {"field": {"const": "cell"}}}),
        );
        schema.insert("then".to_owned(), of_cells);
        schema.insert("else".to_owned(), of_scores);
    }
    schema
}

fn window() -> Value {
    let one = |name: &str, value: Value| object(None, &[name], json!({ name: value }));
    let pair = json!({"type": "array", "minItems": 2, "maxItems": 2, "items": refer("date")});
    json!({"oneOf": [
        {"const": "ever"},
        one("ever", json!({"const": true})),
        one("last_days", refer("days")),
        one("since", refer("date")),
        one("between", pair),
    ]})
}

fn occurrence() -> Value {
    let members = json!({
        "op": {"enum": ["exactly", "at_least", "at_most"]},
        "count": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
    });
    object(None, &["op", "count"], members)
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;

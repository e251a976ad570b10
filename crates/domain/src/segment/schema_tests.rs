use super::*;
use crate::segment::{Notation, Predicate};

/// The document beside the other contracts.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/segments/v1.json");

/// Whether a value is of a schema, as far as this schema uses its language.
fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let valid = |schema: &Value, value: &Value| is_valid(root, schema, value);
    let Some(keywords) = schema.as_object() else {
        panic!("no schema: {schema}");
    };
    keywords
        .iter()
        .all(|(keyword, says)| match keyword.as_str() {
            "$ref" => {
                let pointer = says.as_str().unwrap().trim_start_matches('#');
                valid(root.pointer(pointer).unwrap(), value)
            }
            "type" => match says {
                Value::Array(types) => types.iter().any(|one| is_a(value, one)),
                one => is_a(value, one),
            },
            "enum" => says.as_array().unwrap().contains(value),
            "const" => says == value,
            "required" => value.as_object().is_none_or(|members| {
                let mut required = says.as_array().unwrap().iter();
                required.all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "properties" => value.as_object().is_none_or(|members| {
                let mut known = says.as_object().unwrap().iter();
                known.all(|(name, schema)| {
                    members.get(name).is_none_or(|value| valid(schema, value))
                })
            }),
            "additionalProperties" => value.as_object().is_none_or(|members| {
                let known = keywords["properties"].as_object().unwrap();
                members.keys().all(|name| known.contains_key(name))
            }),
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| valid(says, item))),
            "allOf" => says
                .as_array()
                .unwrap()
                .iter()
                .all(|schema| valid(schema, value)),
            "anyOf" => says
                .as_array()
                .unwrap()
                .iter()
                .any(|schema| valid(schema, value)),
            "oneOf" => {
                says.as_array()
                    .unwrap()
                    .iter()
                    .filter(|schema| valid(schema, value))
                    .count()
                    == 1
            }
            "if" => match (
                valid(says, value),
                keywords.get("then"),
                keywords.get("else"),
            ) {
                (true, Some(then), _) => valid(then, value),
                (false, _, Some(otherwise)) => valid(otherwise, value),
                _ => true,
            },
            "then" | "else" | "$schema" | "$defs" | "title" | "description" => true,
            other => is_within(other, says, value),
        })
}

/// What bounds a value.
fn is_within(keyword: &str, says: &Value, value: &Value) -> bool {
    match keyword {
        "minItems" => value
            .as_array()
            .is_none_or(|items| items.len() as u64 >= says.as_u64().unwrap()),
        "maxItems" => value
            .as_array()
            .is_none_or(|items| items.len() as u64 <= says.as_u64().unwrap()),
        "minLength" => value
            .as_str()
            .is_none_or(|text| text.chars().count() as u64 >= says.as_u64().unwrap()),
        "maxLength" => value
            .as_str()
            .is_none_or(|text| text.chars().count() as u64 <= says.as_u64().unwrap()),
        "minimum" => value
            .as_f64()
            .is_none_or(|number| number >= says.as_f64().unwrap()),
        "maximum" => value
            .as_f64()
            .is_none_or(|number| number <= says.as_f64().unwrap()),
        "pattern" => value
            .as_str()
            .is_none_or(|text| fits(says.as_str().unwrap(), text)),
        other => panic!("an unknown keyword: {other}"),
    }
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("an unknown type: {other}"),
    }
}

/// The two patterns that there are.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[a-z0-9_.-]{1,64}$" => crate::customer::EventName::parse(text).is_some(),
        "^(aud_)?[1-9][0-9]{0,18}$" => text.parse::<crate::shared::AudienceId>().is_ok(),
        other => panic!("an unknown pattern: {other}"),
    }
}

fn both(condition: &Value) -> (bool, bool) {
    let groups = json!({"groups": [{"conditions": [condition]}]});
    let schema = json_schema();
    let read = Predicate::parse_segment(&groups, "", Notation::default());
    (read.is_ok(), is_valid(&schema, &schema, &groups))
}

#[test]
fn the_kept_schema_is_the_one_that_the_code_makes() {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
    assert!(
        kept == json_schema(),
        "proto/segments/v1.json is old: make openapi"
    );
}

#[test]
fn what_the_reader_takes_is_of_the_schema() {
    for condition in [
        json!({"kind": "property", "field": "city", "operator": "equals", "value": "Recife"}),
        json!({"kind": "property", "field": "city", "operator": "exists"}),
        json!({"kind": "property", "field": "age", "operator": "between", "value": [1, "2,5"]}),
        json!({"kind": "property", "field": "created_at", "operator": "after", "value": "31/01/2026"}),
        json!({"kind": "property", "field": "updated_at", "operator": "in_last_days", "value": 7}),
        json!({"kind": "property", "field": "document_valid", "operator": "equals", "value": true}),
        json!({"kind": "property", "field": "email", "operator": "contains", "value": "@a"}),
        json!({"kind": "property", "field": "attributes.x", "operator": "not_in", "value": ["a", 1, true]}),
        json!({"kind": "tag", "operator": "has", "value": "vip"}),
        json!({"kind": "tag", "operator": "not_in", "value": ["a", "b"]}),
        json!({"kind": "consent", "channel": "sms", "status": "never"}),
        json!({"kind": "event", "name": "order.paid"}),
        json!({"kind": "event", "name": "order.paid", "occurrence": {"op": "at_most", "count": 0},
            "window": {"last_days": 30}, "where": [{"field": "amount", "operator": "greater", "value": 5}]}),
        json!({"kind": "event", "name": "a", "window": "ever", "where": null, "occurrence": null}),
        json!({"kind": "event", "name": "a", "window": {"between": ["2026-01-01", "2026-02-01"]}}),
        json!({"kind": "event", "name": "a", "window": {"since": "2026-01-01"}}),
        json!({"kind": "metric", "name": "a", "metric": "sum", "operator": "between", "value": [1, "2"]}),
        json!({"kind": "metric", "name": "a", "metric": "count", "operator": "less", "value": 3, "field": null}),
        json!({"kind": "metric", "name": "a", "metric": "max", "field": "items", "operator": "equals", "value": "1.5"}),
        json!({"kind": "rfm", "field": "cell", "operator": "in", "value": ["champions", "loyal"]}),
        json!({"kind": "rfm", "field": "recency", "operator": "between", "value": [2, 4]}),
        json!({"kind": "rfm", "field": "monetary", "operator": "greater", "value": 3}),
        json!({"kind": "audience", "operator": "not_member_of", "value": "aud_7"}),
        json!({"kind": "communication", "field": "delivered", "channel": "sms", "window": {"last_days": 3}}),
        json!({"kind": "communication", "field": "no_answer", "occurrence": {"op": "exactly", "count": 2}}),
        json!({"kind": "sql", "expression": "phone_valid AND NOT (name = 'x')"}),
    ] {
        assert_eq!(both(&condition), (true, true), "{condition}");
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    for condition in [
        json!({}),
        json!("tag"),
        json!({"kind": "mood"}),
        json!({"kind": "tag", "operator": "has"}),
        json!({"kind": "tag", "operator": "like", "value": "a"}),
        json!({"kind": "tag", "operator": "in", "value": []}),
        json!({"kind": "tag", "operator": "has", "value": "a", "channel": "x"}),
        json!({"kind": "property", "field": "", "operator": "exists"}),
        json!({"kind": "property", "field": "email", "operator": "greater", "value": 1}),
        json!({"kind": "property", "field": "email_valid", "operator": "contains", "value": "t"}),
        json!({"kind": "property", "field": "city", "operator": "exists", "value": 1}),
        json!({"kind": "property", "field": "city", "operator": "equals"}),
        json!({"kind": "property", "field": "city", "operator": "contains", "value": ""}),
        json!({"kind": "property", "field": "city", "operator": "in_last_days", "value": 0}),
        json!({"kind": "property", "field": "city", "operator": "between", "value": [1]}),
        json!({"kind": "property", "field": "city", "operator": "before", "value": 3}),
        json!({"kind": "consent", "channel": "letter", "status": "granted"}),
        json!({"kind": "consent", "channel": "sms", "status": "yes"}),
        json!({"kind": "event", "name": "A b"}),
        json!({"kind": "event", "name": "a", "occurrence": {"op": "at_least"}}),
        json!({"kind": "event", "name": "a", "occurrence": {"op": "at_least", "count": -1}}),
        json!({"kind": "event", "name": "a", "window": {"last_days": 1, "since": "2026-01-01"}}),
        json!({"kind": "event", "name": "a", "window": "always"}),
        json!({"kind": "event", "name": "a", "where": [{"field": "amount", "operator": "contains", "value": "1"}]}),
        json!({"kind": "metric", "name": "a", "metric": "median", "operator": "less", "value": 1}),
        json!({"kind": "metric", "name": "a", "metric": "count", "field": "x", "operator": "less", "value": 1}),
        json!({"kind": "metric", "name": "a", "metric": "sum", "operator": "in", "value": [1]}),
        json!({"kind": "rfm", "field": "cell", "operator": "greater", "value": "loyal"}),
        json!({"kind": "rfm", "field": "cell", "operator": "equals", "value": "best"}),
        json!({"kind": "rfm", "field": "recency", "operator": "equals", "value": 6}),
        json!({"kind": "audience", "operator": "member_of", "value": 7}),
        json!({"kind": "audience", "operator": "member_of", "value": "aud_x"}),
        json!({"kind": "communication", "field": "read"}),
        json!({"kind": "sql", "expression": 1}),
    ] {
        assert_eq!(both(&condition), (false, false), "{condition}");
    }
}

#[test]
fn every_kind_is_described_and_every_field_has_the_readers_operators() {
    let schema = json_schema();
    for kind in KINDS {
        let described = &schema["$defs"][kind];
        assert_eq!(described["properties"]["kind"], json!({ "const": kind }));
    }
    let value = |operator: &str| match operator {
        "exists" | "not_exists" => Value::Null,
        "in" | "not_in" => json!(["2026-01-01"]),
        "between" => json!(["2026-01-01", "2026-01-02"]),
        "in_last_days" => json!(1),
        _ => json!("2026-01-01"),
    };
    for field in FIELDS.into_iter().chain(["city"]) {
        for operator in OPERATORS {
            let condition = json!({"kind": "property", "field": field, "operator": operator, "value": value(operator)});
            let (read, valid) = both(&condition);
            assert!(valid || !read, "{condition}");
            let has = Field::named(field, Subject::Customer)
                .unwrap()
                .has(operator);
            assert_eq!(valid, has, "{condition}");
        }
    }
}

#[test]
fn groups_are_bounded() {
    let schema = json_schema();
    let group = json!({"conditions": [{"kind": "tag", "operator": "has", "value": "a"}]});
    let condition = group["conditions"][0].clone();
    for (groups, expected) in [
        (
            json!({"groups": vec![group.clone(); 20], "groupType": "and"}),
            true,
        ),
        (json!({"groups": vec![group.clone(); 21]}), false),
        (
            json!({"groups": [{"conditions": vec![condition.clone(); 50], "logic": "or", "exclude": false}]}),
            true,
        ),
        (
            json!({"groups": [{"conditions": vec![condition; 51]}]}),
            false,
        ),
        (json!({"groups": [{"conditions": []}]}), false),
        (json!({"groups": []}), false),
        (json!({"groups": [group], "groupType": "xor"}), false),
        (json!({}), false),
    ] {
        let read = Predicate::parse_segment(&groups, "", Notation::default());
        assert_eq!(
            (read.is_ok(), is_valid(&schema, &schema, &groups)),
            (expected, expected)
        );
    }
}

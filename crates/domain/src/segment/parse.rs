//! The grammar of groups, with a pointer to whatever breaks it.

use serde_json::{Map, Value};

use super::{Bound, Condition, Field, Group, Logic, Notation, Predicate, Test};
use crate::shared::{Violation, fold_key};

const MAX_GROUPS: usize = 20;
const MAX_CONDITIONS: usize = 50;
const MAX_VALUES: usize = 1000;
/// Most days that `in_last_days` looks back: a century.
const MAX_DAYS: u64 = 36_525;

pub(super) type Parsed<T> = Result<T, Violation>;

impl Predicate {
    /// Parses a list of groups, or an object of `groups` and `groupType`. Pointers of violations
    /// begin with `base_pointer`. Texts are read by `notation`, here and in the contacts.
    ///
    /// # Errors
    /// Every group and condition that breaks the grammar, one violation each. At least one group
    /// must not be an `exclude` one.
    pub fn parse(
        filter: &Value,
        base_pointer: &str,
        notation: Notation,
    ) -> Result<Self, Vec<Violation>> {
        let (between, groups, base_pointer) =
            parse_outside(filter, base_pointer).map_err(|v| vec![v])?;
        let groups = list(groups, &base_pointer, MAX_GROUPS).map_err(|v| vec![v])?;
        let mut parsed = Vec::with_capacity(groups.len());
        let mut violations = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            match parse_group(group, &format!("{base_pointer}/{at}"), &notation) {
                Ok(group) => parsed.push(group),
                Err(more) => violations.extend(more),
            }
        }
        if violations.is_empty() && parsed.iter().all(|g| g.exclude) {
            let detail = "at least one group must not be excluded";
            violations.push(Violation::new(base_pointer, "nothing_included", detail));
        }
        if violations.is_empty() {
            Ok(Self {
                between,
                notation,
                groups: parsed,
            })
        } else {
            Err(violations)
        }
    }
}

/// What joins the groups, the groups, and where they are.
fn parse_outside<'a>(filter: &'a Value, at: &str) -> Parsed<(Logic, &'a Value, String)> {
    if !filter.is_object() {
        return Ok((Logic::Or, filter, at.to_owned()));
    }
    let members = object(filter, at, &["groups", "groupType"])?;
    let between = logic(members, "groupType", at)?.unwrap_or(Logic::Or);
    let groups = members.get("groups").unwrap_or(&Value::Null);
    Ok((between, groups, format!("{at}/groups")))
}

fn logic(members: &Map<String, Value>, name: &str, at: &str) -> Parsed<Option<Logic>> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text == "and" => Ok(Some(Logic::And)),
        Some(Value::String(text)) if text == "or" => Ok(Some(Logic::Or)),
        Some(_) => Err(invalid(&format!("{at}/{name}"), "must be `and` or `or`")),
    }
}

fn parse_group(group: &Value, at: &str, notation: &Notation) -> Result<Group, Vec<Violation>> {
    let head = || -> Parsed<(Logic, bool, &Vec<Value>)> {
        let members = object(group, at, &["logic", "exclude", "conditions"])?;
        let logic = logic(members, "logic", at)?.unwrap_or(Logic::And);
        let exclude = match members.get("exclude") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(exclude)) => *exclude,
            Some(_) => return Err(wrong_type(&format!("{at}/exclude"), "must be a boolean")),
        };
        let conditions = members.get("conditions").unwrap_or(&Value::Null);
        Ok((
            logic,
            exclude,
            list(conditions, &format!("{at}/conditions"), MAX_CONDITIONS)?,
        ))
    };
    let (logic, exclude, conditions) = head().map_err(|v| vec![v])?;
    let mut parsed = Vec::with_capacity(conditions.len());
    let mut violations = Vec::new();
    for (index, condition) in conditions.iter().enumerate() {
        match parse_condition(condition, &format!("{at}/conditions/{index}"), notation) {
            Ok(condition) => parsed.push(condition),
            Err(violation) => violations.push(violation),
        }
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    Ok(Group {
        logic,
        exclude,
        conditions: parsed,
    })
}

fn parse_condition(condition: &Value, at: &str, notation: &Notation) -> Parsed<Condition> {
    let Some(members) = condition.as_object() else {
        return Err(wrong_type(at, "must be an object"));
    };
    match text(members, "kind", at)? {
        kind @ ("property" | "tag") => {
            object(condition, at, &["kind", "field", "operator", "value"])?;
            if kind == "property" {
                property(members, at, notation)
            } else {
                tag(members, at)
            }
        }
        "consent" | "event" | "metric" | "rfm" | "audience" | "sql" => {
            let detail = "conditions of this kind are not supported here";
            Err(Violation::new(
                format!("{at}/kind"),
                "unsupported_condition",
                detail,
            ))
        }
        _ => {
            let detail = "must be one of property, tag";
            Err(Violation::new(format!("{at}/kind"), "unknown_kind", detail))
        }
    }
}

fn property(members: &Map<String, Value>, at: &str, notation: &Notation) -> Parsed<Condition> {
    let field = Field::named(text(members, "field", at)?)
        .ok_or_else(|| invalid(&format!("{at}/field"), "must be the name of a field"))?;
    let operator = text(members, "operator", at)?;
    let value = members.get("value").unwrap_or(&Value::Null);
    let test = parse_test(&field, operator, (value, at), notation)?;
    Ok(Condition::Property { field, test })
}

/// A test of a field; the value comes with the place of its condition.
fn parse_test(
    field: &Field,
    operator: &str,
    (value, at): (&Value, &str),
    notation: &Notation,
) -> Parsed<Test> {
    let value_at = format!("{at}/value");
    let unfit = || {
        let detail = "this field does not have this operator";
        Violation::new(format!("{at}/operator"), "unsupported_operator", detail)
    };
    if !OPERATORS.contains(&operator) {
        let detail = format!("must be one of {}", OPERATORS.join(", "));
        return Err(Violation::new(
            format!("{at}/operator"),
            "unknown_operator",
            detail,
        ));
    }
    if !field.has(operator) {
        return Err(unfit());
    }
    let part = || match value {
        Value::String(text) if !text.is_empty() => Ok(field.part(text)),
        _ => Err(invalid(&value_at, "must be text that is not empty")),
    };
    let bound = || bound(field, operator, value, &value_at, notation);
    let one = || field.values(std::slice::from_ref(value), &value_at, false, notation);
    let many = || {
        field.values(
            list(value, &value_at, MAX_VALUES)?,
            &value_at,
            true,
            notation,
        )
    };
    Ok(match operator {
        "equals" => Test::In(one()?),
        "not_equals" => Test::NotIn(one()?),
        "in" => Test::In(many()?),
        "not_in" => Test::NotIn(many()?),
        "contains" => Test::Contains(part()?),
        "starts_with" => Test::StartsWith(part()?),
        "exists" | "not_exists" if !value.is_null() => {
            return Err(invalid(&value_at, "this operator takes no value"));
        }
        "exists" => Test::Exists,
        "not_exists" => Test::NotExists,
        "greater" | "after" => Test::Greater(bound()?),
        "greater_or_equal" => Test::GreaterOrEqual(bound()?),
        "less" | "before" => Test::Less(bound()?),
        "less_or_equal" => Test::LessOrEqual(bound()?),
        "between" => between(field, value, &value_at, notation)?,
        "in_last_days" => {
            let days = value.as_u64().filter(|days| (1..=MAX_DAYS).contains(days));
            let days = days.and_then(|days| u32::try_from(days).ok());
            Test::InLastDays(days.ok_or_else(|| invalid(&value_at, "must be 1 to 36525 days"))?)
        }
        _ => return Err(unfit()),
    })
}

const OPERATORS: [&str; 16] = [
    "equals",
    "not_equals",
    "in",
    "not_in",
    "contains",
    "starts_with",
    "exists",
    "not_exists",
    "greater",
    "greater_or_equal",
    "less",
    "less_or_equal",
    "between",
    "before",
    "after",
    "in_last_days",
];

fn bound(
    field: &Field,
    operator: &str,
    value: &Value,
    at: &str,
    notation: &Notation,
) -> Parsed<Bound> {
    let dated = *field == Field::UpdatedAt || matches!(operator, "before" | "after");
    if dated {
        let date = value.as_str().and_then(|text| Bound::date(text, notation));
        return date.ok_or_else(|| invalid(at, "must be a date, with or without a time"));
    }
    Bound::parse(value, notation).ok_or_else(|| invalid(at, "must be a number or a date"))
}

fn between(field: &Field, value: &Value, at: &str, notation: &Notation) -> Parsed<Test> {
    let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
        return Err(invalid(at, "must be a list of two values"));
    };
    let low = bound(field, "between", low, &format!("{at}/0"), notation)?;
    let high = bound(field, "between", high, &format!("{at}/1"), notation)?;
    if !low.begins_before_end_of(&high) {
        return Err(invalid(
            at,
            "must be two numbers or two dates, the lower one first",
        ));
    }
    Ok(Test::Between(low, high))
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

fn object<'a>(value: &'a Value, at: &str, known: &[&str]) -> Parsed<&'a Map<String, Value>> {
    let Some(members) = value.as_object() else {
        return Err(wrong_type(at, "must be an object"));
    };
    if members.keys().any(|name| !known.contains(&name.as_str())) {
        let detail = format!("may only have the members {}", known.join(", "));
        return Err(Violation::new(at, "unknown_member", detail));
    }
    Ok(members)
}

fn list<'a>(value: &'a Value, at: &str, max: usize) -> Parsed<&'a Vec<Value>> {
    let Some(items) = value.as_array() else {
        return Err(wrong_type(at, "must be a list"));
    };
    if items.is_empty() {
        return Err(Violation::new(at, "empty", "must not be empty"));
    }
    if items.len() > max {
        return Err(Violation::new(
            at,
            "too_many",
            format!("must not have more than {max} items"),
        ));
    }
    Ok(items)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str, at: &str) -> Parsed<&'a str> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(Violation::new(
            format!("{at}/{name}"),
            "required",
            "is required",
        )),
        Some(_) => Err(wrong_type(&format!("{at}/{name}"), "must be a string")),
    }
}

fn wrong_type(at: &str, detail: &str) -> Violation {
    Violation::new(at, "invalid_type", detail)
}

pub(super) fn invalid(at: &str, detail: &str) -> Violation {
    Violation::new(at, "invalid_value", detail)
}

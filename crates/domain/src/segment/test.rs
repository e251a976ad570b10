//! Reading tests of values: an operator, and what it compares with.

use serde_json::Value;

use super::{
    Bound, Field, Notation, Test,
    grammar::{Parsed, invalid, list, required},
};
use crate::shared::Violation;

/// Most values of one test.
pub(super) const MAX_VALUES: usize = 1000;
/// Most days that a window looks back: a century.
pub(super) const MAX_DAYS: u64 = 36_525;

/// A test of a field; the value comes with the place of its condition.
pub(super) fn parse_test(
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
    if value.is_null() && !matches!(operator, "exists" | "not_exists") {
        return Err(required(&value_at));
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
        "in_last_days" => Test::InLastDays(days(value, &value_at)?),
        _ => return Err(unfit()),
    })
}

/// What a value can be asked.
pub(super) const OPERATORS: [&str; 16] = [
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
    let dated = field.is_date() || matches!(operator, "before" | "after");
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

/// A number of days to look back.
pub(super) fn days(value: &Value, at: &str) -> Parsed<u32> {
    let days = value.as_u64().filter(|days| (1..=MAX_DAYS).contains(days));
    let days = days.and_then(|days| u32::try_from(days).ok());
    days.ok_or_else(|| invalid(at, "must be 1 to 36525 days"))
}

//! Reading conditions about events: how often, and what they come to.

use chrono::SubsecRound;
use serde_json::{Map, Value};

use super::{
    Bound, Condition, EventField, EventFilter, EventSet, Field, Measure, MetricTest, Notation,
    Occurrence, Window,
    grammar::{Grammar, Parsed, invalid, list, object, required, text, wrong_type},
    test::{days, parse_test},
};
use crate::{
    customer::{Amount, EventName},
    shared::{Violation, composed},
};

type Members = Map<String, Value>;

/// Most tests of the values of an event.
pub(super) const MAX_FILTERS: usize = 20;
/// What can be measured.
pub(super) const METRICS: [&str; 7] = [
    "count",
    "sum",
    "average",
    "min",
    "max",
    "days_since_first",
    "days_since_last",
];
/// What a measure can be asked.
pub(super) const OPERATORS: [&str; 8] = [
    "equals",
    "greater",
    "greater_or_equal",
    "less",
    "less_or_equal",
    "between",
    "after",
    "before",
];

pub(super) fn event(members: &Members, at: &str, grammar: Grammar<'_>) -> Parsed<Condition> {
    let events = events(members, at, grammar)?;
    let occurrence = occurrence(members, at)?.unwrap_or(Occurrence::AtLeast(1));
    Ok(Condition::Event { events, occurrence })
}

pub(super) fn metric(members: &Members, at: &str, grammar: Grammar<'_>) -> Parsed<Condition> {
    let events = events(members, at, grammar)?;
    let metric = text(members, "metric", at)?;
    let field = match members.get("field") {
        None | Some(Value::Null) => None,
        Some(_) => Some(event_field(text(members, "field", at)?, at)?),
    };
    let of = |measure: fn(EventField) -> Measure| {
        Ok(measure(field.clone().unwrap_or(EventField::Amount)))
    };
    let measure = match metric {
        "count" => Ok(Measure::Count),
        "sum" => of(Measure::Sum),
        "average" => of(Measure::Average),
        "min" => of(Measure::Min),
        "max" => of(Measure::Max),
        "days_since_first" => Ok(Measure::DaysSinceFirst),
        "days_since_last" => Ok(Measure::DaysSinceLast),
        _ => Err(Violation::not_one_of(format!("{at}/metric"), METRICS)),
    }?;
    let valueless = measure == Measure::Count || measure.counts_days();
    if valueless && field.is_some() {
        return Err(invalid(
            &format!("{at}/field"),
            "this metric takes no field",
        ));
    }
    Ok(Condition::Metric {
        events,
        measure,
        test: metric_test(members, at)?,
    })
}

fn metric_test(members: &Members, at: &str) -> Parsed<MetricTest> {
    let operator = text(members, "operator", at)?;
    let value_at = format!("{at}/value");
    let value = members.get("value").unwrap_or(&Value::Null);
    if value.is_null() {
        return Err(required(&value_at));
    }
    let amount = |value: &Value, at: &str| {
        Amount::parse(value).map_err(|error| invalid(at, &error.to_string()))
    };
    let one = || amount(value, &value_at);
    Ok(match operator {
        "equals" => MetricTest::Equals(one()?),
        "greater" | "after" => MetricTest::Greater(one()?),
        "greater_or_equal" => MetricTest::GreaterOrEqual(one()?),
        "less" | "before" => MetricTest::Less(one()?),
        "less_or_equal" => MetricTest::LessOrEqual(one()?),
        "between" => {
            let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
                return Err(invalid(&value_at, "must be a list of two numbers"));
            };
            let low = amount(low, &format!("{value_at}/0"))?;
            let high = amount(high, &format!("{value_at}/1"))?;
            if low > high {
                return Err(invalid(&value_at, "the lower number comes first"));
            }
            MetricTest::Between(low, high)
        }
        _ => return Err(Violation::not_one_of(format!("{at}/operator"), OPERATORS)),
    })
}

fn events(members: &Members, at: &str, grammar: Grammar<'_>) -> Parsed<EventSet> {
    let name = EventName::parse(text(members, "name", at)?).ok_or_else(|| {
        let detail = "must be 1 to 64 of a-z, 0-9, `_`, `.` and `-`";
        invalid(&format!("{at}/name"), detail)
    })?;
    let mut filters = Vec::new();
    let where_at = format!("{at}/where");
    let tests = match members.get("where") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(tests)) if tests.is_empty() => &[],
        Some(tests) => list(tests, &where_at, MAX_FILTERS)?.as_slice(),
    };
    for (index, test) in tests.iter().enumerate() {
        let at = format!("{where_at}/{index}");
        filters.push(filter(test, &at, grammar)?);
    }
    Ok(EventSet {
        name,
        window: window(members, at, grammar.notation)?,
        filters,
    })
}

fn filter(test: &Value, at: &str, grammar: Grammar<'_>) -> Parsed<EventFilter> {
    let members = object(test, at, &["field", "operator", "value"])?;
    let field = event_field(text(members, "field", at)?, at)?;
    let operator = text(members, "operator", at)?;
    let value = members.get("value").unwrap_or(&Value::Null);
    // A property is read as an attribute is, and an amount as a number.
    let like = match &field {
        EventField::Amount => Field::Attribute("amount".to_owned()),
        EventField::Property(name) => Field::Attribute(name.clone()),
    };
    let textual = matches!(operator, "contains" | "starts_with" | "in_last_days");
    if field == EventField::Amount && textual {
        let detail = "an amount does not have this operator";
        let at = format!("{at}/operator");
        return Err(Violation::new(at, "unsupported_operator", detail));
    }
    let test = parse_test(&like, operator, (value, at), grammar.notation)?;
    Ok(EventFilter { field, test })
}

fn event_field(name: &str, at: &str) -> Parsed<EventField> {
    match name {
        "amount" => Ok(EventField::Amount),
        "" | "properties." => Err(invalid(
            &format!("{at}/field"),
            "must be `amount` or the name of a property",
        )),
        _ => {
            let name = name.strip_prefix("properties.").unwrap_or(name);
            Ok(EventField::Property(composed(name.to_owned())))
        }
    }
}

pub(super) fn occurrence(members: &Members, at: &str) -> Parsed<Option<Occurrence>> {
    let at = format!("{at}/occurrence");
    let value = match members.get("occurrence") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => object(value, &at, &["op", "count"])?,
    };
    let count = value.get("count").unwrap_or(&Value::Null);
    let count_at = format!("{at}/count");
    if count.is_null() {
        return Err(required(&count_at));
    }
    let count = count.as_u64().and_then(|count| u32::try_from(count).ok());
    let count = count.ok_or_else(|| invalid(&count_at, "must be a whole number"))?;
    Ok(Some(match text(value, "op", &at)? {
        "exactly" => Occurrence::Exactly(count),
        "at_least" => Occurrence::AtLeast(count),
        "at_most" => Occurrence::AtMost(count),
        _ => {
            let names = ["exactly", "at_least", "at_most"];
            return Err(Violation::not_one_of(format!("{at}/op"), names));
        }
    }))
}

pub(super) fn window(members: &Members, at: &str, notation: &Notation) -> Parsed<Window> {
    let at = format!("{at}/window");
    let value = match members.get("window") {
        None | Some(Value::Null) => return Ok(Window::Ever),
        Some(Value::String(text)) if text == "ever" => return Ok(Window::Ever),
        Some(value) => object(value, &at, &["last_days", "between", "since", "ever"])?,
    };
    let mut members = value.iter();
    let (Some((form, value)), None) = (members.next(), members.next()) else {
        let detail = "must have one of last_days, between, since, ever";
        return Err(invalid(&at, detail));
    };
    let at = format!("{at}/{form}");
    let date = |value: &Value, at: &str| {
        let bound = value.as_str().and_then(|text| Bound::date(text, notation));
        match bound {
            // Events carry whole milliseconds.
            Some(Bound::Date(first, last)) => Ok((first.trunc_subsecs(3), last)),
            _ => Err(invalid(at, "must be a date, with or without a time")),
        }
    };
    if value.is_null() {
        return Err(required(&at));
    }
    match form.as_str() {
        "last_days" => Ok(Window::LastDays(days(value, &at)?)),
        "since" => Ok(Window::Since(date(value, &at)?.0)),
        "between" => {
            let Some([from, to]) = value.as_array().map(Vec::as_slice) else {
                return Err(invalid(&at, "must be a list of two dates"));
            };
            let (first, last) = (
                date(from, &format!("{at}/0"))?.0,
                date(to, &format!("{at}/1"))?.1,
            );
            match first <= last {
                true => Ok(Window::Between(first, last)),
                false => Err(invalid(&at, "the earlier date comes first")),
            }
        }
        _ => match value {
            Value::Bool(true) => Ok(Window::Ever),
            _ => Err(wrong_type(&at, "must be true")),
        },
    }
}

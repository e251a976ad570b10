//! The grammar of groups, with a pointer to whatever breaks it.

use serde_json::{Map, Value};

use super::{Bound, Condition, Field, Group, Logic, Predicate, Test, Values};
use crate::{
    contact::{Document, normalise_email, normalise_phone},
    shared::Violation,
};

const MAX_GROUPS: usize = 20;
const MAX_CONDITIONS: usize = 50;
const MAX_VALUES: usize = 1000;
/// Most days that `in_last_days` looks back: a century.
const MAX_DAYS: u64 = 36_525;

type Parsed<T> = Result<T, Violation>;

impl Predicate {
    /// Parses a list of groups, or an object of `groups` and `groupType`. Pointers of violations
    /// begin with `base_pointer`.
    ///
    /// # Errors
    /// Every group and condition that breaks the grammar, one violation each. At least one group
    /// must not be an `exclude` one.
    pub fn parse(filter: &Value, base_pointer: &str) -> Result<Self, Vec<Violation>> {
        let (between, groups, base_pointer) =
            parse_outside(filter, base_pointer).map_err(|v| vec![v])?;
        let groups = list(groups, &base_pointer, MAX_GROUPS).map_err(|v| vec![v])?;
        let mut parsed = Vec::with_capacity(groups.len());
        let mut violations = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            match parse_group(group, &format!("{base_pointer}/{at}")) {
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

fn parse_group(group: &Value, at: &str) -> Result<Group, Vec<Violation>> {
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
        match parse_condition(condition, &format!("{at}/conditions/{index}")) {
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

fn parse_condition(condition: &Value, at: &str) -> Parsed<Condition> {
    let Some(members) = condition.as_object() else {
        return Err(wrong_type(at, "must be an object"));
    };
    match text(members, "kind", at)? {
        kind @ ("property" | "tag") => {
            object(condition, at, &["kind", "field", "operator", "value"])?;
            if kind == "property" {
                property(members, at)
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

fn property(members: &Map<String, Value>, at: &str) -> Parsed<Condition> {
    let field = Field::named(text(members, "field", at)?)
        .ok_or_else(|| invalid(&format!("{at}/field"), "must be the name of a field"))?;
    let operator = text(members, "operator", at)?;
    let value = members.get("value").unwrap_or(&Value::Null);
    let test = parse_test(&field, operator, value, at)?;
    Ok(Condition::Property { field, test })
}

fn parse_test(field: &Field, operator: &str, value: &Value, at: &str) -> Parsed<Test> {
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
        Value::String(text) if !text.is_empty() => Ok(text.to_lowercase()),
        _ => Err(invalid(&value_at, "must be text that is not empty")),
    };
    let bound = || bound(field, operator, value, &value_at);
    Ok(match operator {
        "equals" => Test::In(field.values(std::slice::from_ref(value), &value_at, false)?),
        "not_equals" => Test::NotIn(field.values(std::slice::from_ref(value), &value_at, false)?),
        "in" => Test::In(field.values(list(value, &value_at, MAX_VALUES)?, &value_at, true)?),
        "not_in" => {
            Test::NotIn(field.values(list(value, &value_at, MAX_VALUES)?, &value_at, true)?)
        }
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
        "between" => between(field, value, &value_at)?,
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

fn bound(field: &Field, operator: &str, value: &Value, at: &str) -> Parsed<Bound> {
    let dated = *field == Field::UpdatedAt || matches!(operator, "before" | "after");
    if dated {
        let date = value.as_str().and_then(Bound::date);
        return date.ok_or_else(|| invalid(at, "must be an RFC 3339 instant or YYYY-MM-DD"));
    }
    Bound::parse(value).ok_or_else(|| invalid(at, "must be a number or a date"))
}

fn between(field: &Field, value: &Value, at: &str) -> Parsed<Test> {
    let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
        return Err(invalid(at, "must be a list of two values"));
    };
    let low = bound(field, "between", low, &format!("{at}/0"))?;
    let high = bound(field, "between", high, &format!("{at}/1"))?;
    let ordered = match (&low, &high) {
        (Bound::Date(first, _), Bound::Date(_, last)) => first <= last,
        (Bound::Number(number), high) => high.order_of_number(number).is_some_and(|o| o.is_le()),
        (Bound::Date(..), Bound::Number(_)) => false,
    };
    if !ordered {
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
        let label = value.as_str().map(|text| text.trim().to_lowercase());
        label.filter(|label| !label.is_empty() && !label.contains(','))
    };
    let any: Option<Vec<String>> = values.iter().map(label).collect();
    let any = any.ok_or_else(|| invalid(&value_at, "must be a tag"))?;
    Ok(Condition::Tag { any, negated })
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "" | "attributes." => return None,
            "document" => Self::Document,
            "name" => Self::Name,
            "phone" => Self::Phone,
            "email" => Self::Email,
            "document_kind" => Self::DocumentKind,
            "document_valid" => Self::DocumentValid,
            "phone_valid" => Self::PhoneValid,
            "email_valid" => Self::EmailValid,
            "updated_at" => Self::UpdatedAt,
            _ => Self::Attribute(name.strip_prefix("attributes.").unwrap_or(name).to_owned()),
        })
    }

    fn has(&self, operator: &str) -> bool {
        let equality = matches!(
            operator,
            "equals" | "not_equals" | "in" | "not_in" | "exists" | "not_exists"
        );
        match self {
            Self::Attribute(_) => true,
            Self::DocumentKind | Self::DocumentValid | Self::PhoneValid | Self::EmailValid => {
                equality
            }
            Self::UpdatedAt => !matches!(operator, "contains" | "starts_with"),
            Self::Document | Self::Name | Self::Phone | Self::Email => {
                equality || matches!(operator, "contains" | "starts_with")
            }
        }
    }

    /// Values in the form in which contacts keep this field.
    fn values(&self, from: &[Value], at: &str, listed: bool) -> Parsed<Values> {
        let mut values = Values::default();
        for (index, value) in from.iter().enumerate() {
            if !self.add(&mut values, value) {
                let at = if listed {
                    format!("{at}/{index}")
                } else {
                    at.to_owned()
                };
                return Err(invalid(&at, "this field cannot have this value"));
            }
        }
        Ok(values)
    }

    /// Adds a value; `false` when the field cannot have it.
    fn add(&self, values: &mut Values, value: &Value) -> bool {
        let text = value.as_str();
        let kept = match self {
            Self::Attribute(_) => return values.add(value),
            Self::DocumentValid | Self::PhoneValid | Self::EmailValid => {
                let flag = value
                    .as_bool()
                    .or_else(|| text.and_then(|t| t.parse().ok()));
                return flag.map(|flag| values.add_bool(flag)).is_some();
            }
            Self::UpdatedAt => {
                return text
                    .and_then(Bound::date)
                    .map(|d| values.add_date(d))
                    .is_some();
            }
            Self::Document => text
                .and_then(|t| Document::parse(t).ok())
                .map(|d| d.as_str().to_owned()),
            Self::Phone => text.map(|t| normalise_phone(t).value),
            Self::Email => text.map(|t| normalise_email(t).value),
            Self::Name => text.map(|t| t.trim().to_owned()),
            Self::DocumentKind => text
                .filter(|t| matches!(*t, "cpf" | "cnpj" | "other"))
                .map(ToOwned::to_owned),
        };
        kept.map(|text| values.add_text(text)).is_some()
    }
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

fn invalid(at: &str, detail: &str) -> Violation {
    Violation::new(at, "invalid_value", detail)
}

//! The grammar of groups, with a pointer to whatever breaks it.

use serde_json::{Map, Value};

use super::{
    Group, Logic, Notation, Predicate,
    grammar::{Grammar, Parsed, Subject, invalid, list, object, wrong_type},
    kinds::condition,
};
use crate::shared::Violation;

/// The code of what is missing from a segment.
pub const INCOMPLETE: &str = "incomplete";
/// Most groups.
pub(super) const MAX_GROUPS: usize = 20;
/// Most conditions of a group.
pub(super) const MAX_CONDITIONS: usize = 50;

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
        Self::read(filter, base_pointer, notation, Subject::Contact)
    }

    /// As [`Predicate::parse`], of customers: with every kind of condition. What is missing has the code
    /// `incomplete`, so that a draft may be kept with it.
    ///
    /// # Errors
    /// As there.
    pub fn parse_segment(
        filter: &Value,
        base_pointer: &str,
        notation: Notation,
    ) -> Result<Self, Vec<Violation>> {
        let mut read = Self::read(filter, base_pointer, notation, Subject::Customer);
        for violation in read.as_mut().err().into_iter().flatten() {
            if matches!(violation.code, "required" | "empty" | "nothing_included") {
                violation.code = INCOMPLETE;
            }
        }
        read
    }

    fn read(
        filter: &Value,
        base_pointer: &str,
        notation: Notation,
        subject: Subject,
    ) -> Result<Self, Vec<Violation>> {
        let grammar = Grammar {
            notation: &notation,
            subject,
        };
        let (between, groups, base_pointer) =
            parse_outside(filter, base_pointer).map_err(|v| vec![v])?;
        let groups = list(groups, &base_pointer, MAX_GROUPS).map_err(|v| vec![v])?;
        let mut parsed = Vec::with_capacity(groups.len());
        let mut violations = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            match parse_group(group, &format!("{base_pointer}/{at}"), grammar) {
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

fn parse_group(group: &Value, at: &str, grammar: Grammar<'_>) -> Result<Group, Vec<Violation>> {
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
    for (index, item) in conditions.iter().enumerate() {
        match condition(item, &format!("{at}/conditions/{index}"), grammar) {
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

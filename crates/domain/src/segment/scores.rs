//! Reading conditions about scores.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    RfmCell, RfmScore, RfmTest,
    grammar::{Parsed, invalid, list, required, text},
};
use crate::shared::{Violation, one_of};

/// What scores can be asked.
pub(super) const OPERATORS: [&str; 9] = [
    "equals",
    "not_equals",
    "in",
    "not_in",
    "greater",
    "greater_or_equal",
    "less",
    "less_or_equal",
    "between",
];

/// A test of scores. Whoever has none fulfils no test, not even a negation.
pub(super) fn rfm(members: &Map<String, Value>, at: &str) -> Parsed<RfmTest> {
    let field = text(members, "field", at)?;
    let operator = text(members, "operator", at)?;
    let value = members.get("value").unwrap_or(&Value::Null);
    let at = (at, &*format!("{at}/value"));
    if value.is_null() {
        return Err(required(at.1));
    }
    if field == "cell" {
        return cells(operator, value, at).map(RfmTest::Cell);
    }
    let score = RfmScore::ALL.iter().find(|score| score.as_str() == field);
    let names = ["cell", "recency", "frequency", "monetary"];
    let unknown = || Violation::not_one_of(format!("{}/field", at.0), names);
    let score = *score.ok_or_else(unknown)?;
    let scores: BTreeSet<u8> = (1..=5)
        .filter_map(|score| match fulfils(score, operator, value, at) {
            Ok(held) => held.then_some(Ok(score)),
            Err(violation) => Some(Err(violation)),
        })
        .collect::<Parsed<_>>()?;
    Ok(RfmTest::Score(score, scores))
}

fn cells(operator: &str, value: &Value, at: (&str, &str)) -> Parsed<BTreeSet<RfmCell>> {
    let values = match operator {
        "equals" | "not_equals" => std::slice::from_ref(value),
        "in" | "not_in" => list(value, at.1, RfmCell::ALL.len())?.as_slice(),
        _ => {
            let names = ["equals", "not_equals", "in", "not_in"];
            return Err(Violation::not_one_of(format!("{}/operator", at.0), names));
        }
    };
    let cell = |value: &Value| one_of(at.1, value.as_str().unwrap_or_default(), RfmCell::ALL);
    let named: BTreeSet<RfmCell> = values.iter().map(cell).collect::<Parsed<_>>()?;
    let negated = operator.starts_with("not_");
    let all = RfmCell::ALL.iter().copied();
    Ok(all.filter(|cell| named.contains(cell) != negated).collect())
}

fn fulfils(score: u8, operator: &str, value: &Value, at: (&str, &str)) -> Parsed<bool> {
    let one = |value: &Value| {
        let number = value.as_u64().and_then(|number| u8::try_from(number).ok());
        let number = number.filter(|number| (1..=5).contains(number));
        number.ok_or_else(|| invalid(at.1, "must be a whole number from 1 to 5"))
    };
    let many = || {
        list(value, at.1, 5)?
            .iter()
            .map(one)
            .collect::<Parsed<Vec<u8>>>()
    };
    Ok(match operator {
        "equals" => score == one(value)?,
        "not_equals" => score != one(value)?,
        "in" => many()?.contains(&score),
        "not_in" => !many()?.contains(&score),
        "greater" => score > one(value)?,
        "greater_or_equal" => score >= one(value)?,
        "less" => score < one(value)?,
        "less_or_equal" => score <= one(value)?,
        "between" => match many()?.as_slice() {
            [low, high] if low <= high => (*low..=*high).contains(&score),
            _ => return Err(invalid(at.1, "must be two numbers, the lower one first")),
        },
        _ => {
            return Err(Violation::not_one_of(
                format!("{}/operator", at.0),
                OPERATORS,
            ));
        }
    })
}

//! Reading a boolean expression.

use super::{
    super::grammar::{Grammar, Parsed},
    SqlCondition,
};
use crate::shared::Violation;

/// Reads an expression.
pub(in super::super) fn parse(_text: &str, at: &str, _: Grammar<'_>) -> Parsed<SqlCondition> {
    let detail = "conditions of this kind are not supported here";
    Err(Violation::new(at, "unsupported_condition", detail))
}

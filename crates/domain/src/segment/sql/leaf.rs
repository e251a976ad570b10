//! What a condition on one field means: where it is true, or where it is false.

use serde_json::Value;

use super::{
    super::{Field, Notation, Test, test::parse_test},
    SqlTree,
    lexer::{Fault, Place, Read},
    literal::Literal,
};

/// A field with an operator after it.
pub(super) struct Leaf<'a> {
    pub(super) field: Field,
    /// Of the operator.
    pub(super) place: Place,
    /// Whether the condition must be true; if not, it must be false.
    pub(super) wanted: bool,
    pub(super) notation: &'a Notation,
}

/// All of the parts, or any of them.
pub(super) fn joined(mut parts: Vec<SqlTree>, all: bool) -> SqlTree {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            if all {
                SqlTree::All(parts)
            } else {
                SqlTree::Any(parts)
            }
        }
    }
}

/// Holds for everybody, or for nobody.
pub(super) const fn constant(holds: bool) -> SqlTree {
    if holds {
        SqlTree::All(Vec::new())
    } else {
        SqlTree::Any(Vec::new())
    }
}

impl Leaf<'_> {
    pub(super) fn compared(&self, sign: &str, literal: Literal) -> Read<SqlTree> {
        literal.known()?;
        let operator = match (sign, self.wanted) {
            ("=", _) => return self.listed(vec![literal]),
            ("<", true) | (">=", false) => "less",
            ("<=", true) | (">", false) => "less_or_equal",
            (">", true) | ("<=", false) => "greater",
            (">=", true) | ("<", false) => "greater_or_equal",
            _ => return self.negated().listed(vec![literal]),
        };
        let test = self.test(operator, &[literal])?;
        Ok(SqlTree::Test(self.field.clone(), test))
    }

    /// The values that equal one of a list. What is not in a list with NULL is undecided.
    pub(super) fn listed(&self, mut literals: Vec<Literal>) -> Read<SqlTree> {
        let length = literals.len();
        literals.retain(|literal| !literal.value.is_null());
        let undecided = literals.len() < length;
        // An attribute may be a text, which is read as a date where it is compared with one.
        let range = |literal: &Literal| literal.dated && !self.field.is_date();
        let (dates, plain): (Vec<_>, Vec<_>) = literals.into_iter().partition(range);
        let mut parts = Vec::new();
        if !plain.is_empty() {
            parts.push(self.tested("in", &plain)?);
        }
        for date in dates {
            parts.push(self.between([date.clone(), date])?);
        }
        Ok(if parts.is_empty() || undecided && !self.wanted {
            constant(false)
        } else {
            joined(parts, !self.wanted)
        })
    }

    pub(super) fn between(&self, ends: [Literal; 2]) -> Read<SqlTree> {
        ends.iter().try_for_each(Literal::known)?;
        let tree = |test| SqlTree::Test(self.field.clone(), test);
        Ok(match self.test("between", &ends)? {
            Test::Between(low, high) if !self.wanted => {
                SqlTree::Any(vec![tree(Test::Less(low)), tree(Test::Greater(high))])
            }
            test => tree(test),
        })
    }

    /// A test that is negated as a whole.
    pub(super) fn tested(&self, operator: &str, literals: &[Literal]) -> Read<SqlTree> {
        let test = self.test(operator, literals)?;
        let field = self.field.clone();
        Ok(if self.wanted {
            SqlTree::Test(field, test)
        } else {
            SqlTree::Not(field, test)
        })
    }

    /// `IS NULL`, `IS TRUE` or `IS FALSE`, which are never undecided.
    pub(super) fn is(&self, literal: &Literal) -> Read<SqlTree> {
        let test = match (literal.value.is_null(), self.wanted) {
            (true, true) => Test::NotExists,
            (true, false) => Test::Exists,
            (false, true) => self.test("in", std::slice::from_ref(literal))?,
            (false, false) => self.test("not_in", std::slice::from_ref(literal))?,
        };
        Ok(SqlTree::Test(self.field.clone(), test))
    }

    fn negated(&self) -> Self {
        Self {
            field: self.field.clone(),
            wanted: !self.wanted,
            ..*self
        }
    }

    /// A test as conditions on properties have it.
    fn test(&self, operator: &str, literals: &[Literal]) -> Read<Test> {
        let attribute = matches!(self.field, Field::Attribute(_));
        let dated = literals.iter().find(|literal| literal.dated);
        if let Some(literal) = dated.filter(|_| !attribute && !self.field.is_date()) {
            return Err(Fault::new(literal.place, "this field is no date"));
        }
        let mut values = literals.iter().map(|literal| literal.value.clone());
        let value = match operator {
            "in" | "not_in" | "between" => Value::Array(values.collect()),
            _ => values.next().unwrap_or_default(),
        };
        let read = parse_test(&self.field, operator, (&value, ""), self.notation);
        read.map_err(|violation| {
            let index = violation.pointer.rsplit('/').next();
            let index = index.and_then(|index| index.parse().ok()).unwrap_or(0);
            let place = literals.get(index).map(|literal| literal.place);
            let operator = violation.code == "unsupported_operator";
            let place = place.filter(|_| !operator).unwrap_or(self.place);
            Fault::new(place, violation.detail)
        })
    }
}

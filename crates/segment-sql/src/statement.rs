//! Statements and their parameters.

use domain::shared::Instant;

/// A value that a statement is given beside its text. What it holds may be personal data: no `Debug`.
#[derive(Clone, PartialEq)]
pub enum Param {
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A decimal, as digits.
    Decimal(String),
    /// Decimals, as digits.
    Decimals(Vec<String>),
    /// An instant.
    Instant(Instant),
    /// A truth value.
    Flag(bool),
}

/// A statement: its text, and the parameters in the order of their numbers, the first being 1.
#[derive(Clone, PartialEq)]
pub struct Statement {
    /// The text.
    pub text: String,
    /// The parameters.
    pub params: Vec<Param>,
}

/// Parameters while a statement is printed. Equal ones are given once.
#[derive(Default)]
pub(crate) struct Params(pub(crate) Vec<Param>);

impl Params {
    /// The number of a parameter.
    pub(crate) fn number(&mut self, param: Param) -> usize {
        match self.0.iter().position(|known| *known == param) {
            Some(at) => at + 1,
            None => {
                self.0.push(param);
                self.0.len()
            }
        }
    }
}

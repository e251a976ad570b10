//! What differs between the databases.

use domain::{
    segment::{EventField, Field, Form},
    shared::{Decimal, Instant},
};

use crate::statement::{Param, Params};

/// What a store does not know of its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of customers has no {0}")]
pub struct Missing(pub &'static str);

/// How a database writes what all of them can do.
pub trait Dialect {
    /// The place of the parameter of a number.
    fn numbered(&self, number: usize) -> String;

    /// What stands before a set that is computed once: a planner that expects one row would compute it for
    /// every customer.
    fn once(&self) -> &'static str;

    /// The customers, with the alias `c`.
    fn customers(&self) -> String;

    /// A column of customers.
    fn customer(&self, column: Own) -> String;

    /// A form of a value of a customer; `None` where it has none.
    fn value(&self, field: &Field, form: Form, bind: &mut Bind<'_>) -> Option<String>;

    /// Whether a customer said no wherever it said anything: 0 or 1.
    fn unsubscribed(&self, id: &str) -> String;

    /// Further columns of a member, each after a comma: what only a source outside says of people.
    fn given(&self) -> String {
        String::new()
    }

    /// The events, with the alias `e`.
    ///
    /// # Errors
    /// Where there are none.
    fn events(&self) -> Result<String, Missing>;

    /// A column of events.
    fn event(&self, column: EventColumn) -> String;

    /// A form of a value of an event; an amount has [`Form::Millionths`] alone.
    fn event_value(&self, field: &EventField, form: Form, bind: &mut Bind<'_>) -> Option<String>;

    /// The tenant's rows of a table of its own: a condition.
    ///
    /// # Errors
    /// Where the source has no such table.
    fn own(&self, what: &'static str) -> Result<(), Missing>;

    /// Whether a text has a part.
    fn contains(&self, text: &str, part: &str) -> String;

    /// Whether a text begins so.
    fn starts_with(&self, text: &str, part: &str) -> String;

    /// Whether a value is in a list.
    fn among(&self, value: &str, list: &str) -> String;

    /// The digits of a whole number, as text.
    fn digits(&self, number: &str) -> String;

    /// A sum of whole numbers, no greater than 9·10¹⁸ either way.
    fn sum(&self, values: &str) -> String;

    /// A number to compare [`Form::Number`] with.
    fn number(&self, number: &Decimal) -> Param;

    /// Numbers to compare [`Form::Number`] with.
    fn numbers(&self, numbers: Vec<&Decimal>) -> Param;

    /// An instant to compare [`Form::Date`] with.
    fn date(&self, at: Instant) -> Param;
}

/// A column of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// The tenant.
    Workspace,
    /// Their number.
    Id,
    /// Their key in audiences.
    Key,
    /// Grows with every change.
    Version,
}

/// A column of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventColumn {
    /// The tenant.
    Workspace,
    /// Whose it is.
    Customer,
    /// Its name.
    Name,
    /// When it happened.
    Time,
}

/// Gives parameters a place.
pub struct Bind<'a> {
    pub(crate) params: &'a mut Params,
    pub(crate) dialect: &'a dyn Dialect,
}

impl Bind<'_> {
    /// The place of a parameter.
    pub fn place(&mut self, param: Param) -> String {
        let number = self.params.number(param);
        self.dialect.numbered(number)
    }
}

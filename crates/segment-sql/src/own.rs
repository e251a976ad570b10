//! The service's own store, on PostgreSQL and on SQLite. It keeps values in the forms of
//! [`domain::segment::Form`], so that both compare texts and whole numbers only.

use domain::{
    segment::{EventField, Field, Form, date_key, property_key},
    shared::{Decimal, Instant},
};

use crate::{
    dialect::{Bind, Dialect, EventColumn, Missing, Own},
    statement::Param,
};

/// PostgreSQL.
pub struct Postgres;

/// SQLite.
pub struct Sqlite;

fn customer(column: Own) -> String {
    match column {
        Own::Workspace => "c.workspace",
        Own::Id => "c.id",
        Own::Key => "c.member_key",
        Own::Version => "c.version",
    }
    .into()
}

fn event(column: EventColumn) -> String {
    match column {
        EventColumn::Workspace => "e.workspace",
        EventColumn::Customer => "e.customer",
        EventColumn::Name => "e.name",
        EventColumn::Time => "e.occurred_at",
    }
    .into()
}

fn unsubscribed(id: &str) -> String {
    format!(
        "COALESCE((SELECT CASE WHEN MAX(said.status) = 'denied' THEN 1 ELSE 0 END \
         FROM customer_consents AS said \
         WHERE said.workspace = c.workspace AND said.customer = {id}), 0)"
    )
}

fn number(number: &Decimal) -> Param {
    Param::Text(number.sort_key())
}

fn numbers(numbers: Vec<&Decimal>) -> Param {
    Param::Texts(numbers.into_iter().map(Decimal::sort_key).collect())
}

/// The key of a value of an event; `None` for its amount, which has a column.
fn event_key(field: &EventField, form: Form) -> Option<String> {
    match field {
        EventField::Amount => None,
        EventField::Property(name) => Some(property_key(name, form)),
    }
}

impl Dialect for Postgres {
    fn place(&self, number: usize, _: &Param) -> String {
        format!("${number}")
    }

    fn customers(&self) -> String {
        "customers AS c".into()
    }

    fn customer(&self, column: Own) -> String {
        customer(column)
    }

    fn value(&self, field: &Field, form: Form, bind: &mut Bind<'_>) -> Option<String> {
        let key = bind.place(Param::Text(field.key(form)));
        Some(format!("(c.facts ->> {key}) COLLATE \"C\""))
    }

    fn unsubscribed(&self, id: &str) -> String {
        unsubscribed(id)
    }

    fn events(&self) -> Result<String, Missing> {
        Ok("customer_events AS e".into())
    }

    fn event(&self, column: EventColumn) -> String {
        event(column)
    }

    fn event_value(&self, field: &EventField, form: Form, bind: &mut Bind<'_>) -> Option<String> {
        let Some(key) = event_key(field, form) else {
            return (form == Form::Millionths).then(|| "e.amount".into());
        };
        let key = bind.place(Param::Text(key));
        Some(match form {
            Form::Millionths => format!("CAST(e.facts ->> {key} AS BIGINT)"),
            _ => format!("(e.facts ->> {key}) COLLATE \"C\""),
        })
    }

    fn own(&self, _: &'static str) -> Result<(), Missing> {
        Ok(())
    }

    fn digits(&self, number: &str) -> String {
        format!("CAST({number} AS TEXT)")
    }

    fn contains(&self, text: &str, part: &str) -> String {
        format!("strpos({text}, {part}) > 0")
    }

    fn starts_with(&self, text: &str, part: &str) -> String {
        format!("starts_with({text}, {part})")
    }

    fn among(&self, value: &str, list: &str) -> String {
        format!("({value} = ANY ({list}))")
    }

    fn sum(&self, values: &str) -> String {
        format!("SUM({values})")
    }

    fn number(&self, value: &Decimal) -> Param {
        number(value)
    }

    fn numbers(&self, values: Vec<&Decimal>) -> Param {
        numbers(values)
    }

    fn date(&self, at: Instant) -> Param {
        Param::Text(date_key(at))
    }
}

impl Dialect for Sqlite {
    fn place(&self, number: usize, _: &Param) -> String {
        format!("?{number}")
    }

    fn customers(&self) -> String {
        "customers AS c".into()
    }

    fn customer(&self, column: Own) -> String {
        customer(column)
    }

    fn value(&self, field: &Field, form: Form, bind: &mut Bind<'_>) -> Option<String> {
        let key = bind.place(Param::Text(field.key(form)));
        Some(format!("(c.facts ->> {key})"))
    }

    fn unsubscribed(&self, id: &str) -> String {
        unsubscribed(id)
    }

    fn events(&self) -> Result<String, Missing> {
        Ok("customer_events AS e".into())
    }

    fn event(&self, column: EventColumn) -> String {
        event(column)
    }

    fn event_value(&self, field: &EventField, form: Form, bind: &mut Bind<'_>) -> Option<String> {
        let Some(key) = event_key(field, form) else {
            return (form == Form::Millionths).then(|| "e.amount".into());
        };
        let key = bind.place(Param::Text(key));
        Some(format!("(e.facts ->> {key})"))
    }

    fn own(&self, _: &'static str) -> Result<(), Missing> {
        Ok(())
    }

    fn digits(&self, number: &str) -> String {
        format!("CAST({number} AS TEXT)")
    }

    fn contains(&self, text: &str, part: &str) -> String {
        format!("instr({text}, {part}) > 0")
    }

    fn starts_with(&self, text: &str, part: &str) -> String {
        format!("substr({text}, 1, length({part})) = {part}")
    }

    fn among(&self, value: &str, list: &str) -> String {
        format!("({value} IN (SELECT value FROM json_each({list})))")
    }

    /// A sum of whole numbers fails above 64 bits: of whole units and of the rest it does not.
    fn sum(&self, values: &str) -> String {
        let (units, rest) = (
            format!("SUM({values} / 1000000)"),
            format!("SUM({values} % 1000000)"),
        );
        format!(
            "(CASE WHEN {units} > 8999999999999 THEN 9000000000000000000 \
             WHEN {units} < -8999999999999 THEN -9000000000000000000 \
             ELSE {units} * 1000000 + {rest} END)"
        )
    }

    fn number(&self, value: &Decimal) -> Param {
        number(value)
    }

    fn numbers(&self, values: Vec<&Decimal>) -> Param {
        numbers(values)
    }

    fn date(&self, at: Instant) -> Param {
        Param::Text(date_key(at))
    }
}

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

/// The database that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnStore {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl OwnStore {
    /// A text of a document, compared by bytes.
    fn member(self, document: &str, key: &str) -> String {
        match self {
            Self::Postgres => format!("({document} ->> {key}) COLLATE \"C\""),
            Self::Sqlite => format!("({document} ->> {key})"),
        }
    }
}

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

impl Dialect for OwnStore {
    fn numbered(&self, number: usize) -> String {
        match self {
            Self::Postgres => format!("${number}"),
            Self::Sqlite => format!("?{number}"),
        }
    }

    fn once(&self) -> &'static str {
        "MATERIALIZED "
    }

    fn customers(&self) -> String {
        "customers AS c".into()
    }

    fn customer(&self, column: Own) -> String {
        customer(column)
    }

    fn value(&self, field: &Field, form: Form, bind: &mut Bind<'_>) -> Option<String> {
        let key = bind.place(Param::Text(field.key(form)));
        Some(self.member("c.facts", &key))
    }

    fn unsubscribed(&self, id: &str) -> String {
        format!(
            "COALESCE((SELECT CASE WHEN MAX(said.status) = 'denied' THEN 1 ELSE 0 END \
             FROM customer_consents AS said \
             WHERE said.workspace = c.workspace AND said.customer = {id}), 0)"
        )
    }

    fn events(&self) -> Result<String, Missing> {
        Ok("customer_events AS e".into())
    }

    fn event(&self, column: EventColumn) -> String {
        event(column)
    }

    fn event_value(&self, field: &EventField, form: Form, bind: &mut Bind<'_>) -> Option<String> {
        let EventField::Property(name) = field else {
            return (form == Form::Millionths).then(|| "e.amount".into());
        };
        let key = bind.place(Param::Text(property_key(name, form)));
        Some(match form {
            Form::Millionths => format!("CAST(e.facts ->> {key} AS BIGINT)"),
            _ => self.member("e.facts", &key),
        })
    }

    fn own(&self, _: &'static str) -> Result<(), Missing> {
        Ok(())
    }

    fn contains(&self, text: &str, part: &str) -> String {
        match self {
            Self::Postgres => format!("strpos({text}, {part}) > 0"),
            Self::Sqlite => format!("instr({text}, {part}) > 0"),
        }
    }

    fn starts_with(&self, text: &str, part: &str) -> String {
        match self {
            Self::Postgres => format!("starts_with({text}, {part})"),
            Self::Sqlite => format!("substr({text}, 1, length({part})) = {part}"),
        }
    }

    fn among(&self, value: &str, list: &str) -> String {
        match self {
            Self::Postgres => format!("({value} = ANY ({list}))"),
            Self::Sqlite => format!("({value} IN (SELECT value FROM json_each({list})))"),
        }
    }

    fn digits(&self, number: &str) -> String {
        format!("CAST({number} AS TEXT)")
    }

    /// In SQLite a sum of whole numbers fails above 64 bits: of whole units and of the rest it does not.
    fn sum(&self, values: &str) -> String {
        if *self == Self::Postgres {
            return format!("SUM({values})");
        }
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

    fn number(&self, number: &Decimal) -> Param {
        Param::Text(number.sort_key())
    }

    fn numbers(&self, numbers: Vec<&Decimal>) -> Param {
        Param::Texts(numbers.into_iter().map(Decimal::sort_key).collect())
    }

    fn date(&self, at: Instant) -> Param {
        Param::Text(date_key(at))
    }
}

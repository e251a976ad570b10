//! GoogleSQL, over tables of any names and columns: the mapping is data.

use std::collections::BTreeMap;

use domain::{
    segment::{EventField, Field, Form},
    shared::{Decimal, Instant},
};

use crate::{
    dialect::{Bind, Dialect, EventColumn, Missing, Own},
    statement::Param,
};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// `STRING`.
    Text,
    /// `INT64`, `NUMERIC` or `BIGNUMERIC`.
    Number,
    /// `FLOAT64`: the number that its digits write.
    Float,
    /// `BOOL`.
    Flag,
    /// `DATE`: its first instant in the workspace's zone.
    Date,
    /// `TIMESTAMP`.
    Timestamp,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ColumnType,
}

/// Where a source keeps customers and events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The table of customers: project, dataset and table.
    pub customers: Vec<String>,
    /// Their number or other key: unique.
    pub id: Column,
    /// Columns of fields that every customer has, by the names that conditions use.
    pub fields: BTreeMap<String, Column>,
    /// Columns of attributes, by name.
    pub attributes: BTreeMap<String, Column>,
    /// The table of events.
    pub events: Option<Events>,
    /// The zone in which dates begin.
    pub zone: String,
}

/// Where a source keeps events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// The table: project, dataset and table.
    pub table: Vec<String>,
    /// Whose an event is: what [`Mapping::id`] is.
    pub customer: String,
    /// Its name.
    pub name: String,
    /// When it happened: a `TIMESTAMP`.
    pub time: String,
    /// Its amount: `NUMERIC` or `INT64`.
    pub amount: Option<String>,
    /// Its properties: `JSON`, or `STRING` that is JSON.
    pub properties: Option<Properties>,
}

/// The column of properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// Its name.
    pub name: String,
    /// Whether it is a text of JSON.
    pub text: bool,
}

/// GoogleSQL over a source.
pub struct GoogleSql<'a>(pub &'a Mapping);

/// A name in backquotes.
fn quoted(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('`', "\\`");
    format!("`{escaped}`")
}

/// The key of a document, as [`domain::contact::Document`] normalises it, but for rare characters.
fn document_key(text: &str) -> String {
    // Full-width digits, letters and marks, and hyphens and spaces of other scripts, as in ASCII.
    let wide: String = ('\u{ff01}'..='\u{ff5e}').collect();
    let ascii: String = ('!'..='~').collect();
    let (wide, ascii) = (literal(&wide), literal(&ascii));
    let text = format!("TRANSLATE({text}, {wide}, {ascii})");
    let text = format!("REGEXP_REPLACE({text}, r'\\p{{Pd}}', '-')");
    let text = format!("REGEXP_REPLACE({text}, r'[\\p{{Cc}}\\p{{Cf}}]', '')");
    let text = format!("UPPER(NORMALIZE(TRIM({text}), NFC))");
    let separated = |parts: &[&str]| {
        let groups: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
        format!("r'^{}$'", groups.join("[./ -]?"))
    };
    let cpf = separated(&["[0-9]{3}", "[0-9]{3}", "[0-9]{3}", "[0-9]{2}"]);
    let (two, three) = ("[0-9A-Z]{2}", "[0-9A-Z]{3}");
    let cnpj = separated(&[two, three, three, "[0-9A-Z]{4}", "[0-9]{2}"]);
    let text = format!(r"REGEXP_REPLACE({text}, {cpf}, r'\1\2\3\4')");
    format!(r"REGEXP_REPLACE({text}, {cnpj}, r'\1\2\3\4\5')")
}

fn path(parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| quoted(part)).collect();
    parts.join(".")
}

/// A text in quotes: for JSON paths, which cannot be parameters.
fn literal(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

impl GoogleSql<'_> {
    /// What a key is made of: the document as it is in the table, or the number where it has none.
    fn written_key(&self) -> String {
        let id = format!("c.{}", quoted(&self.0.id.name));
        let number = format!("CONCAT('CUSTOMER:', CAST({id} AS STRING))");
        match self.0.fields.get("document") {
            Some(document) => {
                let document = format!("c.{}", quoted(&document.name));
                format!("COALESCE(NULLIF(TRIM({document}), ''), {number})")
            }
            None => number,
        }
    }

    fn column(&self, field: &Field) -> Option<&Column> {
        let name = match field {
            Field::Attribute(name) => return self.0.attributes.get(name),
            Field::Document => "document",
            Field::Name => "name",
            Field::Phone => "phone",
            Field::Email => "email",
            Field::DocumentKind => "document_kind",
            Field::DocumentValid => "document_valid",
            Field::PhoneValid => "phone_valid",
            Field::EmailValid => "email_valid",
            Field::CreatedAt => "created_at",
            Field::UpdatedAt => "updated_at",
            Field::ClientId => "client_id",
            Field::ExternalId => "external_id",
        };
        self.0.fields.get(name)
    }

    /// A form of a column; none where its values have no such form.
    fn form(&self, column: &str, kind: ColumnType, form: Form) -> Option<String> {
        Some(match (kind, form) {
            (ColumnType::Text, Form::Text) => column.to_owned(),
            (ColumnType::Text, Form::Folded) => folded(column),
            (ColumnType::Number, Form::Number) => format!("CAST({column} AS BIGNUMERIC)"),
            (ColumnType::Float, Form::Number) => {
                format!("SAFE_CAST(CAST({column} AS STRING) AS BIGNUMERIC)")
            }
            (ColumnType::Number | ColumnType::Float, Form::Folded) => {
                format!("CAST({column} AS STRING)")
            }
            (ColumnType::Flag, Form::Flag) => format!("CAST({column} AS STRING)"),
            (ColumnType::Timestamp, Form::Date) => column.to_owned(),
            (ColumnType::Date, Form::Date) => {
                format!("TIMESTAMP({column}, {})", literal(&self.0.zone))
            }
            _ => return None,
        })
    }
}

/// A decimal as a whole number of millionths; none where it is too large.
fn millionths(number: &str) -> String {
    format!("SAFE_CAST(SAFE_MULTIPLY({number}, 1000000) AS INT64)")
}

/// The full case fold of a text, as [`domain::shared::fold_key`] does it.
fn folded(text: &str) -> String {
    format!("NORMALIZE_AND_CASEFOLD({text}, NFC)")
}

impl Dialect for GoogleSql<'_> {
    fn numbered(&self, number: usize) -> String {
        format!("@p{number}")
    }

    fn once(&self) -> &'static str {
        ""
    }

    fn customers(&self) -> String {
        format!("{} AS c", path(&self.0.customers))
    }

    fn customer(&self, column: Own) -> String {
        let id = format!("c.{}", quoted(&self.0.id.name));
        match column {
            Own::Workspace => String::new(),
            Own::Id => id,
            Own::Key => document_key(&self.written_key()),
            Own::Version => "0".into(),
        }
    }

    fn value(&self, field: &Field, form: Form, _: &mut Bind<'_>) -> Option<String> {
        let column = self.column(field)?;
        let value = format!("c.{}", quoted(&column.name));
        let value = match field {
            Field::Document => format!("NULLIF({}, '')", document_key(&value)),
            _ => value,
        };
        self.form(&value, column.kind, form)
    }

    fn given(&self) -> String {
        let mut given = format!(", {} AS written", self.written_key());
        for name in ["name", "phone", "email"] {
            let column = self.0.fields.get(name);
            let column = column.map(|column| format!("c.{}", quoted(&column.name)));
            let column = column.unwrap_or_else(|| "CAST(NULL AS STRING)".to_owned());
            given.push_str(&format!(", {column} AS {name}"));
        }
        given
    }

    fn unsubscribed(&self, _: &str) -> String {
        "0".into()
    }

    fn events(&self) -> Result<String, Missing> {
        let events = self.0.events.as_ref().ok_or(Missing("events"))?;
        Ok(format!("{} AS e", path(&events.table)))
    }

    fn event(&self, column: EventColumn) -> String {
        let Some(events) = &self.0.events else {
            return String::new();
        };
        let name = match column {
            EventColumn::Workspace => return String::new(),
            EventColumn::Customer => &events.customer,
            EventColumn::Name => &events.name,
            EventColumn::Time => &events.time,
        };
        format!("e.{}", quoted(name))
    }

    fn event_value(&self, field: &EventField, form: Form, _: &mut Bind<'_>) -> Option<String> {
        let events = self.0.events.as_ref()?;
        let name = match field {
            EventField::Amount => {
                let amount = format!("e.{}", quoted(events.amount.as_ref()?));
                let millionths = millionths(&format!("SAFE_CAST({amount} AS BIGNUMERIC)"));
                return (form == Form::Millionths).then_some(millionths);
            }
            EventField::Property(name) => name,
        };
        let properties = events.properties.as_ref()?;
        let column = format!("e.{}", quoted(&properties.name));
        let json = match properties.text {
            true => format!("SAFE.PARSE_JSON({column})"),
            false => column,
        };
        // A member whose name has quotes cannot be named in a path.
        let plain = !name.contains(['"', '\\']);
        let path = plain.then(|| literal(&format!("$.\"{name}\"")))?;
        let value = format!("JSON_QUERY({json}, {path})");
        let text = format!("JSON_VALUE({json}, {path})");
        let when = |kind: &str, then: &str| {
            format!("(CASE WHEN JSON_TYPE({value}) = '{kind}' THEN {then} END)")
        };
        let number = format!("SAFE_CAST({text} AS BIGNUMERIC)");
        Some(match form {
            Form::Text => when("string", &text),
            Form::Folded => format!(
                "(CASE JSON_TYPE({value}) WHEN 'string' THEN {} WHEN 'number' THEN {text} END)",
                folded(&text)
            ),
            Form::Number => when("number", &number),
            Form::Flag => when("boolean", &text),
            Form::Millionths => when("number", &millionths(&number)),
            Form::Date => return None,
        })
    }

    fn own(&self, what: &'static str) -> Result<(), Missing> {
        Err(Missing(what))
    }

    fn digits(&self, number: &str) -> String {
        format!("CAST({number} AS STRING)")
    }

    fn contains(&self, text: &str, part: &str) -> String {
        format!("STRPOS({text}, {part}) > 0")
    }

    fn starts_with(&self, text: &str, part: &str) -> String {
        format!("STARTS_WITH({text}, {part})")
    }

    fn among(&self, value: &str, list: &str) -> String {
        format!("({value} IN UNNEST({list}))")
    }

    fn sum(&self, values: &str) -> String {
        format!("SUM(CAST({values} AS BIGNUMERIC))")
    }

    fn number(&self, number: &Decimal) -> Param {
        Param::Decimal(number.plain())
    }

    fn numbers(&self, numbers: Vec<&Decimal>) -> Param {
        Param::Decimals(numbers.into_iter().map(Decimal::plain).collect())
    }

    fn date(&self, at: Instant) -> Param {
        Param::Instant(at)
    }
}

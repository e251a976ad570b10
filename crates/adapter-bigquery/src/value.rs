//! Columns, and the values in their rows.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value as Json;

/// A type of GoogleSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    String,
    Int64,
    Float64,
    Bool,
    Numeric,
    Bignumeric,
    Timestamp,
    Date,
    Record,
    /// Any other, by BigQuery's name of it; its values are read as text.
    Other(String),
}

impl Type {
    /// Its name in GoogleSQL.
    pub fn name(&self) -> &str {
        match self {
            Self::String => "STRING",
            Self::Int64 => "INT64",
            Self::Float64 => "FLOAT64",
            Self::Bool => "BOOL",
            Self::Numeric => "NUMERIC",
            Self::Bignumeric => "BIGNUMERIC",
            Self::Timestamp => "TIMESTAMP",
            Self::Date => "DATE",
            Self::Record => "STRUCT",
            Self::Other(name) => name,
        }
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        // The API answers with the names of legacy SQL.
        Ok(match name.as_str() {
            "STRING" => Self::String,
            "INTEGER" | "INT64" => Self::Int64,
            "FLOAT" | "FLOAT64" => Self::Float64,
            "BOOLEAN" | "BOOL" => Self::Bool,
            "NUMERIC" => Self::Numeric,
            "BIGNUMERIC" => Self::Bignumeric,
            "TIMESTAMP" => Self::Timestamp,
            "DATE" => Self::Date,
            "RECORD" | "STRUCT" => Self::Record,
            _ => Self::Other(name),
        })
    }
}

/// How many values a column has in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// One or none.
    #[default]
    Nullable,
    /// One.
    Required,
    /// Any number of them.
    Repeated,
}

/// A column of a table or of a result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Column {
    /// Its name, in the letters that the table has.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub of_type: Type,
    /// How many of it.
    #[serde(default)]
    pub mode: Mode,
    /// The columns of a record.
    #[serde(default)]
    pub fields: Vec<Column>,
}

/// The values of a row, one for each column.
pub type Row = Vec<Value>;

/// A value in a row. `Debug` shows its kind only, as rows have personal data.
#[derive(Clone, PartialEq)]
pub enum Value {
    Null,
    /// A text; also of NUMERIC, BIGNUMERIC, BYTES, JSON, DATETIME and others, as BigQuery writes them.
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Timestamp(DateTime<Utc>),
    Date(NaiveDate),
    /// The values of a repeated column.
    List(Vec<Value>),
    /// The values of a record.
    Record(Row),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Text(_) => "Text",
            Self::Int(_) => "Int",
            Self::Float(_) => "Float",
            Self::Bool(_) => "Bool",
            Self::Timestamp(_) => "Timestamp",
            Self::Date(_) => "Date",
            Self::List(_) => "List",
            Self::Record(_) => "Record",
        })
    }
}

/// A value that is not what its column says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfit;

/// Reads a row as the API writes it: `{"f": [{"v": ...}, ...]}`.
pub(crate) fn row(columns: &[Column], row: Json) -> Result<Row, Unfit> {
    let Json::Array(cells) = member(row, "f")? else {
        return Err(Unfit);
    };
    if cells.len() != columns.len() {
        return Err(Unfit);
    }
    let cells = columns.iter().zip(cells);
    cells
        .map(|(column, cell)| value(column, member(cell, "v")?))
        .collect()
}

fn member(object: Json, name: &str) -> Result<Json, Unfit> {
    match object {
        Json::Object(mut members) => members.remove(name).ok_or(Unfit),
        _ => Err(Unfit),
    }
}

fn value(column: &Column, value: Json) -> Result<Value, Unfit> {
    match (column.mode, value) {
        (Mode::Repeated, Json::Array(items)) => {
            let items = items
                .into_iter()
                .map(|item| one(column, member(item, "v")?));
            items.collect::<Result<_, _>>().map(Value::List)
        }
        (Mode::Repeated, _) | (Mode::Required, Json::Null) => Err(Unfit),
        (_, value) => one(column, value),
    }
}

fn one(column: &Column, value: Json) -> Result<Value, Unfit> {
    let text = match (value, &column.of_type) {
        (Json::Null, _) => return Ok(Value::Null),
        (record, Type::Record) => return row(&column.fields, record).map(Value::Record),
        (Json::String(text), _) => text,
        _ => return Err(Unfit),
    };
    Ok(match column.of_type {
        Type::Int64 => Value::Int(text.parse().map_err(|_| Unfit)?),
        Type::Float64 => Value::Float(text.parse().map_err(|_| Unfit)?),
        Type::Bool => Value::Bool(text.parse().map_err(|_| Unfit)?),
        Type::Date => Value::Date(text.parse().map_err(|_| Unfit)?),
        Type::Timestamp => {
            let micros = text.parse().map_err(|_| Unfit)?;
            Value::Timestamp(DateTime::from_timestamp_micros(micros).ok_or(Unfit)?)
        }
        _ => Value::Text(text),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(columns: Json) -> Vec<Column> {
        serde_json::from_value(columns).unwrap()
    }

    #[test]
    fn each_type_is_read_as_it_is_written() {
        let columns = columns(json!([
            {"name": "id", "type": "INTEGER", "mode": "REQUIRED"},
            {"name": "name", "type": "STRING"},
            {"name": "share", "type": "FLOAT"},
            {"name": "valid", "type": "BOOLEAN", "mode": "NULLABLE"},
            {"name": "amount", "type": "NUMERIC"},
            {"name": "at", "type": "TIMESTAMP"},
            {"name": "birth", "type": "DATE"},
            {"name": "none", "type": "DATE"},
            {"name": "attrs", "type": "JSON"},
            {"name": "tags", "type": "STRING", "mode": "REPEATED"},
            {"name": "address", "type": "RECORD", "fields": [{"name": "city", "type": "STRING"}]},
        ]));
        let cells = [
            json!("7"),
            json!("José"),
            json!("-Infinity"),
            json!("true"),
            json!("1.10"),
            json!("1772366400250000"),
            json!("1990-01-02"),
            json!(null),
            json!("{\"a\":1}"),
            json!([{"v": "a"}, {"v": "b"}]),
            json!({"f": [{"v": "São Paulo"}]}),
        ];
        let cells: Vec<_> = cells.iter().map(|v| json!({ "v": v })).collect();
        let text = |text: &str| Value::Text(text.to_owned());
        let expected = vec![
            Value::Int(7),
            text("José"),
            Value::Float(f64::NEG_INFINITY),
            Value::Bool(true),
            text("1.10"),
            Value::Timestamp("2026-03-01T12:00:00.25Z".parse().unwrap()),
            Value::Date("1990-01-02".parse().unwrap()),
            Value::Null,
            text("{\"a\":1}"),
            Value::List(vec![text("a"), text("b")]),
            Value::Record(vec![text("São Paulo")]),
        ];
        assert!(row(&columns, json!({ "f": cells })) == Ok(expected));
    }

    #[test]
    fn what_does_not_fit_the_schema_is_refused() {
        let of = |of_type: &str, mode: &str| {
            columns(json!([{"name": "x", "type": of_type, "mode": mode}]))
        };
        for (columns, value) in [
            (of("INTEGER", "NULLABLE"), json!("seven")),
            (of("INTEGER", "NULLABLE"), json!(7)),
            (of("INTEGER", "NULLABLE"), json!("9223372036854775808")),
            (of("INTEGER", "REQUIRED"), json!(null)),
            (of("STRING", "NULLABLE"), json!(["a"])),
            (of("STRING", "REPEATED"), json!("a")),
            (of("STRING", "REPEATED"), json!(null)),
            (of("BOOLEAN", "NULLABLE"), json!("yes")),
            (of("TIMESTAMP", "NULLABLE"), json!("1.7723664E9")),
            (of("TIMESTAMP", "NULLABLE"), json!("9223372036854775807")),
            (of("DATE", "NULLABLE"), json!("2026-02-30")),
            (of("RECORD", "NULLABLE"), json!({"f": [{"v": "a"}]})),
        ] {
            let shown = format!("{columns:?} {value}");
            assert!(
                row(&columns, json!({"f": [{"v": value}]})) == Err(Unfit),
                "{shown}"
            );
        }
        let columns = of("STRING", "NULLABLE");
        for wrong in [
            json!({"f": []}),
            json!({"f": [{"v": "a"}, {"v": "b"}]}),
            json!({"f": [{}]}),
            json!({"v": "a"}),
            json!("a"),
        ] {
            assert!(row(&columns, wrong.clone()) == Err(Unfit), "{wrong}");
        }
    }
}

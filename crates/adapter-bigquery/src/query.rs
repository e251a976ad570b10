//! What is asked.

use std::{fmt, time::Duration};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// A query in GoogleSQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The text, which names parameters as `@name`.
    pub sql: String,
    /// Every parameter by its name.
    pub params: Vec<(String, Param)>,
    /// Where the data sets are, such as `southamerica-east1`; found by BigQuery where they say it.
    pub location: Option<String>,
    /// The query fails before it costs anything when it would be billed for more.
    pub maximum_bytes_billed: Option<u64>,
    /// Until its result is there.
    pub timeout: Duration,
}

/// A value, with its type in GoogleSQL.
#[derive(Clone, PartialEq)]
pub enum Param {
    /// STRING.
    Text(String),
    /// ARRAY of STRING.
    Texts(Vec<String>),
    /// INT64.
    Int(i64),
    /// ARRAY of INT64.
    Ints(Vec<i64>),
    /// NUMERIC, in decimal digits.
    Decimal(String),
    /// BIGNUMERIC, in decimal digits.
    BigDecimal(String),
    /// ARRAY of BIGNUMERIC.
    BigDecimals(Vec<String>),
    /// BOOL.
    Bool(bool),
    /// TIMESTAMP.
    Timestamp(DateTime<Utc>),
    /// DATE.
    Date(NaiveDate),
}

impl Param {
    /// Type, and whether it is an array of it.
    const fn type_of(&self) -> (&'static str, bool) {
        match self {
            Self::Text(_) => ("STRING", false),
            Self::Texts(_) => ("STRING", true),
            Self::Int(_) => ("INT64", false),
            Self::Ints(_) => ("INT64", true),
            Self::Decimal(_) => ("NUMERIC", false),
            Self::BigDecimal(_) => ("BIGNUMERIC", false),
            Self::BigDecimals(_) => ("BIGNUMERIC", true),
            Self::Bool(_) => ("BOOL", false),
            Self::Timestamp(_) => ("TIMESTAMP", false),
            Self::Date(_) => ("DATE", false),
        }
    }

    fn value(&self) -> Value {
        let one = |value: String| json!({ "value": value });
        let many = |values: Vec<Value>| json!({ "arrayValues": values });
        match self {
            Self::Text(text) | Self::Decimal(text) | Self::BigDecimal(text) => one(text.clone()),
            Self::Texts(texts) | Self::BigDecimals(texts) => {
                many(texts.iter().cloned().map(one).collect())
            }
            Self::Int(number) => one(number.to_string()),
            Self::Ints(numbers) => many(numbers.iter().map(|n| one(n.to_string())).collect()),
            Self::Bool(value) => one(value.to_string()),
            Self::Timestamp(at) => one(at.to_rfc3339_opts(SecondsFormat::Micros, true)),
            Self::Date(date) => one(date.to_string()),
        }
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_of().0)
    }
}

impl Query {
    /// A request about it, with members of its own.
    pub(crate) fn body<const N: usize>(&self, own: [(&str, Value); N]) -> Map<String, Value> {
        let params = self.params.iter().map(|(name, param)| {
            let (name_of_type, is_array) = param.type_of();
            let mut of_type = json!({ "type": name_of_type });
            if is_array {
                of_type = json!({ "type": "ARRAY", "arrayType": of_type });
            }
            json!({ "name": name, "parameterType": of_type, "parameterValue": param.value() })
        });
        let location = self.location.as_deref();
        let members = [
            ("query", self.sql.as_str().into()),
            ("useLegacySql", false.into()),
            ("parameterMode", "NAMED".into()),
            ("queryParameters", params.collect()),
        ];
        let members = members
            .into_iter()
            .chain(location.map(|location| ("location", location.into())))
            .chain(own);
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_typed_named_and_never_shown() {
        let params = [
            Param::Text("secret' OR 1=1 --".to_owned()),
            Param::Texts(vec!["secret".to_owned()]),
            Param::Int(i64::MIN),
            Param::Ints(vec![]),
            Param::Decimal("-0.10".to_owned()),
            Param::BigDecimal("1e3".to_owned()),
            Param::BigDecimals(vec!["7".to_owned()]),
            Param::Bool(true),
            Param::Timestamp("2026-03-01T09:00:00.25-03:00".parse().unwrap()),
            Param::Date("2026-02-28".parse().unwrap()),
        ];
        let query = Query {
            sql: "SELECT @p0".to_owned(),
            params: (0..).map(|n| format!("p{n}")).zip(params).collect(),
            location: Some("southamerica-east1".to_owned()),
            maximum_bytes_billed: None,
            timeout: Duration::from_secs(1),
        };
        let shown = format!("{query:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("0.10"),
            "{shown}"
        );
        let one = |name: &str, of_type: &str, value: &str| {
            json!({ "name": name, "parameterType": { "type": of_type },
                "parameterValue": { "value": value } })
        };
        let many = |name: &str, of_type: &str, values: Value| {
            json!({ "name": name, "parameterType": { "type": "ARRAY", "arrayType": { "type": of_type } },
                "parameterValue": { "arrayValues": values } })
        };
        let expected = json!({
            "query": "SELECT @p0",
            "useLegacySql": false,
            "parameterMode": "NAMED",
            "location": "southamerica-east1",
            "queryParameters": [
                one("p0", "STRING", "secret' OR 1=1 --"),
                many("p1", "STRING", json!([{ "value": "secret" }])),
                one("p2", "INT64", "-9223372036854775808"),
                many("p3", "INT64", json!([])),
                one("p4", "NUMERIC", "-0.10"),
                one("p5", "BIGNUMERIC", "1e3"),
                many("p6", "BIGNUMERIC", json!([{ "value": "7" }])),
                one("p7", "BOOL", "true"),
                one("p8", "TIMESTAMP", "2026-03-01T12:00:00.250000Z"),
                one("p9", "DATE", "2026-02-28"),
            ],
        });
        assert_eq!(Value::from(query.body([])), expected);
    }
}

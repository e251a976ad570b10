//! Where the customers are of whom a workspace's segments ask: in the service's own store, or in Google
//! BigQuery, in tables of any names and columns.

mod read;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use chrono::Datelike;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Field;
use crate::shared::{Instant, text_enum};

/// What is shown in place of credentials. Sent back it means those that are there.
pub const CREDENTIALS_MASK: &str = "********";

/// Where the customers of segments are, as a request says it.
#[derive(Debug, Clone, PartialEq)]
pub enum SegmentSource {
    /// In the own store.
    Local,
    /// In BigQuery.
    BigQuery(Box<BigQuerySource>, GivenCredentials),
}

/// Credentials as a request says them. `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenCredentials {
    /// Those that are there.
    Unchanged,
    /// These.
    New(SourceCredentials),
}

/// Who asks BigQuery. `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceCredentials {
    /// The account of the machine, by its metadata server.
    Metadata,
    /// The key file of a service account.
    ServiceAccount(ServiceAccountKey),
}

/// The key file of a service account, in JSON. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceAccountKey(String);

impl ServiceAccountKey {
    /// A key file that was checked before.
    pub const fn from_stored(json: String) -> Self {
        Self(json)
    }

    /// The secret itself, for signing and for encryption.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServiceAccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceAccountKey({CREDENTIALS_MASK})")
    }
}

/// Tables in BigQuery, and what asking them may cost. Its serde form is that of the API, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BigQuerySource {
    /// The project that is asked, and billed.
    pub project: String,
    /// The data set of the tables.
    pub dataset: String,
    /// Where the data set is, such as `southamerica-east1`; BigQuery finds it where none is said.
    pub location: Option<String>,
    /// The table of customers.
    pub customers: CustomerTable,
    /// The table of events, where there is one.
    pub events: Option<EventTable>,
    /// Most bytes that one query may be billed for.
    pub maximum_bytes_billed: u64,
    /// Most bytes that the queries of a month may be billed for together.
    pub monthly_bytes: u64,
    /// Seconds that a query may run.
    pub timeout_seconds: u32,
}

impl BigQuerySource {
    /// Where nothing is said: 10 GiB a query.
    pub const MAXIMUM_BYTES: u64 = 10 << 30;
    /// Where nothing is said: 1 TiB a month.
    pub const MONTHLY_BYTES: u64 = 1 << 40;
    /// Where nothing is said: five minutes.
    pub const TIMEOUT_SECONDS: u32 = 300;
    /// The longest that can be said: an hour.
    pub const MAX_TIMEOUT_SECONDS: u32 = 3_600;

    /// The columns that are needed, table by table: the table's name, the member of the source that names it, and
    /// its columns.
    pub fn tables(&self) -> Vec<(&'static str, &str, Vec<NeededColumn<'_>>)> {
        let mut tables = vec![(
            "customers",
            self.customers.table.as_str(),
            self.customers.needed(),
        )];
        if let Some(events) = &self.events {
            tables.push(("events", events.table.as_str(), events.needed()));
        }
        tables
    }
}

/// A calendar month of UTC, in which bytes are billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BillingMonth(i32);

impl BillingMonth {
    /// The month of an instant.
    pub fn of(at: Instant) -> Self {
        Self(at.year() * 100 + i32::try_from(at.month()).unwrap_or_default())
    }

    /// Its year and number: `202603` is March 2026.
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for BillingMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.0 / 100, self.0 % 100)
    }
}

/// The table of customers: one row each. Members are names of columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerTable {
    /// The table.
    pub table: String,
    /// Their number or other key: unique.
    pub id: String,
    /// The document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Other columns, by the names that conditions use.
    pub columns: BTreeMap<String, TypedColumn>,
}

/// The table of events: one row each. Members are names of columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventTable {
    /// The table.
    pub table: String,
    /// Whose an event is: what the customers have as `id`.
    pub customer_id: String,
    /// Its name.
    pub name: String,
    /// When it happened.
    pub time: String,
    /// Its amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Its properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<PropertiesColumn>,
}

/// A column, and what its values are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypedColumn {
    /// Its name.
    pub column: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub of_type: SourceType,
}

/// The column of properties: one JSON object each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertiesColumn {
    /// Its name.
    pub column: String,
    /// Whether it is a `STRING` that is JSON, and no `JSON`.
    pub text: bool,
}

impl Serialize for PropertiesColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text {
            false => serializer.serialize_str(&self.column),
            true => TypedColumn {
                column: self.column.clone(),
                of_type: SourceType::String,
            }
            .serialize(serializer),
        }
    }
}

text_enum! {
    /// A type of GoogleSQL.
    SourceType {
        /// Texts.
        String = "STRING",
        /// Whole numbers.
        Int64 = "INT64",
        /// Decimals.
        Numeric = "NUMERIC",
        /// Decimals of more digits.
        Bignumeric = "BIGNUMERIC",
        /// Binary fractions, compared by the digits that they are written with.
        Float64 = "FLOAT64",
        /// Truth values.
        Bool = "BOOL",
        /// Days, which begin in the workspace's zone.
        Date = "DATE",
        /// Instants.
        Timestamp = "TIMESTAMP",
        /// JSON; of properties alone.
        Json = "JSON",
    }
}

/// A column that a table has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededColumn<'a> {
    /// For what: the member of the source that names it.
    pub purpose: String,
    /// Its name.
    pub column: &'a str,
    /// The types that it may have.
    pub types: &'static [SourceType],
}

const TEXT: &[SourceType] = &[SourceType::String];
const KEY: &[SourceType] = &[SourceType::Int64, SourceType::String];
const INSTANT: &[SourceType] = &[SourceType::Timestamp];
const NUMBER: &[SourceType] = &[
    SourceType::Numeric,
    SourceType::Int64,
    SourceType::Bignumeric,
    SourceType::Float64,
];
const JSON: &[SourceType] = &[SourceType::Json];

impl SourceType {
    /// It alone.
    fn alone(self) -> &'static [Self] {
        let all = Self::ALL;
        let at = all.iter().position(|of_type| *of_type == self);
        at.and_then(|at| all.get(at..=at)).unwrap_or_default()
    }
}

impl CustomerTable {
    fn needed(&self) -> Vec<NeededColumn<'_>> {
        let own = [
            ("id", Some(&self.id), KEY),
            ("document", self.document.as_ref(), TEXT),
            ("name", self.name.as_ref(), TEXT),
            ("phone", self.phone.as_ref(), TEXT),
            ("email", self.email.as_ref(), TEXT),
        ];
        let mut needed = named(own);
        needed.extend(self.columns.iter().map(|(name, column)| NeededColumn {
            purpose: format!("columns.{name}"),
            column: &column.column,
            types: column.of_type.alone(),
        }));
        needed
    }

    /// The field that a name of `columns` is of.
    pub fn field(name: &str) -> Option<Field> {
        Field::of_customer(name)
    }
}

impl EventTable {
    fn needed(&self) -> Vec<NeededColumn<'_>> {
        let properties = self.properties.as_ref();
        let text = properties.is_some_and(|properties| properties.text);
        let own = [
            ("customer_id", Some(&self.customer_id), KEY),
            ("name", Some(&self.name), TEXT),
            ("time", Some(&self.time), INSTANT),
            ("amount", self.amount.as_ref(), NUMBER),
            (
                "properties",
                properties.map(|properties| &properties.column),
                if text { TEXT } else { JSON },
            ),
        ];
        named(own)
    }
}

fn named<'a, const N: usize>(
    columns: [(&str, Option<&'a String>, &'static [SourceType]); N],
) -> Vec<NeededColumn<'a>> {
    let there = |(purpose, column, types): (&str, Option<_>, _)| {
        let column: &'a String = column?;
        Some((purpose.to_owned(), column, types))
    };
    let columns = columns.into_iter().filter_map(there);
    let needed = columns.map(|(purpose, column, types)| NeededColumn {
        purpose,
        column,
        types,
    });
    needed.collect()
}

impl SegmentSource {
    /// The source as the API writes it, credentials masked. The account of the machine is no secret.
    pub fn to_json(&self) -> Value {
        let SegmentSource::BigQuery(source, credentials) = self else {
            return serde_json::json!({ "kind": "local" });
        };
        let credentials = match credentials {
            GivenCredentials::New(SourceCredentials::Metadata) => "metadata",
            _ => CREDENTIALS_MASK,
        };
        // Texts and numbers always have JSON.
        let mut json = serde_json::to_value(source).unwrap_or_default();
        if let Some(members) = json.as_object_mut() {
            members.insert("kind".to_owned(), "bigquery".into());
            members.insert("credentials".to_owned(), credentials.into());
        }
        json
    }
}

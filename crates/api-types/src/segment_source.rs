//! Where the customers of segments are.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Where the customers of a workspace's segments are. `local` has no other member.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentSourceJson {
    /// `local`: in the own store. `bigquery`: in tables of BigQuery.
    #[schema(example = "bigquery")]
    pub kind: String,
    /// The project that is asked, and billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The data set of the tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Where the data set is; BigQuery finds it where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "southamerica-east1")]
    pub location: Option<String>,
    /// The table of customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers: Option<CustomerTableJson>,
    /// The table of events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventTableJson>,
    /// `metadata`: the account of the machine. `{"service_account": {…}}`: a key file as Google hands it out, which
    /// is answered as `********`. That sent back means the one that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = "********")]
    pub credentials: Option<Value>,
    /// Most bytes that one query may be billed for; 10 GiB where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub maximum_bytes_billed: Option<u64>,
    /// Most bytes that the queries of a calendar month of UTC may be billed for; 1 TiB where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub monthly_bytes: Option<u64>,
    /// Seconds that a query may run, at most 3,600; 300 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3600)]
    pub timeout_seconds: Option<u32>,
}

/// The table of customers, and its columns.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerTableJson {
    /// The table.
    pub table: String,
    /// Their number or other key, unique: `INT64` or `STRING`.
    pub id: String,
    /// The document: `STRING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The name: `STRING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The phone: `STRING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The e-mail: `STRING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Other columns, by the names that conditions use; at most 200.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, SourceColumnJson>,
}

/// A column, and what its values are.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceColumnJson {
    /// Its name.
    pub column: String,
    /// `STRING`, `INT64`, `NUMERIC`, `BIGNUMERIC`, `FLOAT64`, `BOOL`, `DATE` or `TIMESTAMP`.
    #[serde(rename = "type")]
    #[schema(example = "STRING")]
    pub of_type: String,
}

/// The table of events, and its columns.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventTableJson {
    /// The table.
    pub table: String,
    /// Whose an event is: what the customers have as `id`.
    pub customer_id: String,
    /// Its name: `STRING`.
    pub name: String,
    /// When it happened: `TIMESTAMP`.
    pub time: String,
    /// Its amount: `NUMERIC`, `INT64`, `BIGNUMERIC` or `FLOAT64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Its properties: the name of a column of `JSON`, or `{"column", "type": "STRING"}` of texts that are JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = "properties")]
    pub properties: Option<Value>,
}

/// What a source has and lacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceCheckJson {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// What is wrong with the source as a whole.
    pub errors: Vec<SourceErrorJson>,
    /// Table by table; none of `local`.
    pub tables: Vec<CheckedTableJson>,
    /// What queries have cost; not of `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<SourceUsageJson>,
}

/// What queries have cost in the present month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceUsageJson {
    /// The month, of UTC.
    #[schema(example = "2026-03")]
    pub month: String,
    /// Bytes billed, those of queries that run included.
    pub bytes: u64,
    /// Most bytes of it.
    pub monthly_bytes: u64,
}

/// Something that is wrong. No secret is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceErrorJson {
    /// Stable code: `missing_table`, `missing_column`, `wrong_type`, `credentials_invalid`, `access_denied`,
    /// `quota_exceeded`, `rate_limited`, `source_not_found`, `source_unavailable`, `source_timeout`, `not_json` and others.
    pub code: Cow<'static, str>,
    /// One sentence.
    pub detail: String,
}

/// A table of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckedTableJson {
    /// The member of the source that names it: `customers` or `events`.
    pub member: Cow<'static, str>,
    /// Its name.
    pub table: String,
    /// Whether nothing is wrong with it.
    pub ok: bool,
    /// Why its columns could not be looked at.
    pub error: Option<SourceErrorJson>,
    /// Column by column.
    pub columns: Vec<CheckedColumnJson>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckedColumnJson {
    /// The member that names it, such as `document` or `columns.city`.
    pub member: String,
    /// Its name.
    pub column: String,
    /// The types that it may have.
    pub expected: Vec<Cow<'static, str>>,
    /// The type that it has; none where it is missing.
    pub found: Option<String>,
    /// What is wrong with it.
    pub error: Option<SourceErrorJson>,
}

crate::redacted!(
    SegmentSourceJson,
    CustomerTableJson,
    SourceColumnJson,
    EventTableJson
);

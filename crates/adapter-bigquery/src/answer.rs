//! Answers of the API.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use crate::{error::Error, value::Column};

/// A number of 64 bits, which the API writes as text.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        digits.parse().map(Self).map_err(D::Error::custom)
    }
}

/// Of jobs.query and jobs.getQueryResults.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    pub job_reference: Option<JobReference>,
    #[serde(default)]
    pub job_complete: bool,
    pub schema: Option<Schema>,
    #[serde(default)]
    pub rows: Vec<Value>,
    pub page_token: Option<String>,
    pub total_rows: Option<Number>,
    pub total_bytes_processed: Option<Number>,
    pub total_bytes_billed: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobReference {
    /// Missing after a dry run.
    job_id: Option<String>,
    location: Option<String>,
}

/// A job that exists.
#[derive(Clone)]
pub struct Job {
    pub id: String,
    pub location: Option<String>,
}

impl Results {
    pub fn job(&self) -> Result<Job, Error> {
        let reference = self.job_reference.as_ref();
        let id = reference.and_then(|reference| reference.job_id.as_deref());
        let is_id = |id: &&str| {
            id.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        match id.filter(|id| !id.is_empty()).filter(is_id) {
            Some(id) => Ok(Job {
                id: id.to_owned(),
                location: reference.and_then(|reference| reference.location.clone()),
            }),
            None => Err(Error::Malformed("no_job")),
        }
    }
}

#[derive(Deserialize)]
pub struct Schema {
    #[serde(default)]
    pub fields: Vec<Column>,
}

/// Of tables.get.
#[derive(Deserialize)]
pub struct Table {
    pub schema: Option<Schema>,
}

/// Of jobs.get.
#[derive(Deserialize)]
pub struct JobState {
    pub statistics: Statistics,
}

#[derive(Deserialize)]
pub struct Statistics {
    pub query: Option<QueryStatistics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryStatistics {
    pub total_bytes_processed: Option<Number>,
    pub total_bytes_billed: Option<Number>,
}

//! Imports from outside CRMs: clients, runs, and what was imported.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::operations::{FailureJson, ProgressJson};

/// Whose CRM is imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientJson {
    /// `cli_` and a decimal.
    #[schema(example = "cli_104629547441512448")]
    pub id: String,
    /// Its name in URLs, unique over the installation.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether runs take it.
    pub active: bool,
    /// Where its CRM answers.
    pub base_url: String,
    /// Always `********`.
    pub token: Cow<'static, str>,
    /// How fast it is asked; null for the installation's default.
    pub requests_per_minute: Option<u32>,
    /// Whether certificates are verified.
    pub tls_verify: bool,
    /// Cron expression in UTC; null where nothing is imported by itself.
    pub schedule: Option<String>,
    /// When that comes next.
    pub next_run_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
}

/// What makes a client.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// `[a-z0-9-]{1,64}`.
    pub slug: String,
    /// The slug where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// True where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// `https`, unless the installation allows the host.
    pub base_url: String,
    /// Sent as `api-key`.
    pub token: String,
    /// 1 to 60000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<i64>,
    /// True where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_verify: Option<bool>,
    /// Cron expression of five fields in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

/// New values. Absent members stay as they are; null takes the installation's rate, or no schedule.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// `********`, as it is read, leaves the token as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::present"
    )]
    pub requests_per_minute: Option<Option<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_verify: Option<bool>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::present"
    )]
    pub schedule: Option<Option<String>>,
}

/// What to import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartImport {
    /// `cli_…`; or its slug in `client_slug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client's name in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_slug: Option<String>,
    /// `tickets` or `contacts`.
    pub import: String,
}

/// A run of an import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunJson {
    /// `op_` and a decimal.
    #[schema(example = "op_104629547441512448")]
    pub id: String,
    /// `import`.
    pub kind: Cow<'static, str>,
    /// What is imported: `tickets`, with their messages, or `contacts`, with their tags.
    pub import: Cow<'static, str>,
    /// The client.
    pub client_id: String,
    /// Its name in URLs.
    pub client_slug: String,
    /// `queued`, `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    pub state: Cow<'static, str>,
    /// `complete`, or `partial` where rows were left out or the list never held still.
    pub result: Option<Cow<'static, str>>,
    /// Why it waits: `quota`, `disk_full` or `store_unavailable`.
    pub reason: Option<String>,
    /// How far it is.
    pub progress: ProgressJson,
    /// Steps per second since it started, while it runs.
    pub rate: Option<f64>,
    /// When it is likely to end, while it runs.
    pub eta: Option<String>,
    /// Accounts for every row that came.
    pub report: Option<ReportJson>,
    /// Why it failed or was cancelled.
    pub error: Option<FailureJson>,
    /// 1, and one more with every retry.
    pub attempt: i32,
    /// Who asked for it.
    pub created_by: String,
    /// When it was accepted.
    pub created_at: String,
    /// When a worker first took it.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Never: imports are not undone.
    pub undone_at: Option<String>,
    /// Never: imports are not undone.
    pub undo_until: Option<String>,
    /// None: imports are into no audience.
    pub audience_id: Option<String>,
    /// Where it is, and what can be done with it now: `self`, `client`, `cancel`, `retry`.
    pub links: BTreeMap<Cow<'static, str>, String>,
}

/// What a run did, in total and by kind of row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportJson {
    /// Rows of all kinds.
    #[serde(flatten)]
    pub total: CountsJson,
    /// Tickets that the filter took.
    pub tickets: CountsJson,
    /// Sessions of these tickets.
    pub sessions: CountsJson,
    /// Messages.
    pub messages: CountsJson,
    /// Contacts.
    pub contacts: CountsJson,
    /// Tags of contacts.
    pub tags: CountsJson,
    /// Tickets that appeared or changed with an instant before the cursor.
    pub late: u64,
    /// Pages read.
    pub pages: u64,
}

/// Rows by what became of them: `received = created + updated + unchanged + quarantined`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountsJson {
    /// Rows delivered, each time that they were.
    pub received: u64,
    /// Rows that were not there before.
    pub created: u64,
    /// Rows that replaced another version.
    pub updated: u64,
    /// Rows that were there like this already.
    pub unchanged: u64,
    /// Rows that cannot be read; kept as they came.
    pub quarantined: u64,
}

/// An imported ticket.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketJson {
    /// `uuid` of the CRM.
    pub id: String,
    /// As the CRM names it.
    pub status: Option<String>,
    /// Whether it is with a group.
    pub is_group: bool,
    /// With whom, as the ticket shows it.
    pub contact: Option<TicketContactJson>,
    pub created_at: Option<String>,
    pub updated_at: String,
    /// Whether its messages are still to be read.
    pub messages_due: bool,
    /// Members that are not known.
    #[schema(value_type = Object)]
    pub extra: Map<String, Value>,
}

/// The contact of a ticket.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketContactJson {
    pub id: String,
    pub name: Option<String>,
    pub number: Option<String>,
    pub email: Option<String>,
}

/// An imported message.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageJson {
    /// Unique within its ticket.
    pub id: String,
    pub body: Option<String>,
    /// Whether the CRM's side sent it, where it says so.
    pub from_me: Option<bool>,
    pub media_url: Option<String>,
    pub media_type: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    /// Members that are not known.
    #[schema(value_type = Object)]
    pub extra: Map<String, Value>,
}

crate::redacted!(
    NewClient,
    ClientChange,
    TicketJson,
    TicketContactJson,
    MessageJson
);

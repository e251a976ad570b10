//! Long operations.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;

use crate::uploads::WarningJson;

/// A long operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationJson {
    /// `op_` and a decimal.
    #[schema(example = "op_104629547441512448")]
    pub id: String,
    /// `upload`, `create`, `recycle`, `clear`, `duplicate`, `derive`, `import`, `refresh`, `score` or `preview`.
    pub kind: Cow<'static, str>,
    /// `queued`, `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    pub state: Cow<'static, str>,
    /// `complete` or `partial`, once succeeded.
    pub result: Option<Cow<'static, str>>,
    /// Why it waits: `disk_full` (of a store, or of the files; it goes on when there is room),
    /// `store_unavailable` (it goes on when the store is back, or fails after ten minutes) or `quota` (of the
    /// CRM that an import asks).
    pub reason: Option<String>,
    /// How far it is.
    pub progress: ProgressJson,
    /// Rows or contacts per second since it started, while it runs.
    pub rate: Option<f64>,
    /// When it is likely to end, while it runs.
    pub eta: Option<String>,
    /// Accounts for every row or contact; its members depend on the kind.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Value>,
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
    /// When it was undone.
    pub undone_at: Option<String>,
    /// Until when it can be undone.
    pub undo_until: Option<String>,
    /// The audience it works on, or makes.
    pub audience_id: Option<String>,
    /// The audience that a recycling copies into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_audience_id: Option<String>,
    /// The audiences that a `derive` makes, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience_ids: Vec<String>,
    /// Where it is, and what can be done with it now: `self`, `events`, `cancel`, `retry`, `undo`,
    /// `rejected`, `audience`, `client`.
    pub links: BTreeMap<Cow<'static, str>, String>,
}

impl OperationJson {
    /// Whether it has ended, in whatever way.
    pub fn has_ended(&self) -> bool {
        matches!(self.state.as_ref(), "succeeded" | "failed" | "cancelled")
    }

    /// Its report, of the form that its kind has; `None` where it has none yet, or one of another form.
    pub fn report_as<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.report.as_ref()?).ok()
    }
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgressJson {
    /// Rows or contacts done.
    pub done: i64,
    /// Of so many; null while that is not known.
    pub total: Option<i64>,
}

/// Why an operation failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailureJson {
    /// Stable code in snake_case.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
}

/// Report of `upload` and `create`, which accounts for every row:
/// `received = created + updated + unchanged + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadReportJson {
    /// Rows read.
    pub received: i64,
    /// Rows that made a contact visible.
    pub created: i64,
    /// Rows that replaced a visible contact, earlier rows of the same document in this file included.
    pub updated: i64,
    /// Rows that changed nothing, because a later write or removal was there already.
    pub unchanged: i64,
    /// Of the unchanged rows, those whose contact a removal had removed that was accepted later.
    pub superseded: i64,
    /// Rows refused; each is in the rejected file with its reason.
    pub rejected: i64,
    /// People written who have opted out: they are members until the next recycle.
    pub opted_out: i64,
    /// What looks wrong and was read all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningJson>,
}

/// Report of `recycle`, `clear`, `duplicate` and `derive`, which accounts for every contact looked at:
/// `total = removed + kept`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovalReportJson {
    /// Contacts that were visible.
    pub total: i64,
    /// Contacts removed, or not copied to the new audience.
    pub removed: i64,
    /// Contacts that stay, or were copied.
    pub kept: i64,
    /// `removed` by the reason that counts.
    pub by_reason: BTreeMap<Cow<'static, str>, i64>,
    /// Rows of the file of documents that have no readable one, where there was a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<i64>,
    /// What looks wrong in that file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningJson>,
    /// At an undo: people who stay out because they opted out or were erased since.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub withheld: i64,
}

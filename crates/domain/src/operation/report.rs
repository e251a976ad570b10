//! Reports that balance: every row or contact is counted exactly once.

use std::collections::BTreeMap;

use crate::{importing::ImportReport, recycle::Reason};

/// What an operation did, by kind.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Report {
    /// Of rows from a file.
    Upload(UploadReport),
    /// Of contacts removed.
    Removal(RemovalReport),
    /// Of rows from an outside CRM.
    Import(ImportReport),
    /// Of members resolved.
    Refresh(RefreshReport),
    /// Of people who would be members.
    Preview(PreviewReport),
}

/// Who would be a member of a segment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewReport {
    /// How many.
    pub count: i64,
    /// Whether everybody was looked at.
    pub exact: bool,
    /// Some of them: number, where somebody is registered, and document, masked.
    pub sample: Vec<(Option<i64>, Option<String>)>,
    /// How many fulfil each condition by itself: group, condition, and number.
    pub by_condition: Vec<(usize, usize, i64)>,
    /// Milliseconds that it took.
    pub took_ms: u64,
    /// Bytes that a source outside bills for it.
    pub bytes: u64,
}

/// What a refresh found: `size` is what it was before, plus `entered`, minus `left`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshReport {
    /// Members now.
    pub size: i64,
    /// Those who were none before.
    pub entered: i64,
    /// Those who are none any more.
    pub left: i64,
    /// Those who stay, with other values.
    pub changed: i64,
    /// Members who said no wherever they said anything.
    pub unsubscribed: i64,
    /// People without a key that can be read; they are no members.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: i64,
    /// Bytes that a source outside bills for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: i64,
}

/// Accounts for every row of a file: `received = created + updated + unchanged + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UploadReport {
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
    #[serde(default)]
    pub opted_out: i64,
    /// What looks wrong and was read all the same.
    #[serde(default, skip_serializing_if = "FileWarnings::is_empty")]
    pub warnings: FileWarnings,
}

/// Something in a file that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileWarning {
    /// Line or sheet row, 1-based.
    pub line: u64,
    /// Stable code in snake_case.
    pub code: String,
}

/// The first warnings of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct FileWarnings(Vec<FileWarning>);

impl FileWarnings {
    /// Most warnings that are kept.
    pub const MOST: usize = 100;

    /// Adds a warning, while there is room.
    pub fn add(&mut self, line: u64, code: &str) {
        if self.0.len() < Self::MOST {
            let code = code.to_owned();
            self.0.push(FileWarning { line, code });
        }
    }

    /// Whether nothing looks wrong.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The warnings, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &FileWarning> {
        self.0.iter()
    }
}

impl UploadReport {
    /// Whether every row read so far is accounted for.
    pub const fn balances(&self) -> bool {
        self.received == self.created + self.updated + self.unchanged + self.rejected
    }
}

/// Contacts by the reason that counts for each.
pub type ReasonCounts = BTreeMap<Reason, i64>;

/// Accounts for every contact looked at: `total = removed + kept`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RemovalReport {
    /// Contacts that were visible.
    pub total: i64,
    /// Contacts removed, or not copied to the new audience.
    pub removed: i64,
    /// Contacts that stay, or were copied.
    pub kept: i64,
    /// `removed` by first reason.
    pub by_reason: ReasonCounts,
    /// Rows of the file of documents that have no readable one, where there was a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<i64>,
    /// What looks wrong in that file.
    #[serde(default, skip_serializing_if = "FileWarnings::is_empty")]
    pub warnings: FileWarnings,
    /// At an undo: people who stay out because they opted out or were erased since.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withheld: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_zero(n: &i64) -> bool {
    *n == 0
}

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

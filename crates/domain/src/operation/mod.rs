//! Long operations: one state machine for imports, recycling, copies, clears and purges.

use crate::shared::{AudienceId, Instant, OperationId, UserId, WorkspaceId, text_enum};

mod patience;
mod report;
mod stall;
mod state;

pub use patience::{Failures, Rest};
pub use report::{
    FileWarning, FileWarnings, PreviewReport, ReasonCounts, RefreshReport, RemovalReport, Report,
    UploadReport,
};
pub use stall::{Stall, Stalls};
pub use state::{Failure, OperationResult, OperationState, TransitionError};

text_enum!(
    /// What an operation does.
    OperationKind {
        /// Contacts of an uploaded file go into an existing audience.
        Upload = "upload",
        /// A new audience is made from an uploaded file.
        Create = "create",
        /// Contacts are removed by rules, in place or into a new audience.
        Recycle = "recycle",
        /// An audience was emptied.
        Clear = "clear",
        /// An audience is copied.
        Duplicate = "duplicate",
        /// Audiences are made of others: of sets of their members, a sample, or parts of one.
        Derive = "derive",
        /// Contents that nobody can bring back any more are deleted.
        Purge = "purge",
        /// Tickets and messages, or contacts, come in from an outside CRM.
        Import = "import",
        /// The members of a segment are resolved.
        Refresh = "refresh",
        /// Buyers get scores.
        Score = "score",
        /// The members that conditions would have are counted.
        Preview = "preview",
        /// The people of an uploaded file are suppressed.
        Suppress = "suppress",
    }
);

impl OperationKind {
    /// Whether at most one of these may work on an audience at a time.
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Recycle | Self::Clear | Self::Refresh)
    }

    /// Whether somebody asked for it. Housekeeping shows to nobody and is stopped by nobody.
    pub const fn is_asked_for(self) -> bool {
        !matches!(self, Self::Purge)
    }
}

/// Why an operation waits that would change more than expected: until somebody confirms it.
pub const SIZE_GUARD: &str = "size_guard";

/// How far an operation is. `total` is absent while it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Units done (rows, contacts).
    pub done: i64,
    /// Units in all.
    pub total: Option<i64>,
}

/// One long piece of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Identifier.
    pub id: OperationId,
    /// Owner.
    pub workspace: WorkspaceId,
    /// The audience it works on, or makes.
    pub audience: Option<AudienceId>,
    /// What it does.
    pub kind: OperationKind,
    /// Where it stands.
    pub state: OperationState,
    /// Why it waits, in `waiting`.
    pub reason: Option<String>,
    /// How it ended, in `succeeded`.
    pub result: Option<OperationResult>,
    /// How far it is.
    pub progress: Progress,
    /// What it did, row by row accounted for. Present from the first checkpoint on.
    pub report: Option<Report>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// 1 for the first run; grows with each `retry`.
    pub attempt: i32,
    /// What was asked for, in the form of its kind's application module.
    pub params: serde_json::Value,
    /// From where a worker goes on, in the form of its kind's application module.
    pub checkpoint: serde_json::Value,
    /// Whether someone asked it to stop.
    pub cancel_requested: bool,
    /// Who asked for it.
    pub created_by: UserId,
    /// When it was accepted.
    pub created_at: Instant,
    /// When a worker first took it.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// When it was undone, if it was.
    pub undone_at: Option<Instant>,
    /// Until when it can be undone, if it can.
    pub undo_until: Option<Instant>,
}

impl Operation {
    /// Whether it goes on only once somebody confirms it; no worker has it.
    pub fn awaits_confirmation(&self) -> bool {
        self.state == OperationState::Waiting && self.reason.as_deref() == Some(SIZE_GUARD)
    }
}

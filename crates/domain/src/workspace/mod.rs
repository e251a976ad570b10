//! What holds for all that is in a workspace.

pub use chrono_tz::Tz as TimeZone;

use crate::{segment::Notation, shared::AudienceId};

/// What a workspace has decided; the default where nothing was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkspaceSettings {
    /// How its people write numbers and dates, and where their days are.
    pub notation: Notation,
    /// The audience that lists leave out where they are asked to.
    pub excluded_audience: Option<AudienceId>,
    /// Whether events are published of who enters and leaves segments.
    pub member_events: bool,
    /// The `ETag`: grows by one with each change; 0 before the first.
    pub version: i64,
}

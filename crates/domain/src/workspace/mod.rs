//! What holds for all that is in a workspace.

mod holidays;
mod sending;

pub use chrono_tz::Tz as TimeZone;

pub use sending::{FrequencyCap, MAX_WINDOWS, QuietDay, QuietWindow, SendingRules};

use crate::{
    customer::ConsentStatus,
    segment::Notation,
    shared::{AudienceId, text_enum},
};

text_enum!(
    /// Who may be sent marketing.
    #[derive(Default)]
    ConsentRule {
        /// Whoever has not said no on the channel.
        #[default]
        OptOut = "opt_out",
        /// Whoever has said yes on the channel.
        OptIn = "opt_in",
    }
);

impl ConsentRule {
    /// Whether somebody may be sent marketing, given what they said.
    pub fn allows(self, said: Option<ConsentStatus>) -> bool {
        match self {
            Self::OptOut => said != Some(ConsentStatus::Denied),
            Self::OptIn => said == Some(ConsentStatus::Granted),
        }
    }
}

/// What a workspace has decided; the default where nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceSettings {
    /// How its people write numbers and dates, and where their days are.
    pub notation: Notation,
    /// The audience that lists leave out where they are asked to.
    pub excluded_audience: Option<AudienceId>,
    /// Whether events are published of who enters and leaves segments.
    pub member_events: bool,
    /// Who may be sent marketing.
    pub consent: ConsentRule,
    /// When and how often people may be written to.
    pub sending: SendingRules,
    /// The `ETag`: grows by one with each change; 0 before the first.
    pub version: i64,
}

//! Settings of workspaces.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::is_default;

/// New settings. PATCH leaves absent members as they are, PUT makes them what they are by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceChange {
    /// A name of the IANA time zone database; `America/Sao_Paulo` by default. It changes only while the
    /// workspace has no customers.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schema(example = "America/Sao_Paulo")]
    pub timezone: Option<String>,
    /// How people write numbers and dates: `pt-BR`, the only one yet. As `timezone`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schema(example = "pt-BR")]
    pub locale: Option<String>,
    /// An audience of the workspace, or null: what lists leave out where they are asked to.
    #[serde(
        default,
        deserialize_with = "crate::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub excluded_audience_id: Option<Option<String>>,
    /// Whether `audience.members_changed` events are published of who enters and leaves segments; false by default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub members_changed_events: Option<bool>,
    /// Hours in which communications are held, up to 50 windows; none by default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet_hours: Option<Vec<QuietHoursJson>>,
    /// The most that one person is sent, or null: as much as there is.
    #[serde(
        default,
        deserialize_with = "crate::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<FrequencyCapJson>)]
    pub frequency_cap: Option<Option<FrequencyCapJson>>,
    /// Who may be sent marketing: `opt_out`, the default, whoever has not said no on the channel; `opt_in` whoever has
    /// said yes.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schema(example = "opt_out")]
    pub consent: Option<String>,
    /// Which installation it is of. The configuration says it: any other value is 422 `other_environment`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schema(example = "default")]
    pub environment_id: Option<String>,
}

/// The settings of a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceJson {
    /// Which installation it is of.
    #[schema(example = "default")]
    pub environment_id: String,
    /// A name of the IANA time zone database: where days begin, and what times without a zone are in.
    #[schema(example = "America/Sao_Paulo")]
    pub timezone: Cow<'static, str>,
    /// How people write numbers and dates.
    #[schema(example = "pt-BR")]
    pub locale: Cow<'static, str>,
    /// What lists leave out where they are asked to.
    pub excluded_audience_id: Option<String>,
    /// Whether `audience.members_changed` events are published of who enters and leaves segments.
    pub members_changed_events: bool,
    /// Who may be sent marketing: `opt_out` or `opt_in`.
    #[schema(example = "opt_out")]
    pub consent: Cow<'static, str>,
    /// Hours in which communications are held.
    pub quiet_hours: Vec<QuietHoursJson>,
    /// The most that one person is sent.
    pub frequency_cap: Option<FrequencyCapJson>,
}

/// Hours of the day, on the clock of the recipient, in which nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHoursJson {
    /// `email`, `sms`, `whatsapp`, `push` or `voice`; every one where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// When they begin.
    #[schema(example = "21:00")]
    pub from: String,
    /// When they end: on the next day where that is not later than `from`.
    #[schema(example = "08:00")]
    pub to: String,
    /// Days on which they begin: `mon` to `sun`, and `holiday`, a national holiday of Brazil; every day where there
    /// are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
}

/// The most that one person is sent; what is transactional is neither counted nor held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCapJson {
    /// Dispatches on all channels, 1 to 1,000.
    pub count: u32,
    /// Within so many days of 24 hours, 1 to 90.
    pub days: u32,
}

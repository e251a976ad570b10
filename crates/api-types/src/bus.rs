//! Deliveries that were given up.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::is_default;

/// A delivery that was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterJson {
    /// Who should have handled it.
    #[schema(example = "audience.notifications")]
    pub subscription: String,
    /// The event, unique in the subscription.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// What it is about.
    pub aggregate: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was given up.
    pub reason: String,
    /// When it was given up.
    pub buried_at: String,
}

/// Which to send again: all, those of a subscription, or one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedriveBody {
    /// All of the workspace; then nothing else may be said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub all: bool,
    /// Those of this subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The one with this event id, of that subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

/// How many were sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Redriven {
    /// Deliveries.
    pub redriven: u64,
}

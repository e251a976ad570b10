//! What uses audiences.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::is_default;

/// Something that uses an audience.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUsage {
    /// What it is: 1 to 64 of `a-z`, `0-9`, `_` and `-`, but not `audience`.
    #[schema(example = "campaign")]
    pub kind: String,
    /// Which one of its kind: 1 to 128 characters without spaces.
    #[schema(example = "cmp_81")]
    pub id: String,
    /// Its name: 1 to 255 characters.
    #[schema(example = "Natal 2026")]
    pub name: String,
    /// Whether the audience was made to be its resource.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resource: bool,
}

/// Something that uses an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageJson {
    /// What it is; `audience` is an audience whose conditions name this one.
    #[schema(example = "campaign")]
    pub kind: String,
    /// Which one of its kind.
    #[schema(example = "cmp_81")]
    pub id: String,
    /// Its name.
    #[schema(example = "Natal 2026")]
    pub name: String,
    /// Whether the audience was made to be its resource.
    pub resource: bool,
}

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One error about one place of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON Pointer to the member, or `/name` of a query parameter.
    #[schema(example = "/name")]
    pub pointer: String,
    /// Stable code in snake_case.
    #[schema(value_type = String, example = "too_long")]
    pub code: Cow<'static, str>,
    /// One sentence for a person.
    pub detail: String,
}

/// A problem as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "about:blank")]
    pub kind: Cow<'static, str>,
    /// What the status means.
    #[schema(example = "Not Found")]
    pub title: String,
    /// HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// Path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Stable code in snake_case.
    #[schema(value_type = String, example = "not_found")]
    pub code: Cow<'static, str>,
    /// The places of the request that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Finds the request in the logs.
    pub trace_id: String,
    /// Members of this code only.
    #[serde(flatten)]
    #[schema(ignore)]
    pub extra: Map<String, Value>,
}

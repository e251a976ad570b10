//! Bodies of face L: bare, or wrapped in `payload`.

use actix_web::http::StatusCode;
use domain::shared::{AudienceId, Violation};
use http_kit::Problem;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

// One struct for both forms, so that a large body is parsed once.
/// What any command on lists may carry, bare or in `payload`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ListCommand)]
pub struct Command {
    /// The audience, a decimal string.
    #[schema(value_type = Option<String>, example = "104629547441512448")]
    pub snowflake_id: Option<Value>,
    /// Name of a new audience.
    #[schema(value_type = Option<String>)]
    pub name: Option<Value>,
    /// Contacts.
    #[schema(value_type = Option<Vec<Object>>)]
    pub data: Option<Vec<Value>>,
    /// Write nothing unless every contact is valid.
    #[serde(default)]
    pub strict: bool,
    /// Reject contacts whose check digits are wrong.
    #[serde(default)]
    pub require_valid_document: bool,
    /// All of the above, wrapped.
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<Command>>,
}

impl Command {
    /// The command itself, and the pointer to it.
    pub fn open(self) -> (Self, &'static str) {
        match self.payload {
            Some(command) => (*command, "/payload"),
            None => (self, ""),
        }
    }
}

/// One broken rule, as this face answers it.
pub fn broken(pointer: impl Into<String>, code: &'static str, detail: &str) -> Problem {
    let violation = Violation::new(pointer, code, detail);
    Problem::invalid(StatusCode::BAD_REQUEST, vec![violation])
}

/// An audience id: a decimal in a string. JSON numbers lose digits on the way and are refused.
pub fn audience_id(value: Option<&Value>, base: &str) -> Result<AudienceId, Problem> {
    let pointer = || format!("{base}/snowflake_id");
    match value {
        None | Some(Value::Null) => Err(broken(pointer(), "required", "snowflake_id is missing")),
        Some(Value::String(text)) => decimal_id(text)
            .ok_or_else(|| broken(pointer(), "invalid_id", "snowflake_id must be a decimal id")),
        Some(_) => Err(broken(
            pointer(),
            "invalid_type",
            "snowflake_id must be a string of digits",
        )),
    }
}

/// The bare decimal form only.
pub fn decimal_id(text: &str) -> Option<AudienceId> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

//! What this face reads of bodies.

use domain::{
    audience::{AudienceType, Definition, GroupType, Tags},
    shared::{AudienceId, AudienceName, one_of},
};
use http_kit::Problem;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::refused;
use crate::AppError;

/// What is to be done.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type")]
#[schema(as = GatewayCommand)]
pub enum Command {
    /// A new audience.
    #[serde(rename = "AUDIENCE_CREATED")]
    Created(New),
    /// Another name, other tags.
    #[serde(rename = "AUDIENCE_NAME_TAG_UPDATE")]
    Described(Change),
    /// Members that are named replace.
    #[serde(rename = "AUDIENCE_UPDATED")]
    Updated(Change),
    /// A draft with the same conditions, or a copy of the contacts.
    #[serde(rename = "AUDIENCE_DUPLICATED")]
    Duplicated(Copy),
}

/// A new audience.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayNewAudience)]
pub struct New {
    pub name: String,
    pub tags: Vec<String>,
    #[serde(flatten)]
    pub conditions: Conditions,
    pub status: Option<String>,
}

/// New values. Absent ones stay as they are.
#[derive(Deserialize, ToSchema)]
#[schema(as = GatewayChange)]
pub struct Change {
    pub id: String,
    pub name: Option<String>,
    pub tags: Option<Vec<String>>,
    #[serde(flatten)]
    pub conditions: Conditions,
    pub status: Option<String>,
}

/// A copy.
#[derive(Deserialize, ToSchema)]
#[schema(as = GatewayCopy)]
pub struct Copy {
    pub id: String,
    pub name: Option<String>,
    pub tags: Option<Vec<String>>,
}

/// Conditions, as far as they are named.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayConditions)]
pub struct Conditions {
    #[schema(value_type = Option<Vec<Object>>)]
    groups: Option<Vec<Value>>,
    #[schema(value_type = Option<String>)]
    group_type: Option<Value>,
    #[schema(value_type = Option<Object>)]
    audience_type: Option<Value>,
}

impl Conditions {
    /// Whether any of them is named.
    pub fn are_named(&self) -> bool {
        self.groups.is_some() || self.group_type.is_some() || self.audience_type.is_some()
    }

    /// The conditions with what is named in place of what was.
    pub fn over(self, before: &Definition) -> Result<Definition, Problem> {
        let invalid = |violation| refused(AppError::Invalid(vec![violation]));
        let group_type = self.group_type.map(|value| {
            let text = value.as_str().unwrap_or_default();
            one_of("/groupType", text, GroupType::ALL)
        });
        let audience_type = self
            .audience_type
            .map(|value| AudienceType::parse(&value, "/audienceType"));
        Ok(Definition {
            groups: self.groups.unwrap_or_else(|| before.groups.clone()),
            group_type: group_type
                .transpose()
                .map_err(invalid)?
                .or(before.group_type),
            audience_type: match audience_type.transpose().map_err(invalid)? {
                Some(audience_type) => audience_type,
                None => before.audience_type.clone(),
            },
        })
    }
}

/// An id; what is none names nothing.
pub fn id(text: &str) -> Result<AudienceId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// A name.
pub fn name(text: &str) -> Result<AudienceName, Problem> {
    AudienceName::parse(text).map_err(|error| refused(AppError::name("/name", error)))
}

/// Labels.
pub fn tags(labels: &[String]) -> Result<Tags, Problem> {
    Tags::parse(labels).map_err(|error| {
        refused(AppError::invalid(
            "/tags",
            "invalid_tags",
            error.to_string(),
        ))
    })
}

//! Audiences as this face writes them.

use chrono::SecondsFormat;
use domain::{
    audience::{Audience, AudienceType},
    shared::Instant,
};
use http_kit::Problem;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::broken;

/// An audience.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayAudience)]
pub struct Record {
    /// `aud_` and a decimal.
    #[schema(example = "aud_104629547441512448")]
    pub id: String,
    name: String,
    tags: Vec<String>,
    /// `draft`, `in_progress`, `active` or `failed`.
    pub status: &'static str,
    /// Groups of conditions; none where it is a list of contacts.
    #[schema(value_type = Vec<Object>)]
    groups: Vec<Value>,
    workspace_id: String,
    #[schema(value_type = Object)]
    audience_type: Value,
    /// Members.
    total_customers: i64,
    /// Those of them who said no wherever they said anything.
    unsubscribed_customers: i64,
    /// The schedule, where its type is `scheduled` and it is active.
    schedule_id: Option<String>,
    /// How groups are joined.
    group_type: Option<&'static str>,
    /// The other members.
    active_customers: i64,
    updated_at: String,
    /// Whether something outside has registered as its resource.
    is_resource_created: bool,
    created_at: String,
    deleted_at: Option<String>,
}

/// Members of a record of a list, where nothing else is asked for.
const LISTED: [&str; 14] = [
    "id",
    "name",
    "tags",
    "status",
    "groups",
    "workspaceId",
    "audienceType",
    "totalCustomers",
    "unsubscribedCustomers",
    "scheduleId",
    "groupType",
    "activeCustomers",
    "updatedAt",
    "isResourceCreated",
];
/// Those that have to be asked for.
const OTHERS: [&str; 2] = ["createdAt", "deletedAt"];

/// An instant with milliseconds.
pub fn time(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What names the schedule of an audience that is refreshed at times of its own.
fn schedule_id(audience: &Audience) -> Option<String> {
    let has_times = matches!(
        audience.definition.audience_type,
        AudienceType::Scheduled { .. }
    );
    let scheduled = has_times && audience.refreshes_by_itself();
    scheduled.then(|| format!("sch_{}", audience.id.raw()))
}

impl From<&Audience> for Record {
    fn from(audience: &Audience) -> Self {
        let definition = &audience.definition;
        Self {
            id: audience.id.to_string(),
            name: audience.name.as_str().to_owned(),
            tags: audience.tags.as_slice().to_vec(),
            status: audience.status.as_str(),
            groups: definition.groups.clone(),
            workspace_id: audience.workspace.to_string(),
            // An enum of texts and numbers always has JSON.
            audience_type: serde_json::to_value(&definition.audience_type).unwrap_or(Value::Null),
            total_customers: audience.contacts,
            unsubscribed_customers: audience.unsubscribed,
            schedule_id: schedule_id(audience),
            group_type: definition.group_type.map(|group_type| group_type.as_str()),
            active_customers: (audience.contacts - audience.unsubscribed).max(0),
            updated_at: time(audience.updated_at),
            is_resource_created: audience.resource,
            created_at: time(audience.created_at),
            deleted_at: audience.deleted_at.map(time),
        }
    }
}

/// The members that a list shows.
pub struct Selection(Vec<&'static str>);

impl Selection {
    /// The members that are named, between commas; the fourteen where none is.
    pub fn parse(named: Option<&str>) -> Result<Self, Problem> {
        let Some(named) = named.filter(|named| !named.trim().is_empty()) else {
            return Ok(Self(LISTED.to_vec()));
        };
        let mut fields = vec!["id"];
        for name in named.split(',').map(str::trim) {
            let mut known = LISTED.iter().chain(&OTHERS);
            let field = known.find(|field| **field == name);
            fields.push(field.ok_or_else(|| broken("selectFields names an unknown field"))?);
        }
        Ok(Self(fields))
    }

    /// These members of an audience.
    pub fn of(&self, audience: &Audience) -> Map<String, Value> {
        // Texts and numbers always have JSON.
        let record = serde_json::to_value(Record::from(audience)).unwrap_or_default();
        let Value::Object(mut members) = record else {
            return Map::new();
        };
        members.retain(|name, _| self.0.contains(&name.as_str()));
        members
    }
}

/// Why nothing was done.
#[derive(ToSchema)]
#[schema(as = AudienceError)]
#[expect(dead_code, reason = "described, and written elsewhere")]
pub struct Refusal {
    #[schema(example = "Invalid request")]
    message: String,
    /// Which rules are broken, where fields can be named.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Vec<Value>>,
    /// What uses the audience, each with `kind`, `id` and `name`, where that is why.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(rename = "usedBy")]
    used_by: Option<Vec<Value>>,
}

/// A part of the audiences.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayAudiences)]
pub struct Records {
    /// They.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Map<String, Value>>,
    /// How many there are in all.
    pub total_count: i64,
}

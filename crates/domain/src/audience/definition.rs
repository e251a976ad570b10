//! What says who belongs to an audience, and when that is looked at.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    scheduling::Cron,
    shared::{AudienceId, Violation, text_enum},
};

/// Least minutes between two refreshes of an audience that follows data elsewhere.
const MIN_REFRESH: u32 = 5;

text_enum!(
    /// How groups of conditions are joined.
    GroupType {
        /// All must hold.
        And = "and",
        /// One must hold.
        Or = "or",
    }
);

/// Conditions as their owner wrote them, and when they are looked at. An audience without conditions is a
/// list of contacts.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Groups of conditions: an array.
    pub groups: Vec<Value>,
    /// How they are joined, where that is said.
    pub group_type: Option<GroupType>,
    /// When they are looked at.
    pub audience_type: AudienceType,
}

/// When conditions are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AudienceType {
    /// When the audience becomes active, and when it is asked for.
    Static {},
    /// Also at times.
    Scheduled {
        /// A cron expression of five fields.
        cron: String,
        /// Where its times are.
        timezone: Tz,
    },
    /// Whenever something changes.
    Live {
        /// Minutes between two looks at data that do not tell of their changes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh_minutes: Option<u32>,
    },
}

impl Default for AudienceType {
    fn default() -> Self {
        Self::Static {}
    }
}

impl std::fmt::Debug for Definition {
    /// Conditions compare with personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Definition")
            .field("groups", &self.groups.len())
            .field("audience_type", &self.audience_type)
            .finish_non_exhaustive()
    }
}

impl Definition {
    /// Whether it has conditions.
    pub fn is_segment(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Whether a condition asks for scores.
    pub fn asks_for_scores(&self) -> bool {
        self.of_kind("rfm").next().is_some()
    }

    /// The audiences that conditions name, each with a pointer to the first place where.
    pub fn references(&self) -> BTreeMap<AudienceId, String> {
        let mut named = BTreeMap::new();
        for ((group, index), condition) in self.of_kind("audience") {
            let id = condition.get("value").and_then(Value::as_str);
            if let Some(id) = id.and_then(|text| text.parse().ok()) {
                let at = || format!("/groups/{group}/conditions/{index}/value");
                named.entry(id).or_insert_with(at);
            }
        }
        named
    }

    /// The conditions of a kind, each with its place: group and condition.
    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = ((usize, usize), &Value)> {
        let groups = self.groups.iter().enumerate();
        let conditions = groups.flat_map(|(at, group)| {
            let conditions = group.get("conditions").and_then(Value::as_array);
            let conditions = conditions.into_iter().flatten().enumerate();
            conditions.map(move |(index, condition)| ((at, index), condition))
        });
        let is =
            move |condition: &Value| condition.get("kind").and_then(Value::as_str) == Some(kind);
        conditions.filter(move |(_, condition)| is(condition))
    }

    /// The conditions as one value, as their grammar has it.
    pub fn conditions(&self) -> Value {
        let mut value = serde_json::json!({ "groups": self.groups });
        if let (Some(group_type), Value::Object(members)) = (self.group_type, &mut value) {
            members.insert("groupType".to_owned(), group_type.as_str().into());
        }
        value
    }
}

impl AudienceType {
    /// Its name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Static {} => "static",
            Self::Scheduled { .. } => "scheduled",
            Self::Live { .. } => "live",
        }
    }

    /// Reads `{"type": …}` with what belongs to the type.
    ///
    /// # Errors
    /// The first rule that it breaks, with a pointer that begins with `at`.
    pub fn parse(value: &Value, at: &str) -> Result<Self, Violation> {
        let wrong = |name: &str, detail: &str| {
            Violation::new(format!("{at}{name}"), "invalid_value", detail)
        };
        let Some(members) = value.as_object() else {
            return Err(wrong("", "must be an object with a type"));
        };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let known: &[&str] = match text("type") {
            Some("static") => &["type"],
            Some("scheduled") => &["type", "cron", "timezone"],
            Some("live") => &["type", "refresh_minutes"],
            _ => {
                let at = format!("{at}/type");
                return Err(Violation::not_one_of(at, ["static", "scheduled", "live"]));
            }
        };
        if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
            let detail = format!("may only have the members {}", known.join(", "));
            return Err(Violation::new(
                format!("{at}/{unknown}"),
                "unknown_member",
                detail,
            ));
        }
        match text("type") {
            Some("scheduled") => {
                let zone = match members.get("timezone").filter(|zone| !zone.is_null()) {
                    None => Ok(Tz::America__Sao_Paulo),
                    Some(zone) => zone.as_str().unwrap_or_default().parse(),
                };
                let timezone = zone.map_err(|_| wrong("/timezone", "must be an IANA time zone"))?;
                let cron = Cron::parse(text("cron").unwrap_or_default(), timezone)
                    .map_err(|e| Violation::new(format!("{at}/cron"), e.code(), e.to_string()))?;
                let cron = cron.as_str().to_owned();
                Ok(Self::Scheduled { cron, timezone })
            }
            Some("live") => {
                let minutes = members.get("refresh_minutes");
                let refresh_minutes = minutes.filter(|value| !value.is_null()).map(|minutes| {
                    let minutes = minutes.as_u64().and_then(|n| u32::try_from(n).ok());
                    let minutes = minutes.filter(|n| (MIN_REFRESH..=1_440).contains(n));
                    minutes.ok_or_else(|| wrong("/refresh_minutes", "must be 5 to 1440"))
                });
                let refresh_minutes = refresh_minutes.transpose()?;
                Ok(Self::Live { refresh_minutes })
            }
            _ => Ok(Self::Static {}),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_read_with_what_belongs_to_them() {
        let read = |value: Value| AudienceType::parse(&value, "/audienceType");
        assert_eq!(read(json!({"type": "static"})), Ok(AudienceType::Static {}));
        let scheduled =
            json!({"type": "scheduled", "cron": "0  6 * * *", "timezone": "America/Sao_Paulo"});
        let kept = serde_json::to_value(read(scheduled).unwrap()).unwrap();
        assert_eq!(
            kept,
            json!({"type": "scheduled", "cron": "0 6 * * *", "timezone": "America/Sao_Paulo"})
        );
        assert_eq!(
            read(json!({"type": "live"})),
            Ok(AudienceType::Live {
                refresh_minutes: None
            })
        );
        for (wrong, at) in [
            (json!("static"), "/audienceType"),
            (json!({}), "/audienceType/type"),
            (
                json!({"type": "static", "cron": "0 6 * * *"}),
                "/audienceType/cron",
            ),
            (json!({"type": "scheduled"}), "/audienceType/cron"),
            (
                json!({"type": "scheduled", "cron": "0 0 30 2 *"}),
                "/audienceType/cron",
            ),
            (
                json!({"type": "scheduled", "cron": "0 6 * * *", "timezone": "x"}),
                "/audienceType/timezone",
            ),
            (
                json!({"type": "scheduled", "cron": "0 6 * * *", "timezone": 3}),
                "/audienceType/timezone",
            ),
            (
                json!({"type": "live", "refresh_minutes": 4}),
                "/audienceType/refresh_minutes",
            ),
        ] {
            assert_eq!(read(wrong.clone()).unwrap_err().pointer, at, "{wrong}");
        }
    }

    #[test]
    fn conditions_are_one_value() {
        let definition = Definition {
            groups: vec![json!({"conditions": [{"kind": "rfm"}]})],
            group_type: Some(GroupType::And),
            ..Definition::default()
        };
        assert!(definition.is_segment() && definition.asks_for_scores());
        assert_eq!(definition.conditions()["groupType"], "and");
        assert!(!Definition::default().is_segment());
    }

    #[test]
    fn audiences_that_conditions_name_are_found_once() {
        let member = |value: Value| json!({"kind": "audience", "value": value});
        let first = json!({"conditions": [member(json!("aud_7")), {"kind": "rfm"}]});
        let second = json!({"conditions": [
            member(json!("8")), member(json!("7")), member(json!("x")), member(json!(9)), {"kind": "audience"},
        ]});
        let definition = Definition {
            groups: vec![first, json!({}), second],
            ..Definition::default()
        };
        let found = definition.references();
        let found: Vec<(i64, &str)> = found
            .iter()
            .map(|(id, at)| (id.raw(), at.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (7, "/groups/0/conditions/0/value"),
                (8, "/groups/2/conditions/0/value"),
            ]
        );
    }
}

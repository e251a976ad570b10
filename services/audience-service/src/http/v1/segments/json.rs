//! Segments as V1 writes them.

use api_types::segments::{
    ConditionCount, ExplainJson, ExplainedCondition, ExplainedGroup, PersonJson, PreviewJson,
    SegmentBody, SegmentJson,
};
use domain::{
    audience::{Audience, AudienceType, Definition, GroupType},
    operation::PreviewReport,
    segment::ConditionExplanation,
    shared::{OperationId, one_of},
};
use http_kit::{Problem, timestamp};
use serde_json::Value;

use crate::{AppError, segment::Explained};

/// Longest conditions in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Conditions of a request. `at` is where its members are.
///
/// # Errors
/// 422 with every rule that they break, but for those of the grammar.
pub(super) fn definition(body: SegmentBody, at: &str) -> Result<Definition, Problem> {
    let group_type = body.group_type.as_deref();
    let group_type =
        group_type.map(|text| one_of(&format!("{at}/groupType"), text, GroupType::ALL));
    let audience_type = body.audience_type.as_ref();
    let audience_type =
        audience_type.map(|value| AudienceType::parse(value, &format!("{at}/audience_type")));
    if let Some(index) = body.groups.iter().position(|group| !group.is_object()) {
        let at = format!("{at}/groups/{index}");
        return Err(AppError::invalid(at, "invalid_type", "must be an object").into());
    }
    let definition = Definition {
        groups: body.groups,
        group_type: group_type.transpose()?,
        audience_type: audience_type.transpose()?.unwrap_or_default(),
    };
    let bytes = Value::from(definition.groups.clone()).to_string().len();
    if bytes > MAX_BYTES {
        let at = format!("{at}/groups");
        return Err(AppError::invalid(at, "too_long", "at most 64 KiB").into());
    }
    Ok(definition)
}

/// The conditions of an audience.
pub(super) fn segment_json(audience: &Audience, refresh: Option<OperationId>) -> SegmentJson {
    let definition = &audience.definition;
    SegmentJson {
        audience_id: audience.id.to_string(),
        groups: definition.groups.clone(),
        group_type: definition.group_type.map(|t| t.as_str().into()),
        audience_type: type_json(&definition.audience_type),
        status: audience.status.as_str().into(),
        version: audience.version,
        operation_id: refresh.map(|id| id.to_string()),
    }
}

/// When conditions are looked at.
pub(super) fn type_json(audience_type: &AudienceType) -> Value {
    // An enum of texts and numbers always has JSON.
    serde_json::to_value(audience_type).unwrap_or(Value::Null)
}

/// Who would be a member.
pub(in crate::http) fn preview_json(preview: &PreviewReport) -> PreviewJson {
    let count = |&(group, condition, count): &(usize, usize, i64)| ConditionCount {
        pointer: format!("/groups/{group}/conditions/{condition}"),
        count,
    };
    let person = |(customer_id, document): &(Option<i64>, Option<String>)| PersonJson {
        customer_id: *customer_id,
        document: document.clone(),
    };
    PreviewJson {
        count: preview.count,
        exact: preview.exact,
        sample: preview.sample.iter().map(person).collect(),
        by_condition: preview.by_condition.iter().map(count).collect(),
        took_ms: preview.took_ms,
        bytes_processed: Some(preview.bytes).filter(|bytes| *bytes > 0),
    }
}

/// Why somebody is a member, or is not; beside the conditions as they were written.
pub(super) fn explain_json(audience: &Audience, explained: Explained) -> ExplainJson {
    let definition = &audience.definition;
    let group_type = definition.group_type.unwrap_or(GroupType::Or);
    let groups = definition.groups.iter().zip(explained.reasons.groups);
    let groups = groups.map(|(written, group)| {
        let conditions = written.get("conditions").and_then(Value::as_array);
        let conditions = conditions.into_iter().flatten().zip(group.conditions);
        let logic = written.get("logic").and_then(Value::as_str);
        ExplainedGroup {
            matches: group.holds,
            exclude: group.exclude,
            logic: logic.unwrap_or("and").to_owned().into(),
            conditions: conditions.map(condition).collect(),
        }
    });
    ExplainJson {
        customer_id: explained.customer.raw(),
        member: explained.is_member,
        matches: explained.reasons.holds,
        at: timestamp(explained.at),
        group_type: group_type.as_str().into(),
        groups: groups.collect(),
    }
}

fn condition((written, explained): (&Value, ConditionExplanation)) -> ExplainedCondition {
    ExplainedCondition {
        condition: written.clone(),
        matches: explained.holds,
        value: explained.value,
    }
}

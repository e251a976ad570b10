//! Suppressions as V1 writes them.

use api_types::{
    customers::RefusalJson,
    suppressions::{SuppressResultJson, SuppressedJson, SuppressionJson},
};
use domain::suppression::Suppression;
use http_kit::timestamp;

use crate::suppression::{Refusal, SuppressionOutcome, SuppressionResult};

/// A suppression.
pub fn suppression_json(one: Suppression) -> SuppressionJson {
    SuppressionJson {
        id: one.id.to_string(),
        kind: one.who.kind.as_str().into(),
        reason: one.reason.as_str().into(),
        created_by: one.created_by.to_string(),
        created_at: timestamp(one.created_at),
    }
}

/// Why an item was refused.
pub fn refusal_json(refusal: Refusal) -> RefusalJson {
    let Refusal {
        field,
        code,
        detail,
    } = refusal;
    RefusalJson {
        field,
        code,
        detail,
    }
}

/// What became of items.
pub fn suppressed_json(outcomes: Vec<SuppressionOutcome>) -> SuppressedJson {
    let mut json = SuppressedJson {
        received: outcomes.len(),
        ..SuppressedJson::default()
    };
    for (index, outcome) in outcomes.into_iter().enumerate() {
        *match outcome.result {
            SuppressionResult::Added => &mut json.added,
            SuppressionResult::Unchanged => &mut json.unchanged,
            SuppressionResult::Removed => &mut json.removed,
            SuppressionResult::Absent => &mut json.absent,
            SuppressionResult::Rejected => &mut json.rejected,
        } += 1;
        json.results.push(SuppressResultJson {
            index,
            result: outcome.result.as_str().into(),
            id: outcome.id.map(|id| id.to_string()),
            error: outcome.refusal.map(refusal_json),
        });
    }
    json
}

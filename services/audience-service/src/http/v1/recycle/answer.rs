//! What a recycling would do, and the plan that carries it to the real call.

use std::{borrow::Cow, collections::BTreeMap};

use api_types::recycle::{DryRunJson, OverlapJson, SampleJson};
use domain::{
    recycle::Reasons,
    shared::{AudienceId, WorkspaceId},
};
use http_kit::{Problem, Sealer};

use crate::{
    AppError,
    http::v1::{exports::unreadable_path, operations::warnings_json},
    recycle::{DryRun, Plan},
};

/// What was found, with its plan sealed.
///
/// # Errors
/// 500 when the plan cannot be written.
pub fn dry_run_json(dry: DryRun, seal: &PlanSeal) -> Result<DryRunJson, Problem> {
    let overlap = |(reasons, count)| OverlapJson {
        reasons: names(reasons),
        count,
    };
    let by_reason = dry.by_reason.into_iter();
    let (mut unreadable, mut warnings, mut links) = Default::default();
    if let Some((upload, rows, found)) = dry.file {
        (unreadable, warnings) = (rows, warnings_json(&found));
        if unreadable > 0 {
            links = BTreeMap::from([("unreadable".into(), unreadable_path(upload))]);
        }
    }
    Ok(DryRunJson {
        plan: seal.seal(&dry.plan)?,
        total: dry.total,
        removed: dry.removed,
        kept: dry.total - dry.removed,
        by_reason: by_reason
            .map(|(reason, n)| (reason.as_str().into(), n))
            .collect(),
        overlap: dry.overlap.into_iter().map(overlap).collect(),
        sample: dry
            .sample
            .into_iter()
            .map(|(document, reasons)| SampleJson {
                document: document.masked(),
                reasons: names(reasons),
            })
            .collect(),
        unreadable_values: dry.unreadable_values,
        unreadable,
        warnings,
        links,
    })
}

fn names(reasons: Reasons) -> Vec<Cow<'static, str>> {
    reasons
        .iter()
        .map(|reason| reason.as_str().into())
        .collect()
}

/// Seals the plans of one audience.
#[derive(Clone)]
pub struct PlanSeal {
    sealer: Sealer,
    purpose: String,
}

impl PlanSeal {
    /// For an audience of a workspace.
    pub fn new(sealer: Sealer, workspace: &WorkspaceId, audience: AudienceId) -> Self {
        let purpose = format!("plan:{workspace}:{audience}");
        Self { sealer, purpose }
    }

    fn seal(&self, plan: &Plan) -> Result<String, Problem> {
        let sealed = self.sealer.seal_value(&self.purpose, plan);
        sealed.ok_or_else(Problem::internal)
    }

    /// Opens a plan.
    ///
    /// # Errors
    /// `invalid_plan` for one that was altered or made for another audience.
    pub fn open(&self, token: &str) -> Result<Plan, AppError> {
        self.sealer.open_value(&self.purpose, token).ok_or_else(|| {
            let detail = "the plan was altered, or was made for another audience";
            AppError::invalid("/plan", "invalid_plan", detail)
        })
    }
}

//! What a recycling would do, and the plan that carries it to the real call.

use std::collections::BTreeMap;

use domain::{
    operation::FileWarnings,
    recycle::{Reason, Reasons},
    shared::{AudienceId, WorkspaceId},
};
use http_kit::{Problem, Sealer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    AppError,
    http::v1::exports::unreadable_path,
    recycle::{DryRun, Plan},
};

/// What a recycling would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRunJson {
    /// To be sent with the real call, within an hour: it is then refused when more than
    /// `plan_tolerance` contacts would be removed that are not counted here, or the other way round.
    plan: String,
    /// Contacts looked at: `removed` and `kept`.
    total: i64,
    /// Contacts that would go.
    removed: i64,
    /// Contacts that would stay.
    kept: i64,
    /// `removed` by the reason that counts.
    by_reason: BTreeMap<&'static str, i64>,
    /// How many contacts more than one reason holds for, by reasons.
    overlap: Vec<OverlapJson>,
    /// Some of those that would go.
    sample: Vec<SampleJson>,
    /// Values that conditions of `where` could not read as the number or the date that they compare
    /// with, and that matched nothing therefore.
    unreadable_values: i64,
    /// Rows of the uploaded file of documents that have no readable one: they name nobody.
    unreadable: i64,
    /// What looks wrong in that file, by line: `suspicious_quote` is a quoted cell that holds lines of
    /// the header's shape.
    #[schema(value_type = Vec<Object>)]
    warnings: FileWarnings,
    /// `unreadable`: where those rows can be downloaded.
    links: BTreeMap<&'static str, String>,
}

/// Contacts that the same reasons hold for.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverlapJson {
    /// All reasons, the one that counts first.
    reasons: Vec<&'static str>,
    /// Contacts.
    count: i64,
}

/// A contact that would go.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleJson {
    /// Its last characters.
    #[schema(example = "********900")]
    document: String,
    /// All reasons, the one that counts first.
    reasons: Vec<&'static str>,
}

impl DryRunJson {
    /// What was found, with its plan sealed.
    ///
    /// # Errors
    /// 500 when the plan cannot be written.
    pub fn new(dry: DryRun, seal: &PlanSeal) -> Result<Self, Problem> {
        let overlap = |(reasons, count)| OverlapJson {
            reasons: names(reasons),
            count,
        };
        let by_reason = dry.by_reason.into_iter();
        let (mut unreadable, mut warnings, mut links) = Default::default();
        if let Some((upload, rows, found)) = dry.file {
            (unreadable, warnings) = (rows, found);
            if unreadable > 0 {
                links = BTreeMap::from([("unreadable", unreadable_path(upload))]);
            }
        }
        Ok(Self {
            plan: seal.seal(&dry.plan)?,
            total: dry.total,
            removed: dry.removed,
            kept: dry.total - dry.removed,
            by_reason: by_reason.map(|(reason, n)| (reason.as_str(), n)).collect(),
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
}

fn names(reasons: Reasons) -> Vec<&'static str> {
    reasons.iter().map(Reason::as_str).collect()
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

//! The body of a recycling.

use domain::{
    contact::Document,
    shared::{AudienceName, Violation},
};
use http_kit::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    answer::PlanSeal,
    rules::{MOST_NAMED, RulesBody, audiences, unknown},
};
use crate::{
    AppError,
    recycle::{RecycleRequest, SetSource},
};

/// What to remove, whom to protect, and where the rest goes.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecycleBody {
    /// What is removed: the union of all rules. At least one.
    #[serde(default)]
    rules: RulesBody,
    /// Who is protected from every rule but `opted_out`.
    #[serde(default)]
    keep: KeepBody,
    /// Where those go that stay; in place where absent.
    target: Option<TargetBody>,
    /// Only say what would be removed.
    #[serde(default)]
    dry_run: bool,
    /// `plan` of an earlier dry run of the same rules.
    plan: Option<String>,
    /// By how many removed contacts the outcome may differ from the plan.
    #[serde(default)]
    plan_tolerance: u32,
}

/// Who is protected.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepBody {
    /// These people.
    #[serde(default)]
    documents: Vec<String>,
    /// The members of these audiences.
    #[serde(default)]
    audience_ids: Vec<String>,
}

/// Where those go that stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetBody {
    /// `in_place`: they stay where they are; `new`: they are copied into a new audience.
    #[serde(rename = "type")]
    kind: String,
    /// Name of the new audience; one is proposed where absent or empty.
    name: Option<String>,
}

impl RecycleBody {
    /// The request. `limit`: most documents inline.
    ///
    /// # Errors
    /// 413 and 422 as problems.
    pub fn into_request(self, seal: &PlanSeal, limit: usize) -> Result<RecycleRequest, Problem> {
        let Self {
            rules,
            keep,
            target,
            dry_run,
            plan,
            plan_tolerance,
        } = self;
        if rules.documents.len().max(keep.documents.len()) > limit {
            let detail = format!("at most {limit} documents inline; upload a file for more");
            return Err(Problem::too_large(detail));
        }
        let mut broken = Vec::new();
        let documents = documents(&rules.documents, "/rules/documents", &mut broken);
        let upload = rules.upload(&mut broken);
        let request = RecycleRequest {
            rules: rules.parse(&mut broken),
            documents: SetSource { documents, upload },
            keep_audiences: audiences(&keep.audience_ids, "/keep/audience_ids", &mut broken),
            keep_documents: self::documents(&keep.documents, "/keep/documents", &mut broken),
            new_audience: target.and_then(|target| target.new_audience(&mut broken)),
            dry_run,
            plan: None,
            plan_tolerance: i64::from(plan_tolerance),
        };
        if !broken.is_empty() {
            return Err(Problem::unprocessable(broken));
        }
        let plan = plan.filter(|token| !token.is_empty());
        let plan = plan.map(|token| seal.open(&token)).transpose()?;
        Ok(RecycleRequest { plan, ..request })
    }
}

impl TargetBody {
    fn new_audience(self, broken: &mut Vec<Violation>) -> Option<Option<AudienceName>> {
        let name = self.name.filter(|name| !name.trim().is_empty());
        match (self.kind.as_str(), &name) {
            ("new", _) => {}
            ("in_place", None) => return None,
            ("in_place", Some(_)) => {
                let detail = "only a new audience has a name";
                broken.push(Violation::new("/target/name", "unknown_member", detail));
                return None;
            }
            _ => {
                broken.push(unknown("/target/type", &["in_place", "new"]));
                return None;
            }
        }
        let parsed = name.map(|name| AudienceName::parse(&name)).transpose();
        Some(parsed.unwrap_or_else(|error| {
            if let AppError::Invalid(violations) = AppError::name("/target/name", error) {
                broken.extend(violations);
            }
            None
        }))
    }
}

fn documents(texts: &[String], pointer: &str, broken: &mut Vec<Violation>) -> Vec<Document> {
    let mut parsed = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match Document::parse(text) {
            Ok(document) => parsed.push(document),
            Err(error) if broken.len() < MOST_NAMED => {
                let pointer = format!("{pointer}/{index}");
                broken.push(Violation::new(pointer, error.code(), error.to_string()));
            }
            Err(_) => break,
        }
    }
    parsed
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;

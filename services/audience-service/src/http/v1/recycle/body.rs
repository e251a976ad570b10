//! The body of a recycling.

use api_types::recycle::{RecycleBody, TargetBody};
use domain::{
    contact::Document,
    segment::Notation,
    shared::{AudienceName, Violation},
};
use http_kit::Problem;

use super::{
    answer::PlanSeal,
    rules::{self, MOST_NAMED, audiences},
};
use crate::{
    AppError,
    recycle::{RecycleRequest, SetSource},
};

/// The request. `limit`: most documents inline; `notation`: how texts of conditions are read.
///
/// # Errors
/// 413 and 422 as problems.
pub fn request(
    body: RecycleBody,
    seal: &PlanSeal,
    limit: usize,
    notation: Notation,
) -> Result<RecycleRequest, Problem> {
    let RecycleBody {
        rules,
        keep,
        target,
        dry_run,
        plan,
        plan_tolerance,
    } = body;
    if rules.documents.len().max(keep.documents.len()) > limit {
        let detail = format!("at most {limit} documents inline; upload a file for more");
        return Err(Problem::too_large(detail));
    }
    let mut broken = Vec::new();
    let documents = documents_of(&rules.documents, "/rules/documents", &mut broken);
    let upload = rules::upload(&rules, &mut broken);
    let request = RecycleRequest {
        rules: rules::parse(rules, notation, &mut broken),
        documents: SetSource { documents, upload },
        keep_audiences: audiences(&keep.audience_ids, "/keep/audience_ids", &mut broken),
        keep_documents: documents_of(&keep.documents, "/keep/documents", &mut broken),
        new_audience: target.and_then(|target| new_audience(target, &mut broken)),
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

fn new_audience(target: TargetBody, broken: &mut Vec<Violation>) -> Option<Option<AudienceName>> {
    let name = target.name.filter(|name| !name.trim().is_empty());
    match (target.kind.as_str(), &name) {
        ("new", _) => {}
        ("in_place", None) => return None,
        ("in_place", Some(_)) => {
            let detail = "only a new audience has a name";
            broken.push(Violation::new("/target/name", "unknown_member", detail));
            return None;
        }
        _ => {
            broken.push(Violation::not_one_of("/target/type", ["in_place", "new"]));
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

fn documents_of(texts: &[String], pointer: &str, broken: &mut Vec<Violation>) -> Vec<Document> {
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

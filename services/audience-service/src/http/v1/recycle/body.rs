//! The body of a recycling.

use api_types::recycle::RecycleBody;
use domain::segment::Notation;
use http_kit::Problem;

use super::answer::PlanSeal;
use crate::recycle::RecycleRequest;

/// The request. `limit`: most documents inline; `notation`: how texts of conditions are read.
///
/// # Errors
/// 413 and 422 as problems.
pub fn request(
    mut body: RecycleBody,
    seal: &PlanSeal,
    limit: usize,
    notation: Notation,
) -> Result<RecycleRequest, Problem> {
    if body.rules.documents.len().max(body.keep.documents.len()) > limit {
        let detail = format!("at most {limit} documents inline; upload a file for more");
        return Err(Problem::too_large(detail));
    }
    let (plan, plan_tolerance) = (body.plan.take(), i64::from(body.plan_tolerance));
    let dry_run = body.dry_run;
    let asked = recycling::read(body, notation).map_err(Problem::unprocessable)?;
    let plan = plan.filter(|token| !token.is_empty());
    let plan = plan.map(|token| seal.open(&token)).transpose()?;
    Ok(RecycleRequest {
        dry_run,
        plan,
        plan_tolerance,
        ..RecycleRequest::from(asked)
    })
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;

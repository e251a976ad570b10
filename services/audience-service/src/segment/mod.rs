//! Segments: audiences whose members follow conditions over customers.

mod conditions;
mod define;
mod explain;
mod history;
mod preview;
mod publish;
mod refresh;
mod schedule;

pub(crate) use conditions::{Named, ReadConditions};
pub use define::{DefineSegment, Defined};
pub use explain::{ExplainMembership, Explained, Explanation, Whom};
pub use history::{MemberHistory, MembersAt, Period, ReadHistory};
pub(crate) use preview::RunPreview;
pub use preview::{PATIENCE as PREVIEW_PATIENCE, PreviewSegment, Previewed};
pub use publish::PublishMembers;
pub use refresh::{Corrections, RefreshAudience, RefreshCheckpoint, RefreshParams, SizeGuard};
pub(crate) use refresh::{RunRefresh, version};
pub use schedule::StartDueRefreshes;

use crate::AppError;
use ports::segments::ResolveError;

/// What is done with segments.
#[derive(Clone)]
pub struct Segments {
    /// Changes conditions.
    pub define: DefineSegment,
    /// Says who would be a member.
    pub preview: PreviewSegment,
    /// Says why somebody is one.
    pub explain: ExplainMembership,
    /// Resolves members.
    pub refresh: RefreshAudience,
    /// Says who was a member, and when.
    pub history: ReadHistory,
}

/// An audience that has no conditions.
fn no_segment() -> AppError {
    AppError::conflict("not_a_segment", "the audience has no conditions")
}

/// A query that has no answer.
pub(crate) fn unresolved(error: ResolveError) -> AppError {
    match error {
        ResolveError::Store(error) => error.into(),
        ResolveError::TooLong => {
            ports::StoreError::Unavailable("the query took too long".into()).into()
        }
        ResolveError::BytesLimit { .. } => AppError::failed("bytes_limit", error.to_string()),
        ResolveError::Refused { code, detail } => AppError::failed(code, detail),
        ResolveError::Missing(what) => {
            let detail = format!("the source of customers has no {what}");
            AppError::invalid("/groups", "unsupported_condition", detail)
        }
    }
}

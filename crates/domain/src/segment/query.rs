//! What a store of customers is asked about a segment.

use std::collections::BTreeMap;

use super::Predicate;
use crate::shared::{AudienceId, Instant, WorkspaceId};

/// A question about the customers of a workspace.
#[derive(Clone)]
pub struct SegmentQuery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// What they must fulfil.
    pub predicate: Predicate,
    /// The audiences that it names, those within conditions included.
    pub references: References,
    /// The present, of which windows are measured.
    pub now: Instant,
    /// Of whom.
    pub scope: Scope,
}

/// What an audience that a condition names is.
#[derive(Clone)]
pub enum Reference {
    /// Whoever fulfils these conditions.
    Conditions(Predicate),
    /// Whoever has one of these keys, of those in the scope of the query.
    Keys(Vec<String>),
    /// Nobody.
    Nobody,
}

/// Audiences that conditions name.
pub type References = BTreeMap<AudienceId, Reference>;

/// Which customers a query looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// All.
    #[default]
    All,
    /// Those of these numbers.
    Ids(Vec<i64>),
    /// Those whose keys lie after the first and not after the last.
    Keys {
        /// The first.
        after: Option<String>,
        /// The last.
        until: Option<String>,
    },
    /// Those whose numbers lie in any of these ranges, both ends included.
    Ranges(Vec<(i64, i64)>),
}

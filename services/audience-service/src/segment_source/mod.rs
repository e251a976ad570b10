//! Where the customers of a workspace's segments are: in the own store, or in a warehouse outside.

mod budget;
mod check;
mod member;
mod open;
mod resolve;
mod set;

pub(crate) use budget::BytesBudget;
pub use check::{CheckSegmentSource, Checked, CheckedColumn, CheckedTable, Finding, Usage};
pub(crate) use open::OpenSource;
pub(crate) use resolve::WorkspaceResolver;
pub use set::SetSegmentSource;

/// What is done with sources.
#[derive(Clone)]
pub struct SegmentSources {
    /// Reads and changes them.
    pub set: SetSegmentSource,
    /// Says what is missing.
    pub check: CheckSegmentSource,
}

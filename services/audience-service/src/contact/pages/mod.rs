//! Pages by number: an index in memory of how many contacts are visible before each of some.

mod counted;
mod index;
mod page_index;
mod slot;
#[cfg(test)]
mod slot_tests;
mod warm;

pub(crate) use counted::{Cuts, PageCount, Surveyed, Written};
pub(crate) use page_index::Base;
pub use page_index::PageIndexes;
pub use warm::WarmPages;

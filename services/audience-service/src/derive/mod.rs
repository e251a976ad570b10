//! Audiences that are made of others: of sets of their members, of a sample, of parts of one.
//!
//! Members are read in the order of their keys, all lists side by side. What is made shows when it is complete.

mod members;
mod request;
mod run;

pub use request::{DeriveAudiences, DeriveRequest};
pub(crate) use run::RunDerive;

use domain::audience::Recipe;
use serde::{Deserialize, Serialize};

/// What audiences are made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeriveParams {
    /// Who belongs to them.
    pub recipe: Recipe,
    /// The others, in the order in which they were named.
    pub sources: Vec<i64>,
    /// What is made.
    pub targets: Vec<i64>,
}

//! What an operation of an import is asked to do.

use domain::operation::Operation;
use kernel::payload;
use ports::{StoreError, importing::ImportKind};
use serde::{Deserialize, Serialize};

/// Names the parameters in errors.
const PARAMS: &str = "the parameters of an import";

/// What an operation of an import is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The client's id.
    pub client: i64,
    /// The client's name in URLs when it was asked for.
    pub slug: String,
    /// `tickets` or `contacts`.
    pub kind: String,
}

impl Params {
    /// Those of an operation, and what it imports.
    ///
    /// # Errors
    /// `Corrupt` when they cannot be read.
    pub fn of(operation: &Operation) -> Result<(Self, ImportKind), StoreError> {
        let params: Self = payload::decode(&operation.params, PARAMS)?;
        let kind = params.kind()?;
        Ok((params, kind))
    }

    /// What is imported.
    ///
    /// # Errors
    /// `Corrupt` where it is none that there is.
    pub fn kind(&self) -> Result<ImportKind, StoreError> {
        ImportKind::parse(&self.kind).ok_or(StoreError::Corrupt(PARAMS))
    }
}

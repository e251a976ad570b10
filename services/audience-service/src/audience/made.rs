//! The audiences that an operation makes.

use domain::{
    operation::{Operation, OperationKind},
    recycle::Target,
    shared::AudienceId,
};
use kernel::payload;
use ports::StoreError;
use serde::Deserialize;

/// What of the parameters of a recycling says where the rest goes.
#[derive(Deserialize)]
struct Recycling {
    target: Target,
}

/// What of the parameters of a derivation says what it makes.
#[derive(Deserialize)]
struct Deriving {
    targets: Vec<i64>,
}

/// Whether operations of this kind make an audience that nobody sees until they succeed.
pub(crate) fn makes_audience(kind: OperationKind) -> bool {
    matches!(kind, OperationKind::Create | OperationKind::Duplicate)
}

/// The audience that a recycling copies into, if it does.
///
/// # Errors
/// `Corrupt` when its parameters cannot be read.
pub(crate) fn new_target(operation: &Operation) -> Result<Option<AudienceId>, StoreError> {
    if operation.kind != OperationKind::Recycle {
        return Ok(None);
    }
    let params: Recycling = payload::decode(&operation.params, "the parameters of an operation")?;
    Ok(match params.target {
        Target::InPlace => None,
        Target::New { audience } => Some(AudienceId::from_raw(audience)),
    })
}

/// The audiences that the operation makes.
///
/// # Errors
/// `Corrupt` when its parameters cannot be read.
pub(crate) fn made_by(operation: &Operation) -> Result<Vec<AudienceId>, StoreError> {
    if operation.kind == OperationKind::Derive {
        let params: Deriving =
            payload::decode(&operation.params, "the parameters of an operation")?;
        return Ok(params
            .targets
            .into_iter()
            .map(AudienceId::from_raw)
            .collect());
    }
    let made = match makes_audience(operation.kind) {
        true => operation.audience,
        false => new_target(operation)?,
    };
    Ok(made.into_iter().collect())
}

//! The audience that an operation makes.

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

/// The audience that the operation makes, if it makes one.
///
/// # Errors
/// `Corrupt` when its parameters cannot be read.
pub(crate) fn made_by(operation: &Operation) -> Result<Option<AudienceId>, StoreError> {
    if makes_audience(operation.kind) {
        return Ok(operation.audience);
    }
    new_target(operation)
}

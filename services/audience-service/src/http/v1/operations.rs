//! What this service adds to its operations where they are shown.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    operation::{Operation, OperationKind},
    shared::OperationId,
};
use http_kit::operations::{Details, Shown};
use kernel::payload;
use ports::StoreError;

use crate::{Actor, AppError, audience::new_target, control::Operations, operation::has_rejected};

pub use http_kit::operations::OperationJson;

#[async_trait]
impl Shown for Operations {
    fn has(&self, kind: OperationKind) -> bool {
        kind != OperationKind::Import
    }

    fn details(&self, operation: &Operation) -> Result<Details, StoreError> {
        Ok(Details {
            report: operation.report.as_ref().map(payload::encode).transpose()?,
            rejected: has_rejected(operation),
            target: new_target(operation)?,
            links: BTreeMap::new(),
        })
    }

    async fn undo(&self, actor: &Actor, id: OperationId) -> Result<(), AppError> {
        self.undo.execute(actor, id).await?;
        Ok(())
    }
}

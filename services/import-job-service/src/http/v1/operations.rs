//! What this service adds to its operations where they are shown.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    operation::{Operation, OperationKind},
    shared::{ClientId, OperationId},
};
use http_kit::operations::{Details, Shown};
use kernel::{Actor, AppError, payload};
use ports::StoreError;

use super::{clients::path_of as client_path, json::report};
use crate::run::{Params, RunControl};

#[async_trait]
impl Shown for RunControl {
    fn has(&self, kind: OperationKind) -> bool {
        kind == OperationKind::Import
    }

    fn details(&self, operation: &Operation) -> Result<Details, StoreError> {
        let (params, _) = Params::of(operation)?;
        let client = client_path(ClientId::from_raw(params.client));
        Ok(Details {
            report: report(operation).map(|r| payload::encode(&r)).transpose()?,
            links: BTreeMap::from([("client".into(), client)]),
            ..Details::default()
        })
    }

    async fn undo(&self, _: &Actor, _: OperationId) -> Result<(), AppError> {
        Err(AppError::conflict("not_undoable", "imports are not undone"))
    }
}

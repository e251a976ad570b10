//! What stopping a run gives back, and trying it again takes again.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    operation::{Operation, Report},
    shared::ClientId,
};
use kernel::AppError;
use operations::{Control, Frame};
use ports::{
    StoreError,
    importing::{ImportStore, ImportUnit, Opened},
};

use super::{EndRun, Params};

/// Stops runs, and tries them again.
#[derive(Clone)]
pub struct RunControl {
    pub store: Arc<dyn ImportStore>,
    pub frame: Arc<Frame>,
    pub end: EndRun,
}

#[async_trait]
impl Control for RunControl {
    type Unit = dyn ImportUnit;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    async fn begin(&self) -> Result<Box<dyn ImportUnit>, StoreError> {
        self.store.begin_import().await
    }

    fn unfinished(&self, operation: &Operation) -> Option<Report> {
        operation.report.clone()
    }

    async fn ended(
        &self,
        unit: &mut (dyn ImportUnit + 'static),
        ended: &Operation,
    ) -> Result<(), AppError> {
        Ok(self.end.close(unit, ended).await?)
    }

    async fn reserve_again(
        &self,
        unit: &mut (dyn ImportUnit + 'static),
        operation: &Operation,
    ) -> Result<(), AppError> {
        let (params, kind) = Params::of(operation)?;
        let client = ClientId::from_raw(params.client);
        if let Opened::Joined(live) = unit.runs().open(client, kind, operation.id).await? {
            let detail = format!("{live} imports the same meanwhile");
            return Err(AppError::conflict("run_active", detail));
        }
        Ok(())
    }
}

//! What stopping a run gives back, and trying it again takes again.

use async_trait::async_trait;
use domain::operation::{Operation, Report};
use operations::{Control, Frame};
use ports::{
    StoreError,
    importing::{ClientId, ImportUnit, Opened},
};

use super::{App, AppError, AppResult, start::Params};

#[async_trait]
impl Control for App {
    type Unit = dyn ImportUnit;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    async fn begin(&self) -> Result<Box<dyn ImportUnit>, StoreError> {
        self.deps.store.begin_import().await
    }

    fn unfinished(&self, operation: &Operation) -> Option<Report> {
        operation.report.clone()
    }

    async fn ended(
        &self,
        unit: &mut (dyn ImportUnit + 'static),
        ended: &Operation,
    ) -> AppResult<()> {
        Ok(self.close(unit, ended).await?)
    }

    async fn reserve_again(
        &self,
        unit: &mut (dyn ImportUnit + 'static),
        operation: &Operation,
    ) -> AppResult<()> {
        let (params, kind) = Params::of(operation)?;
        let client = ClientId(params.client);
        if let Opened::Joined(live) = unit.runs().open(client, kind, operation.id).await? {
            let detail = format!("{live} imports the same meanwhile");
            return Err(AppError::conflict("run_active", detail));
        }
        Ok(())
    }
}

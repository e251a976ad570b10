//! Operations that an earlier run of a keyed request began.

use super::{App, AppResult, RequestId, audiences::Accepted, operations::made_audience};

impl App {
    /// The operation that an earlier run of the request began. To be asked before anything that may
    /// have changed since is looked at.
    pub(crate) async fn accepted_earlier(
        &self,
        request_id: RequestId,
    ) -> AppResult<Option<Accepted>> {
        if !request_id.keyed {
            return Ok(None);
        }
        let mut uow = self
            .deps
            .store
            .begin(ports::store::Durability::Derived)
            .await?;
        let earlier = uow.operations().by_write_id(request_id.write_id).await?;
        let Some(operation) = earlier else {
            return Ok(None);
        };
        let audience = made_audience(&operation)?.or(operation.audience);
        Ok(audience.map(|audience| Accepted {
            operation: operation.id,
            audience,
        }))
    }
}

//! Planning to delete what nobody can bring back any more.

use std::sync::Arc;

use domain::{
    operation::{Operation, OperationKind, OperationState},
    shared::{AudienceId, Epoch, Instant, OperationId, RemovalNo},
};
use kernel::payload;
use ports::{
    Clock, IdGenerator,
    contacts::ContentKey,
    store::{NewOperation, Removal, UnitOfWork},
};
use serde::{Deserialize, Serialize};

use crate::AppResult;

/// What a purge deletes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PurgeParams {
    pub audience: i64,
    pub epoch: i64,
    /// One removal's contacts; the whole content where absent.
    pub removal: Option<i64>,
}

impl PurgeParams {
    /// A whole content.
    pub const fn content(audience: AudienceId, epoch: Epoch) -> Self {
        Self {
            audience: audience.raw(),
            epoch: epoch.0,
            removal: None,
        }
    }

    /// What one removal hides.
    pub const fn removal(key: ContentKey, removal: RemovalNo) -> Self {
        Self {
            audience: key.audience.raw(),
            epoch: key.epoch.0,
            removal: Some(removal.0),
        }
    }

    pub const fn key(&self) -> ContentKey {
        let audience = AudienceId::from_raw(self.audience);
        ContentKey {
            audience,
            epoch: Epoch(self.epoch),
        }
    }
}

/// Plans to delete what nobody can bring back any more.
#[derive(Clone)]
pub struct PlanPurge {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl PlanPurge {
    /// Plans the purge of what a removal of `operation` left behind.
    pub(crate) async fn plan_removal(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
        removal: &Removal,
        not_before: Instant,
    ) -> AppResult<()> {
        let params = PurgeParams::removal(removal.key, removal.no);
        self.plan_after(uow, operation, params, not_before).await
    }

    /// Plans a purge of what an operation that is stored leaves behind.
    pub(crate) async fn plan_after(
        &self,
        uow: &mut dyn UnitOfWork,
        operation: &Operation,
        params: PurgeParams,
        not_before: Instant,
    ) -> AppResult<()> {
        let cause = NewOperation {
            id: operation.id,
            write_id: operation.id.raw(),
            workspace: operation.workspace.clone(),
            audience: operation.audience,
            after_uploads_of: None,
            kind: operation.kind,
            state: operation.state,
            total: None,
            params: serde_json::Value::Null,
            created_by: operation.created_by.clone(),
            created_at: self.clock.now(),
            not_before: None,
            traceparent: ports::trace::current(),
        };
        self.plan(uow, &cause, params, not_before).await
    }

    /// Plans a purge for when `cause` can no longer be undone.
    pub(crate) async fn plan(
        &self,
        uow: &mut dyn UnitOfWork,
        cause: &NewOperation,
        params: PurgeParams,
        not_before: Instant,
    ) -> AppResult<()> {
        let id = self.ids.next();
        let purge = NewOperation {
            id: OperationId::from_raw(id),
            write_id: id,
            kind: OperationKind::Purge,
            state: OperationState::Queued,
            total: None,
            params: payload::encode(&params)?,
            not_before: Some(not_before),
            ..cause.clone()
        };
        Ok(uow.operations().add(&purge).await?)
    }
}

//! Accepting operations, each once: a repeated request finds the one that it began.

use std::sync::Arc;

use domain::{
    audience::Audience,
    operation::{OperationKind, OperationState},
    shared::{AudienceId, Instant, OperationId},
};
use ports::{
    IdGenerator,
    store::{AudienceStore, Durability, NewOperation},
};

use crate::{Actor, AppError, AppResult, RequestId, audience::made_by, events::Events};

/// An accepted operation and the first audience that it makes.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// The operation.
    pub operation: OperationId,
    /// The audience it works on or makes.
    pub audience: AudienceId,
}

/// Accepts operations.
#[derive(Clone)]
pub struct AcceptOperation {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) events: Events,
}

impl AcceptOperation {
    /// The operation that an earlier run of the request began. To be asked before anything that may
    /// have changed since is looked at.
    pub(crate) async fn earlier(&self, request_id: RequestId) -> AppResult<Option<Accepted>> {
        if !request_id.keyed {
            return Ok(None);
        }
        let mut uow = self.store.begin(Durability::Derived).await?;
        let earlier = uow.operations().by_write_id(request_id.write_id).await?;
        let Some(operation) = earlier else {
            return Ok(None);
        };
        let made = made_by(&operation)?.into_iter().next();
        Ok(made.or(operation.audience).map(|audience| Accepted {
            operation: operation.id,
            audience,
        }))
    }

    pub(crate) fn new_operation(
        &self,
        actor: &Actor,
        request_id: RequestId,
        kind: OperationKind,
        audience: impl Into<Option<AudienceId>>,
        now: Instant,
    ) -> NewOperation {
        NewOperation {
            id: OperationId::from_raw(self.ids.next()),
            write_id: request_id.write_id,
            workspace: actor.workspace.clone(),
            audience: audience.into(),
            after_uploads_of: None,
            kind,
            state: OperationState::Queued,
            total: None,
            params: serde_json::Value::Null,
            created_by: actor.user.clone(),
            created_at: now,
            not_before: None,
            traceparent: ports::trace::current(),
        }
    }

    /// Stores an operation and the audiences it makes, unless an earlier run of the request did.
    pub(crate) async fn accept(
        &self,
        request_id: RequestId,
        operation: NewOperation,
        makes: impl IntoIterator<Item = Audience> + Send,
    ) -> AppResult<Accepted> {
        let mut makes: Vec<Audience> = makes.into_iter().collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        if request_id.keyed
            && let Some(earlier) = uow.operations().by_write_id(request_id.write_id).await?
        {
            let made = made_by(&earlier)?.into_iter().next();
            let audience = made.or(earlier.audience).ok_or(AppError::NotFound)?;
            return Ok(Accepted {
                operation: earlier.id,
                audience,
            });
        }
        for audience in &mut makes {
            uow.audiences().add(audience).await?;
        }
        uow.operations().add(&operation).await?;
        if operation.kind == OperationKind::Recycle {
            let event = self.events.recycle_requested(&operation)?;
            self.events.emit(&mut *uow, event).await?;
        }
        uow.commit().await?;
        self.events.wake.work();
        self.events.sent();
        let made = makes.first().map(|made| made.id).or(operation.audience);
        let audience = made.ok_or(AppError::NotFound)?;
        Ok(Accepted {
            operation: operation.id,
            audience,
        })
    }

    /// Stores an operation that neither makes nor changes an audience, unless an earlier run of the request did.
    pub(crate) async fn accept_alone(
        &self,
        request_id: RequestId,
        operation: NewOperation,
    ) -> AppResult<OperationId> {
        let mut uow = self.store.begin(Durability::Full).await?;
        if request_id.keyed
            && let Some(earlier) = uow.operations().by_write_id(request_id.write_id).await?
        {
            return Ok(earlier.id);
        }
        uow.operations().add(&operation).await?;
        uow.commit().await?;
        self.events.wake.work();
        Ok(operation.id)
    }
}

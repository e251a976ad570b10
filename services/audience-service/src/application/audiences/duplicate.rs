//! Copying an audience in the background.

use domain::{
    audience::{Audience, Source, Visibility},
    operation::{OperationKind, OperationState},
    shared::{AudienceId, AudienceName, Instant, OperationId},
};
use kernel::payload;
use ports::store::{Durability, NewOperation};
use serde::{Deserialize, Serialize};

use crate::application::{Actor, App, AppResult, RequestId, operations::made_audience};

/// What a copy is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DuplicateParams {
    /// The audience that is copied, as it is read.
    pub source: i64,
}

/// An accepted operation and the audience it makes.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// The operation.
    pub operation: OperationId,
    /// The audience it works on or makes.
    pub audience: AudienceId,
}

impl App {
    /// Starts a copy under a new name, which is reserved at once.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with `name_taken` or `audience_deleted`.
    pub async fn duplicate_audience(
        &self,
        actor: &Actor,
        request_id: RequestId,
        id: AudienceId,
        name: Option<AudienceName>,
    ) -> AppResult<Accepted> {
        if let Some(earlier) = self.accepted_earlier(request_id).await? {
            return Ok(earlier);
        }
        let source = self.audience(actor, id).await?;
        source.ensure_live()?;
        let name = name.unwrap_or_else(|| source.name.copy());
        let target = self.hidden_audience(actor, &source, name, Source::Api);
        let params = payload::encode(&DuplicateParams { source: id.raw() })?;
        let now = self.deps.clock.now();
        let mut operation =
            self.new_operation(actor, request_id, OperationKind::Duplicate, target.id, now);
        operation.params = params;
        operation.total = Some(source.contacts);
        operation.after_uploads_of = Some(id);
        self.accept(request_id, operation, Some(target)).await
    }

    /// An audience like `source` that nobody sees until an operation completes it.
    pub(crate) fn hidden_audience(
        &self,
        actor: &Actor,
        source: &Audience,
        name: AudienceName,
        made_by: Source,
    ) -> Audience {
        let (tags, status) = (source.tags.clone(), source.status);
        let new = self.new_audience(actor, name, tags, status, made_by);
        Audience {
            visibility: Visibility::Creating,
            ..new
        }
    }

    pub(crate) fn new_operation(
        &self,
        actor: &Actor,
        request_id: RequestId,
        kind: OperationKind,
        audience: AudienceId,
        now: Instant,
    ) -> NewOperation {
        NewOperation {
            id: OperationId::from_raw(self.deps.ids.next()),
            write_id: request_id.write_id,
            workspace: actor.workspace.clone(),
            audience: Some(audience),
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

    /// Stores an operation and the audience it makes, unless an earlier run of the request did.
    pub(crate) async fn accept(
        &self,
        request_id: RequestId,
        operation: NewOperation,
        makes: Option<Audience>,
    ) -> AppResult<Accepted> {
        let mut uow = self.deps.store.begin(Durability::Full).await?;
        if request_id.keyed
            && let Some(earlier) = uow.operations().by_write_id(request_id.write_id).await?
        {
            let audience = made_audience(&earlier)?.or(earlier.audience);
            let audience = audience.ok_or(crate::application::AppError::NotFound)?;
            return Ok(Accepted {
                operation: earlier.id,
                audience,
            });
        }
        if let Some(audience) = &makes {
            uow.audiences().add(audience).await?;
        }
        uow.operations().add(&operation).await?;
        if operation.kind == OperationKind::Recycle {
            let event = crate::application::events::recycle_requested(&self.deps, &operation)?;
            self.emit(&mut *uow, event).await?;
        }
        uow.commit().await?;
        self.wake.work();
        self.wake.outbox();
        let made = makes.map(|a| a.id).or(operation.audience);
        let audience = made.ok_or(crate::application::AppError::NotFound)?;
        Ok(Accepted {
            operation: operation.id,
            audience,
        })
    }
}

//! Long operations as V1 serves them, of every service at one address: reading, following, cancelling,
//! retrying, undoing.

mod control;
mod events;
mod followed;
mod json;
mod read;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    operation::{Operation, OperationKind},
    shared::{AudienceId, OperationId},
};
use kernel::{Actor, AppError, RequestId};
use ports::StoreError;
use serde_json::Value;

use operations::{Control, Frame};

use crate::Problem;

pub use followed::{accepted, answer};
pub use json::{operation_json, path_id, path_of};

/// What a service adds to its operations where they are shown.
#[derive(Debug, Default)]
pub struct Details {
    /// Accounts for every row or contact.
    pub report: Option<Value>,
    /// Whether rejected rows are kept.
    pub rejected: bool,
    /// The audience that a recycling copies into.
    pub target: Option<AudienceId>,
    /// The audiences that it makes, where it may make several.
    pub made: Vec<AudienceId>,
    /// More links.
    pub links: BTreeMap<Cow<'static, str>, String>,
}

/// What a service says of its operations where they are shown.
#[async_trait]
pub trait Shown: Control {
    /// Whether it has operations of this kind.
    fn has(&self, kind: OperationKind) -> bool;

    /// What it adds to one.
    ///
    /// # Errors
    /// `Corrupt` when what is stored of it cannot be read.
    fn details(&self, operation: &Operation) -> Result<Details, StoreError>;

    /// Takes back what one did.
    async fn undo(&self, actor: &Actor, id: OperationId) -> Result<(), AppError>;
}

/// The operations of one service: any that is [`Shown`].
#[async_trait]
pub trait OperationService: Send + Sync {
    /// The frame that they run in.
    fn frame(&self) -> &Frame;

    /// As [`Shown::has`].
    fn has(&self, kind: OperationKind) -> bool;

    /// As [`Shown::details`].
    ///
    /// # Errors
    /// As [`Shown::details`].
    fn details(&self, operation: &Operation) -> Result<Details, StoreError>;

    /// Asks one to stop.
    async fn cancel(&self, actor: &Actor, by: RequestId, id: OperationId) -> Result<(), Problem>;

    /// Puts one back into the queue.
    async fn retry(&self, actor: &Actor, by: RequestId, id: OperationId) -> Result<(), Problem>;

    /// Lets one go on that waits for confirmation.
    async fn confirm(&self, actor: &Actor, by: RequestId, id: OperationId) -> Result<(), Problem>;

    /// Takes back what one did.
    async fn undo(&self, actor: &Actor, id: OperationId) -> Result<(), Problem>;
}

#[async_trait]
impl<S: Shown> OperationService for S {
    fn frame(&self) -> &Frame {
        Control::frame(self)
    }

    fn has(&self, kind: OperationKind) -> bool {
        Shown::has(self, kind)
    }

    fn details(&self, operation: &Operation) -> Result<Details, StoreError> {
        Shown::details(self, operation)
    }

    async fn cancel(&self, actor: &Actor, by: RequestId, id: OperationId) -> Result<(), Problem> {
        Ok(operations::cancel(self, actor, by, id).await?)
    }

    async fn retry(&self, actor: &Actor, by: RequestId, id: OperationId) -> Result<(), Problem> {
        Ok(operations::retry(self, actor, by, id).await?)
    }

    async fn confirm(&self, actor: &Actor, by: RequestId, id: OperationId) -> Result<(), Problem> {
        Ok(operations::confirm(self, actor, by, id).await?)
    }

    async fn undo(&self, actor: &Actor, id: OperationId) -> Result<(), Problem> {
        Ok(Shown::undo(self, actor, id).await?)
    }
}

/// The operations of every service at this address.
pub struct Operations {
    services: Vec<Arc<dyn OperationService>>,
}

type Caller = crate::Caller<Operations>;

impl Operations {
    /// Those of these services.
    pub const fn new(services: Vec<Arc<dyn OperationService>>) -> Self {
        Self { services }
    }

    /// An operation, and whose it is.
    async fn find(
        &self,
        actor: &Actor,
        id: OperationId,
    ) -> Result<(Arc<dyn OperationService>, Operation), Problem> {
        for service in self.services.iter() {
            let found = service.frame().operation(&actor.workspace, id).await?;
            if let Some(operation) = found {
                return Ok((Arc::clone(service), operation));
            }
        }
        Err(Problem::not_found())
    }
}

crate::routes! {
    Operations;
    read::{list, read},
    events::{events},
    control::{cancel, confirm, retry, undo},
}

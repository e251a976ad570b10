//! A communication is due: scheduler-service asks who gets it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::shared::WorkspaceId;
use events::{Envelope, v1::CommunicationDue};
use messaging::EventHandler;
use ports::bus::{Delivery, Outcome};

use crate::{AppError, UseCases};

/// Finds a part of the recipients of a communication.
pub struct FindRecipients(pub Arc<UseCases>);

#[async_trait]
impl EventHandler<CommunicationDue> for FindRecipients {
    async fn handle(&self, delivery: &Delivery, event: Envelope<CommunicationDue>) -> Outcome {
        let Ok(workspace) = WorkspaceId::parse(&event.attributes.workspace) else {
            return Outcome::reject("the workspace of the event is malformed");
        };
        let resolve = &self.0.recipients;
        let resolved = resolve.execute(&workspace, event.data, &delivery.receipt);
        match resolved.await {
            Ok(()) => Outcome::Done,
            Err(AppError::Store(error)) => Outcome::of(Err(error)),
            Err(error) => Outcome::reject(error.to_string()),
        }
    }
}

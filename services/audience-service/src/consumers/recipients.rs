//! A communication is due: scheduler-service asks who gets it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{contact::Document, shared::WorkspaceId};
use events::{Envelope, v1::CommunicationDue};
use messaging::EventHandler;
use ports::bus::{Delivery, Outcome};

use crate::{
    AppError, UseCases,
    recipient::{Wanted, WhoIsWanted},
};

/// Finds a part of the recipients of a communication.
pub struct FindRecipients(pub Arc<UseCases>);

#[async_trait]
impl EventHandler<CommunicationDue> for FindRecipients {
    async fn handle(&self, delivery: &Delivery, event: Envelope<CommunicationDue>) -> Outcome {
        let Some((wanted, who)) = wanted(&event) else {
            return Outcome::reject("an id or a channel of the event is malformed");
        };
        let resolve = &self.0.recipients;
        let resolved = resolve.execute(event.data, &wanted, who, &delivery.receipt);
        match resolved.await {
            Ok(()) => Outcome::Done,
            Err(AppError::Store(error)) => Outcome::of(Err(error)),
            Err(error) => Outcome::reject(error.to_string()),
        }
    }
}

fn wanted(event: &Envelope<CommunicationDue>) -> Option<(Wanted, WhoIsWanted)> {
    let data = &event.data;
    let channels = data.channels.iter().map(|channel| channel.parse().ok());
    let who = match &data.audience_id {
        None => WhoIsWanted::Customers(data.customers.clone()),
        Some(id) => {
            let after = data.after.clone().map(Document::from_stored);
            WhoIsWanted::Members(id.parse().ok()?, after)
        }
    };
    let wanted = Wanted {
        workspace: WorkspaceId::parse(&event.attributes.workspace).ok()?,
        channels: channels.collect::<Option<_>>()?,
        placeholders: data.placeholders.clone(),
        transactional: data.transactional,
    };
    Some((wanted, who))
}

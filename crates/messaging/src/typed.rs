//! Handlers of decoded events.

use std::marker::PhantomData;

use async_trait::async_trait;
use domain::shared::whole_surrogates;
use events::{Envelope, IntegrationEvent};
use ports::bus::{Delivery, Handler, Outcome};

/// Handles one type of event for one subscription, with the obligations of [`Handler`].
#[async_trait]
pub trait EventHandler<E: IntegrationEvent>: Send + Sync {
    /// Handles an event. It is dropped at the router's time limit, and a panic is a failed attempt.
    async fn handle(&self, delivery: &Delivery, event: Envelope<E>) -> Outcome;
}

/// Decodes, half of a surrogate pair as U+FFFD, and rejects what does not decode: trying again would not help.
pub struct Decoding<E, H> {
    handler: H,
    event: PhantomData<fn() -> E>,
}

impl<E, H> Decoding<E, H> {
    pub const fn new(handler: H) -> Self {
        Self {
            handler,
            event: PhantomData,
        }
    }
}

#[async_trait]
impl<E, H> Handler for Decoding<E, H>
where
    E: IntegrationEvent + Send + 'static,
    H: EventHandler<E>,
{
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let payload = &delivery.event.payload;
        let decoded = Envelope::decode(payload).or_else(|error| match whole_surrogates(payload) {
            Some(mended) => Envelope::decode(&mended),
            None => Err(error),
        });
        match decoded {
            Ok(event) => self.handler.handle(delivery, event).await,
            Err(error) => Outcome::reject(error.to_string()),
        }
    }
}

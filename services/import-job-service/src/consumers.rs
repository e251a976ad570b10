//! What the service does when an event arrives.

use async_trait::async_trait;
use events::{Envelope, v1::AudienceDropped};
use messaging::{EventHandler, Router};
use ports::bus::{Delivery, Outcome, Subscription};

/// Hears which audiences are gone.
pub const AUDIENCES: Subscription = Subscription::from_static("imports.audiences");

/// Adds everything that this service listens to.
pub fn listen(router: Router) -> Router {
    router.on(AUDIENCES, AudienceGone)
}

/// An audience was dropped. Imports do not name audiences, so there is none to end.
struct AudienceGone;

#[async_trait]
impl EventHandler<AudienceDropped> for AudienceGone {
    async fn handle(&self, _: &Delivery, event: Envelope<AudienceDropped>) -> Outcome {
        tracing::info!(audience = event.data.audience_id, "an audience was dropped");
        Outcome::Done
    }
}

//! What the service does when an event arrives.

mod customers;
mod notify;
mod recipients;
mod recyclings;
mod usages;

pub use customers::SyncCustomers;
pub use notify::NotifyUser;
pub use recipients::FindRecipients;
pub use recyclings::RecycleWritten;
pub use usages::NoteUsage;

use std::sync::Arc;

use messaging::Router;
use ports::bus::Subscription;

use crate::UseCases;

/// Adds every handler. Who must be heard stands in `events`, beside the names: every service's relay holds
/// an event back that one of them is to hear and does not.
pub fn listen(router: Router, app: &Arc<UseCases>) -> Router {
    router
        .on(
            Subscription::from_static(events::NOTIFICATIONS),
            NotifyUser(Arc::clone(app)),
        )
        .on(
            Subscription::from_static(events::CUSTOMERS),
            SyncCustomers(Arc::clone(app)),
        )
        .on(
            Subscription::from_static(events::USAGES),
            NoteUsage(Arc::clone(app)),
        )
        .on(
            Subscription::from_static(events::RECIPIENTS),
            FindRecipients(Arc::clone(app)),
        )
        .on(
            Subscription::from_static(events::RECYCLINGS),
            RecycleWritten(Arc::clone(app)),
        )
}

//! What the service does when an event arrives.

mod customers;
mod notify;

pub use customers::SyncCustomers;
pub use notify::NotifyUser;

use ports::bus::Subscription;

/// Makes notifications out of the ends of operations.
pub const NOTIFICATIONS: Subscription = Subscription::from_static("audience.notifications");
/// Makes customers out of the people of outside CRMs.
pub const CUSTOMERS: Subscription = Subscription::from_static("audience.customers");

//! What the service does when an event arrives.

mod notify;

pub use notify::NotifyUser;

use ports::bus::Subscription;

/// Makes notifications out of the ends of operations.
pub const NOTIFICATIONS: Subscription = Subscription::from_static("audience.notifications");

//! When things happen by themselves, and what is sent to whom then.
//!
//! A communication waits until its instant. Then it is claimed, once, as an occurrence; its recipients are resolved,
//! and each gets a dispatch per channel. What became of each is kept by recipient and channel.

mod communication;
mod cron;
mod dispatch;
mod lane;
mod local_time;
mod message;
mod plan;
mod template;

pub use communication::{AlreadyDispatched, Communication, CommunicationState, Occurrence};
pub use cron::{Cron, CronError};
pub use dispatch::{DispatchId, Recipient, RecipientKey, RecipientStatus, SkipReason, Totals};
pub use lane::Lane;
pub use local_time::local_instant;
pub use message::{Compiled, Content, Message, Variant};
pub use plan::{MAX_CUSTOMERS, Misfire, Plan, QuietHours, Recipients, Timing};
pub use template::{Template, TemplateError};

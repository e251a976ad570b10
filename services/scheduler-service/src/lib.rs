//! scheduler-service: communications that leave at their instants.
//!
//! A communication waits until its instant, is claimed once, and its recipients are found by audience-service; then each
//! gets a dispatch per channel, and senders report what became of it. `module` puts it together.

mod communication;
mod consumers;
mod dispatch;
pub mod http;
pub mod module;
#[cfg(test)]
mod tests;
mod use_cases;
mod workers;

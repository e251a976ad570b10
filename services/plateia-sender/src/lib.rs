//! Reference senders: they take dispatches from the bus, send each once, and report what became of it.
//!
//! A sender of one's own does the same: it listens to `dispatch.requested`, to all of it or to a channel, tells dispatches
//! apart by `dispatch_id`, and answers with `dispatch.reported` or over `POST /api/v1/dispatches/reports`.

pub mod handler;
pub mod log;
pub mod module;
mod workers;

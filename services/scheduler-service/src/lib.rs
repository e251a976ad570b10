//! scheduler-service: what happens at a planned time.
//!
//! `consumers` says what it listens to; `wiring` puts it together.

pub mod consumers;
pub mod wiring;

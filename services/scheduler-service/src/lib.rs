//! scheduler-service: what happens at a planned time.
//!
//! `module` puts it together.

pub mod module;

//! When things happen by themselves.

mod schedule;

pub use schedule::{Schedule, ScheduleError};

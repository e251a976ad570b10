//! When things happen by themselves.

mod cron;

pub use cron::{Cron, CronError};

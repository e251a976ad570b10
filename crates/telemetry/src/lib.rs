//! Logs, traces and metrics of a process.
//!
//! Depends on nothing of the workspace. No personal data in any of the three.

mod init;
mod metrics;
mod propagation;

pub use init::{Config, Guard, InitError, LogFormat, init};
pub use metrics::{Metrics, MetricsError};
pub use prometheus::{IntCounterVec, IntGaugeVec};
pub use propagation::{continue_trace, traceparent};

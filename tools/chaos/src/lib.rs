//! Faults on purpose: real servers and replicas under load, disturbed in every way there is a name for,
//! and a checker that holds the end against what was acknowledged.

pub mod broker;
pub mod cases;
pub mod check;
pub mod communications;
pub mod history;
pub mod load;
pub mod observe;
pub mod replica;
pub mod rig;
pub mod run;
pub mod servers;

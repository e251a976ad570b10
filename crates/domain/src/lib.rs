//! Pure types and rules of Plateia: no I/O, no async, no clock.
//!
//! Depends on nothing of the workspace; everything else may depend on it.

pub mod audience;
pub mod contact;
pub mod customer;
pub mod importing;
pub mod notification;
pub mod operation;
pub mod recycle;
pub mod scheduling;
pub mod segment;
pub mod shared;
pub mod suppression;
pub mod workspace;

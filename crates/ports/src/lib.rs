//! What the hexagons need from outside: traits, their errors, and what an implementation owes.
//!
//! Depends on `domain` only. Adapters implement these traits; use cases call them; nobody else does.

pub mod auth;
pub mod bus;
mod clock;
pub mod contacts;
pub mod crash;
pub mod crm;
mod error;
pub mod files;
pub mod idempotency;
pub mod importing;
pub mod scheduling;
pub mod segments;
pub mod sending;
pub mod store;
pub mod trace;
mod vault;
pub mod warehouse;

pub use clock::{Clock, IdGenerator};
pub use error::{BoxError, ErrorClass, StoreError, constraint};
pub use vault::SecretVault;

//! The outside CRM over HTTP: how it is reached, and what it sends.
//!
//! The address comes from a user, so it is not trusted: https on its own port only, names are
//! resolved once per connection and private addresses left out, redirects are not followed, and what
//! is answered is limited in size and time. A list of hosts and ports opens the guard for installations
//! whose CRM is inside.

mod address;
mod client;
mod error;
mod guard;
pub mod wire;

pub use address::is_public;
pub use client::{HttpCrm, Settings};
pub use guard::{AllowedHosts, AllowedHostsError, Lookup, SystemLookup};
pub use http_client::Timeouts;

//! Recipients of communications: who they are when one is due, and where each is reached.

mod resolve;
mod route;

pub use resolve::{ResolveRecipients, Wanted, WhoIsWanted};

//! Recipients of communications: who they are when one is due, and where each is reached.

mod fresh;
mod resolve;
mod route;
mod suppressed;
mod wanted;

pub use resolve::ResolveRecipients;
pub use wanted::{Wanted, WhoIsWanted};

//! What the use cases of every service share: why they refuse, who acts, which request it is and what it did, what is stored
//! as JSON, fingerprints, pages, events on their way out, wake-ups, and questions between services.

mod actor;
pub mod directory;
mod error;
mod event;
mod fingerprint;
mod paging;
pub mod payload;
pub mod receipt;
mod request;
mod wake;

pub use actor::Actor;
pub use error::{AppError, Stop, file_failure, may_pass};
pub use event::EventSource;
pub use fingerprint::Fnv;
pub use paging::cut;
pub use request::RequestId;
pub use wake::{Topic, Wake};

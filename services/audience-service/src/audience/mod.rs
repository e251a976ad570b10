//! Audiences: finding, listing, changing, dropping, restoring.

mod change;
mod find;
mod made;
mod new;
mod visibility;

pub use change::ChangeAudience;
pub(crate) use change::ready;
pub use find::{FindAudience, ListAudiences};
pub(crate) use made::{made_by, makes_audience, new_target};
pub use new::NewAudiences;
pub use visibility::AudienceVisibility;

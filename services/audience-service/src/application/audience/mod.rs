//! Audiences: finding, listing, changing, dropping, restoring.

mod change;
mod find;
mod made;
mod new;
mod visibility;

pub use change::{AudienceChange, ChangeAudience};
pub(crate) use change::{api_only, ready};
pub use find::{FindAudience, ListAudiences};
pub(crate) use made::{made_by, makes_audience, new_target};
pub use new::NewAudiences;
pub use visibility::AudienceVisibility;

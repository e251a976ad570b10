//! Audiences: finding, listing, changing, dropping, restoring, and what uses them.

mod change;
mod find;
mod made;
mod new;
mod references;
mod usages;
mod visibility;

pub use change::ChangeAudience;
pub(crate) use change::ready;
pub use find::{FindAudience, ListAudiences};
pub(crate) use made::{made_by, makes_audience, new_target};
pub use new::NewAudiences;
pub(crate) use references::{Look, ensure_sound};
pub(crate) use usages::ensure_unused;
pub use usages::{AudienceUsages, ToldUsage};
pub use visibility::AudienceVisibility;

//! What handlers share.

use std::sync::Arc;

use http_kit::{ContactIds, Problem, SharedToken};
use ports::scheduling::Directory;

use crate::{UseCases, dead_letter::DeadLetters};

/// Who calls: the first argument of every handler, and its way to [`ApiState`].
pub type Caller = http_kit::Caller<ApiState>;

/// What handlers share.
pub struct ApiState {
    /// The use cases.
    pub app: Arc<UseCases>,
    /// Contact ids.
    pub contact_ids: ContactIds,
    /// What there is in workspaces, for other services.
    pub directory: Arc<dyn Directory>,
    /// Opens that to them.
    pub peers: SharedToken,
    /// What the bus gave up.
    pub dead_letters: DeadLetters,
    /// Most items of one write.
    pub item_limit: usize,
    /// Which installation this is.
    pub environment: String,
}

/// Refuses a request of too many items.
///
/// # Errors
/// 413.
pub fn at_most(limit: usize, items: &[impl Sized]) -> Result<(), Problem> {
    match items.len() > limit {
        true => Err(Problem::too_large(format!("more than {limit} items"))),
        false => Ok(()),
    }
}

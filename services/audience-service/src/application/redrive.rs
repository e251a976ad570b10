//! What a request to send dead letters again is about.

use domain::shared::Instant;
use kernel::receipt;
use ports::{
    bus::DeadLetter,
    store::{AudienceStore, Durability},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::{AppResult, RequestId};

/// The dead letters of one request: those found when it first came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriving {
    /// How many.
    pub count: u64,
    /// When the latest of them was given up; later ones are none of them.
    pub last: Option<Instant>,
}

impl Redriving {
    /// Whether a letter may be one of them.
    pub fn is_about(&self, letter: &DeadLetter) -> bool {
        self.last.is_some_and(|last| letter.buried_at <= last)
    }
}

/// Remembers which dead letters a request is about.
#[derive(Clone)]
pub struct KeepRedriving {
    pub(crate) store: Arc<dyn AudienceStore>,
}

impl KeepRedriving {
    /// Keeps which letters the request is about before the first is sent again: places that keep dead
    /// letters have no common transaction, so a repetition after a crash goes on with those that are left.
    ///
    /// # Errors
    /// Store errors.
    pub async fn execute(
        &self,
        request_id: RequestId,
        found: &[DeadLetter],
    ) -> AppResult<Redriving> {
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(earlier) = receipt::earlier(uow.receipts(), request_id).await? {
            return Ok(earlier);
        }
        let redriving = Redriving {
            count: u64::try_from(found.len()).unwrap_or(u64::MAX),
            last: found.iter().map(|letter| letter.buried_at).max(),
        };
        receipt::keep(uow.receipts(), request_id, &redriving).await?;
        uow.commit().await?;
        Ok(redriving)
    }
}

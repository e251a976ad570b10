//! The key of a content, as its columns hold it.

use domain::shared::{AudienceId, Epoch};
use ports::contacts::ContentKey;

/// A key as the ports have it.
pub(super) const fn key(audience: i64, epoch: i64) -> ContentKey {
    ContentKey {
        audience: AudienceId::from_raw(audience),
        epoch: Epoch(epoch),
    }
}

/// A key as the tables have it.
pub(super) const fn raw(key: ContentKey) -> (i64, i64) {
    (key.audience.raw(), key.epoch.0)
}

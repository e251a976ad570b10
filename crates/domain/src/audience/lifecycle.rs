//! From being made to being dropped: what readers see of an audience.

use super::{Audience, Visibility};
use crate::shared::Instant;

impl Audience {
    /// Drops it: it stays readable and can be restored. `false` where it is dropped already.
    pub fn drop_at(&mut self, now: Instant) -> bool {
        let live = self.deleted_at.is_none();
        if live {
            self.0.deleted_at = Some(now);
            self.changed(now);
        }
        live
    }

    /// Brings it back. `false` where it is not dropped.
    pub fn restore(&mut self, now: Instant) -> bool {
        let dropped = self.0.deleted_at.take().is_some();
        if dropped {
            self.changed(now);
        }
        dropped
    }

    /// Shows what an operation has completed. `false` where it shows already.
    pub fn show(&mut self, now: Instant) -> bool {
        let hidden = !self.is_visible();
        if hidden {
            self.0.visibility = Visibility::Ready;
            self.0.updated_at = now;
        }
        hidden
    }

    /// Gives it up before it ever showed, and its name with it. `false` where it is not being made.
    pub fn abandon(&mut self) -> bool {
        self.pass(Visibility::Creating, Visibility::Abandoned)
    }

    /// Takes up again what was given up. `false` where it was not.
    pub fn resume(&mut self) -> bool {
        self.pass(Visibility::Abandoned, Visibility::Creating)
    }

    fn pass(&mut self, from: Visibility, to: Visibility) -> bool {
        let passes = self.0.visibility == from;
        if passes {
            self.0.visibility = to;
        }
        passes
    }
}

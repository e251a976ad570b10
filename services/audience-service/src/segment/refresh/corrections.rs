//! What nightly refreshes find in live audiences that should have been found before.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

type Sink = Box<dyn Fn(u64) + Send + Sync>;

/// Counts members whom a nightly refresh of a live audience had to add or take away.
#[derive(Clone, Default)]
pub struct Corrections(Arc<OnceLock<Sink>>);

impl fmt::Debug for Corrections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Corrections")
    }
}

impl Corrections {
    /// Tells whoever keeps the count. The first one stays.
    pub fn tell(&self, sink: impl Fn(u64) + Send + Sync + 'static) {
        // A second one has nothing to be told.
        let _ = self.0.set(Box::new(sink));
    }

    pub(super) fn add(&self, members: u64) {
        if let Some(sink) = self.0.get() {
            sink(members);
        }
    }
}

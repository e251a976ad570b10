//! Wake-ups between tasks of one process.

use std::{sync::Arc, time::Duration};

use ports::bus::WakeUp;
use tokio::sync::Notify;

/// Wakes one loop. A wake-up that comes while the loop works is kept until it sleeps.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<Notify>);

impl Signal {
    /// Waits for a wake-up, `poll` at most.
    pub async fn wait(&self, poll: Duration) {
        // Either way the caller looks for work.
        let _ = tokio::time::timeout(poll, self.0.notified()).await;
    }
}

impl From<Arc<Notify>> for Signal {
    fn from(notify: Arc<Notify>) -> Self {
        Self(notify)
    }
}

impl WakeUp for Signal {
    fn wake(&self) {
        self.0.notify_one();
    }
}

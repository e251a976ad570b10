//! Signals inside one process: a commit here wakes who waits there. Losing one costs at most a poll.

use std::sync::Arc;

use tokio::sync::{
    Notify,
    broadcast::{self, error::RecvError},
};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// An operation changed (raw id).
    Operation(i64),
    /// Someone asked an operation to stop (raw id).
    Cancel(i64),
    /// A user's feed has a new event: workspace and user.
    Feed(String, String),
}

impl Topic {
    /// Waits until this happens, or may have happened: a listener that was too slow has to look.
    pub async fn heard(&self, topics: &mut broadcast::Receiver<Self>) {
        loop {
            match topics.recv().await {
                Ok(topic) if topic == *self => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

/// Signals inside one process.
#[derive(Clone)]
pub struct Wake {
    work: Arc<Notify>,
    outbox: Arc<Notify>,
    topics: broadcast::Sender<Topic>,
}

impl Default for Wake {
    fn default() -> Self {
        let (topics, _) = broadcast::channel(1024);
        Self {
            work: Arc::default(),
            outbox: Arc::default(),
            topics,
        }
    }
}

impl Wake {
    /// There is an operation to claim.
    pub fn work(&self) {
        self.work.notify_waiters();
        self.work.notify_one();
    }

    /// What workers wait on.
    pub fn on_work(&self) -> Arc<Notify> {
        Arc::clone(&self.work)
    }

    /// There is an event to relay.
    pub fn outbox(&self) {
        self.outbox.notify_one();
    }

    /// What the relay waits on.
    pub fn on_outbox(&self) -> Arc<Notify> {
        Arc::clone(&self.outbox)
    }

    /// Tells streams.
    pub fn publish(&self, topic: Topic) {
        // Nobody listening is no failure: streams read the store when they begin.
        let _ = self.topics.send(topic);
    }

    /// What streams listen to.
    pub fn subscribe(&self) -> broadcast::Receiver<Topic> {
        self.topics.subscribe()
    }
}

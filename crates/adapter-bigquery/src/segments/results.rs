//! Results that BigQuery still has: whoever asks the same again reads them again, and is not billed.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::segment::SegmentQuery;

use crate::{Begun, Query};

/// BigQuery keeps results for a day. After this, the data may be others.
const KEPT: Duration = Duration::from_secs(3_600);
/// Most results that are remembered.
const MOST: usize = 64;

/// What was asked: by whom, about which present, and a fingerprint of the query with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    workspace: String,
    now: domain::shared::Instant,
    query: u64,
}

impl Key {
    pub fn of(asked: &SegmentQuery, query: &Query) -> Self {
        let mut hasher = DefaultHasher::new();
        let body = serde_json::Value::from(query.body([]));
        body.to_string().hash(&mut hasher);
        Self {
            workspace: asked.workspace.as_str().to_owned(),
            now: asked.now,
            query: hasher.finish(),
        }
    }
}

/// The jobs of results.
#[derive(Default)]
pub struct Results(Mutex<VecDeque<(Key, Begun, Instant)>>);

impl Results {
    /// The job that has the result.
    pub fn find(&self, key: &Key, now: Instant) -> Option<Begun> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, _, since)| now.saturating_duration_since(*since) < KEPT);
        let found = known.iter().find(|(known, ..)| known == key);
        found.map(|(_, begun, _)| begun.clone())
    }

    /// Remembers the job of a result.
    pub fn keep(&self, key: Key, begun: Begun, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(known, ..)| *known != key);
        if known.len() == MOST {
            known.pop_front();
        }
        known.push_back((key, begun, now));
    }

    /// Forgets a result that cannot be read.
    pub fn forget(&self, key: &Key) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(known, ..)| known != key);
    }
}

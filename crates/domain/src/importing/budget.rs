//! The rate budget: how many requests may start, and when the next one may.

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::{ApiToken, BaseUrl, RequestsPerMinute};
use crate::shared::Instant;

/// No more than the limit start in any window of this length. It is longer than a minute by what a
/// request may take from its permission to its arrival, so that the other side counts no more than
/// the limit in 60.5 seconds; and short enough that over 96 % of the limit are used.
pub const WINDOW: TimeDelta = TimeDelta::seconds(62);

/// Starts within one grain count as started at its last one, so that a row with some hundred numbers
/// is enough at any rate.
const GRAIN_MS: i64 = 100;

/// Who shares a budget: the same base URL and token. The token cannot be read from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey(String);

impl BudgetKey {
    /// Of an address and a token.
    pub fn of(base_url: &BaseUrl, token: &ApiToken) -> Self {
        let digest = Sha256::new()
            .chain_update(base_url.as_str())
            .chain_update([0])
            .chain_update(token.reveal())
            .finalize();
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A key that a store returned.
    pub const fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The answer to a wish to start requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// So many may start now, at least one.
    Granted(u32),
    /// None before this instant.
    WaitUntil(Instant),
}

/// The starts of one budget within the window: what all who share it agree on. An implementation of
/// the budget loads it, asks it, and stores it, with nobody between, by one clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// Instant in milliseconds of the last start of a grain, and how many; oldest first.
    starts: Vec<(i64, u32)>,
    /// Nothing starts before: the other side asked for it.
    paused_until: i64,
}

impl Pace {
    /// Asks to start `wanted` requests now, at most `limit` in a window. What is granted counts as
    /// started.
    pub fn admit(&mut self, now: Instant, limit: RequestsPerMinute, wanted: u32) -> Admission {
        let now = now.timestamp_millis();
        let window = WINDOW.num_milliseconds();
        // A clock that was set back must not make anybody wait for longer than a window.
        for (at, _) in &mut self.starts {
            *at = (*at).min(now);
        }
        self.starts.retain(|(at, _)| at + window > now);
        if now < self.paused_until {
            return wait_until(self.paused_until);
        }
        let used: u32 = self.starts.iter().map(|(_, count)| count).sum();
        let free = limit.get().saturating_sub(used).min(wanted.max(1));
        if free > 0 {
            self.note(now, free);
            return Admission::Granted(free);
        }
        // With a limit that was lowered, more than the oldest must have left the window.
        let mut excess = used - limit.get() + 1;
        for (at, count) in &self.starts {
            if *count >= excess {
                return wait_until(at + window);
            }
            excess -= count;
        }
        wait_until(now + window)
    }

    /// Lets nobody start before `until`, as the other side asked; never shortens a pause.
    pub fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(until.timestamp_millis());
    }

    fn note(&mut self, now: i64, count: u32) {
        match self.starts.last_mut() {
            Some((at, so_far)) if now.div_euclid(GRAIN_MS) == at.div_euclid(GRAIN_MS) => {
                *at = now;
                *so_far += count;
            }
            _ => self.starts.push((now, count)),
        }
    }

    /// As it is stored: the pause, then instants and counts, twelve bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.paused_until.to_le_bytes().to_vec();
        for (at, count) in &self.starts {
            bytes.extend(at.to_le_bytes());
            bytes.extend(count.to_le_bytes());
        }
        bytes
    }

    /// As a store returned it; nothing for bytes that no [`Self::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (pause, starts) = bytes.split_first_chunk::<8>()?;
        let (starts, []) = starts.as_chunks::<12>() else {
            return None;
        };
        let start = |bytes: &[u8; 12]| {
            let (at, count) = bytes.split_first_chunk::<8>()?;
            Some((
                i64::from_le_bytes(*at),
                u32::from_le_bytes(count.try_into().ok()?),
            ))
        };
        Some(Self {
            starts: starts.iter().map(start).collect::<Option<_>>()?,
            paused_until: i64::from_le_bytes(*pause),
        })
    }
}

fn wait_until(ms: i64) -> Admission {
    Admission::WaitUntil(Instant::from_timestamp_millis(ms).unwrap_or(Instant::MAX_UTC))
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;

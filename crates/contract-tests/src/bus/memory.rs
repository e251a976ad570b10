//! A bus in memory, for tests of what works on outbox and inbox. It passes the same cases.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use domain::shared::Instant;
use ports::{
    StoreError,
    bus::{
        DeadLetter, DeadLetterCursor, DeadLetters, Delivered, Delivery, EventId, InboxStore,
        OutboxClaim, OutboxEvent, OutboxQueue, OutboxStats, Receipt, Redrive, Retry, Settlement,
        Subscription,
    },
    constraint,
};

use super::{BusHarness, End};

/// Outbox and inbox of one process, under one lock.
#[derive(Default)]
pub struct MemoryBus(Mutex<Tables>);

#[derive(Clone, Default)]
struct Tables {
    outbox: Vec<Outgoing>,
    inbox: BTreeMap<(Subscription, EventId), Incoming>,
}

#[derive(Clone)]
struct Outgoing {
    claim: OutboxClaim,
    /// Until when it is leased or waits.
    due: Instant,
    sent: Option<Instant>,
}

#[derive(Clone)]
struct Incoming {
    event: OutboxEvent,
    state: State,
    /// Since when ready, until when running, when done or dead.
    at: Instant,
    attempts: u32,
    fence: i64,
    received_at: Instant,
    reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Running,
    Done,
    Dead,
}

impl MemoryBus {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }
}

impl Tables {
    fn settle(&mut self, receipt: &Receipt, state: State, at: Instant, reason: &str) -> Settlement {
        let key = (receipt.subscription.clone(), receipt.event_id.clone());
        match self.inbox.get_mut(&key) {
            Some(row) if row.state == State::Running && row.fence == receipt.fence => {
                (row.state, row.at, row.reason) = (state, at, reason.to_owned());
                Settlement::Applied
            }
            Some(row) if row.state == State::Done => Settlement::AlreadyDone,
            _ => Settlement::Lost,
        }
    }
}

#[async_trait]
impl OutboxQueue for MemoryBus {
    async fn claim(
        &self,
        limit: usize,
        now: Instant,
        lease: Duration,
    ) -> Result<Vec<OutboxClaim>, StoreError> {
        let (mut claims, mut held) = (Vec::new(), BTreeSet::new());
        for row in self
            .tables()
            .outbox
            .iter_mut()
            .filter(|row| row.sent.is_none())
        {
            let aggregate = &row.claim.event.aggregate;
            if claims.len() == limit || row.due > now || held.contains(aggregate) {
                held.insert(aggregate.clone());
                continue;
            }
            row.due = now + lease;
            row.claim.attempt += 1;
            claims.push(row.claim.clone());
        }
        Ok(claims)
    }

    async fn mark_sent(&self, events: &[EventId], now: Instant) -> Result<(), StoreError> {
        for row in &mut self.tables().outbox {
            if events.contains(&row.claim.event.event_id) {
                row.sent.get_or_insert(now);
            }
        }
        Ok(())
    }

    async fn reschedule(&self, retries: &[Retry]) -> Result<(), StoreError> {
        for row in &mut self.tables().outbox {
            let holds = |r: &&Retry| {
                r.event_id == row.claim.event.event_id && r.attempt == row.claim.attempt
            };
            if let Some(retry) = retries.iter().find(holds) {
                row.due = retry.due;
            }
        }
        Ok(())
    }

    async fn stats(&self) -> Result<OutboxStats, StoreError> {
        let tables = self.tables();
        let waiting = || tables.outbox.iter().filter(|row| row.sent.is_none());
        Ok(OutboxStats {
            waiting: waiting().count() as u64,
            oldest: waiting().map(|row| row.claim.added_at).min(),
        })
    }

    async fn purge(&self, sent_before: Instant, limit: usize) -> Result<u64, StoreError> {
        let mut deleted = 0;
        self.tables().outbox.retain(|row| {
            let old = deleted < limit && row.sent.is_some_and(|at| at < sent_before);
            deleted += usize::from(old);
            !old
        });
        Ok(deleted as u64)
    }
}

#[async_trait]
impl InboxStore for MemoryBus {
    async fn deliver(
        &self,
        subscription: &Subscription,
        event: &OutboxEvent,
        now: Instant,
    ) -> Result<Delivered, StoreError> {
        let mut tables = self.tables();
        let key = (subscription.clone(), event.event_id.clone());
        if tables.inbox.contains_key(&key) {
            return Ok(Delivered::Duplicate);
        }
        let row = Incoming {
            event: event.clone(),
            state: State::Ready,
            at: now,
            attempts: 0,
            fence: 0,
            received_at: now,
            reason: String::new(),
        };
        tables.inbox.insert(key, row);
        Ok(Delivered::Stored)
    }

    async fn claim(
        &self,
        subscription: &Subscription,
        limit: usize,
        now: Instant,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut tables = self.tables();
        let mut due: Vec<_> = tables
            .inbox
            .iter_mut()
            .filter(|((owner, _), row)| {
                owner == subscription
                    && matches!(row.state, State::Ready | State::Running)
                    && row.at <= now
            })
            .collect();
        due.sort_by_key(|(_, row)| row.at);
        let claimed = due
            .into_iter()
            .take(limit)
            .map(|((subscription, event_id), row)| {
                (row.state, row.at) = (State::Running, now + lease);
                row.attempts += 1;
                row.fence += 1;
                let receipt = Receipt {
                    subscription: subscription.clone(),
                    event_id: event_id.clone(),
                    fence: row.fence,
                };
                let event = row.event.clone();
                Delivery {
                    receipt,
                    event,
                    attempt: row.attempts,
                    received_at: row.received_at,
                }
            });
        Ok(claimed.collect())
    }

    async fn complete(&self, receipt: &Receipt, now: Instant) -> Result<Settlement, StoreError> {
        Ok(self.tables().settle(receipt, State::Done, now, ""))
    }

    async fn retry(
        &self,
        receipt: &Receipt,
        due: Instant,
        reason: &str,
    ) -> Result<Settlement, StoreError> {
        Ok(self.tables().settle(receipt, State::Ready, due, reason))
    }

    async fn bury(
        &self,
        receipt: &Receipt,
        reason: &str,
        now: Instant,
    ) -> Result<Settlement, StoreError> {
        Ok(self.tables().settle(receipt, State::Dead, now, reason))
    }

    async fn purge(&self, done_before: Instant, limit: usize) -> Result<u64, StoreError> {
        let mut deleted = 0;
        self.tables().inbox.retain(|_, row| {
            let old = deleted < limit && row.state == State::Done && row.at < done_before;
            deleted += usize::from(old);
            !old
        });
        Ok(deleted as u64)
    }
}

#[async_trait]
impl DeadLetters for MemoryBus {
    async fn list(
        &self,
        subscription: Option<&Subscription>,
        after: Option<&DeadLetterCursor>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let tables = self.tables();
        let dead = tables
            .inbox
            .iter()
            .filter(|(_, row)| row.state == State::Dead);
        let mut letters: Vec<_> = dead
            .map(|((subscription, _), row)| DeadLetter {
                subscription: subscription.clone(),
                event: row.event.clone(),
                attempts: row.attempts,
                reason: row.reason.clone(),
                buried_at: row.at,
            })
            .filter(|letter| subscription.is_none_or(|wanted| letter.subscription == *wanted))
            .filter(|letter| after.is_none_or(|after| letter.cursor() > *after))
            .collect();
        letters.sort_by_key(DeadLetter::cursor);
        letters.truncate(limit);
        Ok(letters)
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let tables = self.tables();
        Ok(tables
            .inbox
            .values()
            .filter(|row| row.state == State::Dead)
            .count() as u64)
    }

    async fn redrive(&self, which: &Redrive, now: Instant) -> Result<u64, StoreError> {
        let mut sent = 0;
        for ((subscription, event), row) in &mut self.tables().inbox {
            let wanted = match which {
                Redrive::One(owner, id) => owner == subscription && id == event,
                Redrive::Subscription(owner) => owner == subscription,
                Redrive::All => true,
            };
            if wanted && row.state == State::Dead {
                (row.state, row.at, row.attempts) = (State::Ready, now, 0);
                sent += 1;
            }
        }
        Ok(sent)
    }
}

#[async_trait]
impl BusHarness for MemoryBus {
    fn outbox(&self) -> &dyn OutboxQueue {
        self
    }

    fn inbox(&self) -> &dyn InboxStore {
        self
    }

    fn dead(&self) -> &dyn DeadLetters {
        self
    }

    async fn transact(
        &self,
        events: Vec<OutboxEvent>,
        receipts: Vec<Receipt>,
        now: Instant,
        end: End,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let mut work = tables.clone();
        for event in events {
            if work
                .outbox
                .iter()
                .any(|row| row.claim.event.event_id == event.event_id)
            {
                return Err(StoreError::Conflict {
                    constraint: constraint::OTHER,
                });
            }
            let claim = OutboxClaim {
                event,
                attempt: 0,
                added_at: now,
            };
            work.outbox.push(Outgoing {
                claim,
                due: now,
                sent: None,
            });
        }
        for receipt in &receipts {
            if work.settle(receipt, State::Done, now, "") != Settlement::Applied {
                return Err(StoreError::StaleVersion);
            }
        }
        if end == End::Commit {
            *tables = work;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryBus;

    crate::bus_contract!(async { Some(MemoryBus::default()) });
}

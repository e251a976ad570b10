//! What a store owes for requests: idempotency, receipts, API keys, and what is deleted in time.
//!
//! An adapter implements [`RequestsHarness`] over a fresh, migrated database and expands
//! [`requests_contract!`](crate::requests_contract) in its tests.

#![expect(clippy::unwrap_used, reason = "tests, for other crates to run")]

pub mod housekeeping;
pub mod idempotency;
pub mod keys;
pub mod receipts;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::shared::Instant;
use ports::{
    Clock, IdGenerator,
    auth::ApiKeyStore,
    idempotency::IdempotencyStore,
    store::{AudienceQueries, AudienceStore},
};

use crate::store::at;

/// An adapter under test, over a database of its own.
pub trait RequestsHarness: Send + Sync {
    /// Opens units of work.
    fn store(&self) -> &dyn AudienceStore;
    /// Reads outside of one.
    fn queries(&self) -> &dyn AudienceQueries;
    /// Reservations, on [`RequestsHarness::clock`].
    fn idempotency(&self) -> &dyn IdempotencyStore;
    /// What the reservations go by.
    fn clock(&self) -> &ManualClock;
    /// API keys.
    fn keys(&self) -> &dyn ApiKeyStore;
}

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`RequestsHarness`], `None` to skip.
#[macro_export]
macro_rules! requests_contract {
    ($harness:expr) => {
        $crate::requests_contract!(@ $harness;
            idempotency: a_key_is_fresh_once,
                an_answer_is_replayed_as_it_was,
                other_content_is_a_mismatch,
                a_lapsed_lease_is_taken_over_under_the_same_write_id,
                a_renewed_lease_lasts_longer,
                an_abandoned_attempt_is_taken_over_at_once,
                a_released_key_is_unused,
                only_the_holder_ends_a_reservation,
                an_answer_is_final,
                an_old_entry_counts_as_unused,
                every_part_of_the_scope_counts,
                of_concurrent_requests_one_is_served;
            receipts: a_receipt_is_found_by_its_write,
                a_second_receipt_is_a_conflict,
                a_rolled_back_receipt_was_never_there;
            keys: a_key_opens_its_workspace,
                a_key_keeps_its_first_owner,
                an_unknown_key_opens_nothing;
            housekeeping: what_is_young_stays,
                what_is_old_goes_in_batches;
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::requests::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

/// A clock that stands until it is moved.
pub struct ManualClock(Mutex<Instant>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Mutex::new(at(0)))
    }
}

impl ManualClock {
    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

/// Identifiers from 1 on.
#[derive(Default)]
pub struct Sequence(AtomicI64);

impl IdGenerator for Sequence {
    fn next(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

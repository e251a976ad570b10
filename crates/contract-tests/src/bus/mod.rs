//! What every outbox and inbox owes, as cases that run on any adapter.
//!
//! An adapter implements [`BusHarness`] over a fresh database and expands
//! [`bus_contract!`](crate::bus_contract) in its tests.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests, for other crates to run"
)]

pub mod dead;
pub mod inbox;
pub mod memory;
pub mod outbox;
pub mod travel;

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::shared::{Instant, WorkspaceId};
use ports::{
    StoreError,
    bus::{
        DeadLetters, Delivery, EventId, InboxStore, OutboxClaim, OutboxEvent, OutboxQueue, Receipt,
        Subscription,
    },
};

/// How a unit of work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Committed.
    Commit,
    /// Dropped.
    RollBack,
}

/// An adapter under test, over a database of its own.
#[async_trait]
pub trait BusHarness: Send + Sync {
    /// The relay's side.
    fn outbox(&self) -> &dyn OutboxQueue;
    /// The router's side.
    fn inbox(&self) -> &dyn InboxStore;
    /// The operator's side.
    fn dead(&self) -> &dyn DeadLetters;
    /// In one unit of work adds `events` to the outbox and completes `receipts`, in this order. The
    /// first error is the result, and then nothing is committed.
    async fn transact(
        &self,
        events: Vec<OutboxEvent>,
        receipts: Vec<Receipt>,
        now: Instant,
        end: End,
    ) -> Result<(), StoreError>;
}

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`BusHarness`], `None` to skip.
#[macro_export]
macro_rules! bus_contract {
    ($harness:expr) => {
        $crate::bus_contract!(@ $harness;
            outbox: rollback_leaves_nothing,
                an_event_id_is_added_once,
                claims_come_in_order,
                many_events_of_one_call_come_in_order,
                a_claimed_event_holds_back_its_aggregate,
                a_rescheduled_event_holds_back_its_aggregate,
                two_claimers_share_without_overlap,
                a_lapsed_lease_is_taken_over,
                a_claim_taken_over_cannot_be_rescheduled,
                marking_sent_ends_an_event,
                only_sent_events_are_purged;
            inbox: a_repeated_delivery_is_one_row,
                every_subscription_has_its_own_row,
                an_event_comes_back_as_it_was,
                two_claimers_get_different_rows,
                completing_belongs_to_the_unit_of_work,
                rollback_of_the_effect_keeps_the_delivery,
                a_stale_receipt_changes_nothing,
                a_retry_waits_for_its_time,
                only_done_rows_are_purged;
            dead: a_buried_delivery_is_listed_not_claimed,
                the_list_goes_on_after_a_cursor,
                a_redrive_starts_anew,
                a_redrive_ends_older_claims,
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+ $(,)?);+ $(;)?) => {
        $(mod $module {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::bus::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

const LEASE: Duration = Duration::from_secs(30);
/// A subscription.
pub const AUDIT: Subscription = Subscription::from_static("test.audit");
/// Another subscription.
pub const MAIL: Subscription = Subscription::from_static("test.mail");

/// The instant `seconds` after the beginning of every case.
pub fn at(seconds: i64) -> Instant {
    Instant::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

/// An event whose payload is not text.
pub fn event(id: &str, aggregate: &str) -> OutboxEvent {
    OutboxEvent {
        event_id: EventId::new(id),
        event_type: "plateia.test.happened.v1".into(),
        aggregate: aggregate.into(),
        aggregate_version: i64::MAX,
        workspace: WorkspaceId::parse("ws_test").unwrap(),
        payload: vec![0, 0xff, b'"', b'\''],
    }
}

fn ids(events: &[OutboxClaim]) -> Vec<&str> {
    events
        .iter()
        .map(|claim| claim.event.event_id.as_str())
        .collect()
}

/// The deliveries of the first claim at `now`.
async fn claim(harness: &dyn BusHarness, limit: usize, now: Instant) -> Vec<Delivery> {
    harness
        .inbox()
        .claim(&AUDIT, limit, now, LEASE)
        .await
        .unwrap()
}

/// Delivers an event to [`AUDIT`] and claims it.
async fn claimed(harness: &dyn BusHarness, id: &str, now: Instant) -> Delivery {
    harness
        .inbox()
        .deliver(&AUDIT, &event(id, "a"), now)
        .await
        .unwrap();
    let mut deliveries = claim(harness, 1, now).await;
    assert_eq!(deliveries.len(), 1, "{id} is ready at once");
    deliveries.remove(0)
}

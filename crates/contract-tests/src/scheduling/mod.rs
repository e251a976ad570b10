//! What a store owes communications: what waits, who takes it, and what became of recipients.
//!
//! An adapter implements [`ScheduleHarness`] over a fresh, migrated database and expands
//! [`scheduling_contract!`](crate::scheduling_contract) in its tests.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests, for other crates to run"
)]

pub mod due;
pub mod lanes;
pub mod recipients;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    customer::Channel,
    scheduling::{
        Communication, CommunicationState, Message, Misfire, Plan, QuietHours, Recipients, Timing,
    },
    shared::{CommunicationId, Instant, WorkspaceId},
};
use ports::scheduling::{ScheduleQueries, ScheduleStore, ScheduleUnit};

/// An adapter under test, over a database of its own.
pub trait ScheduleHarness: Send + Sync {
    /// Opens units of work.
    fn store(&self) -> &dyn ScheduleStore;
    /// Reads outside of one.
    fn queries(&self) -> &dyn ScheduleQueries;
}

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`ScheduleHarness`], `None` to skip.
#[macro_export]
macro_rules! scheduling_contract {
    ($harness:expr) => {
        $crate::scheduling_contract!(@ $harness;
            due: a_communication_reads_back_as_it_was_written,
                what_is_due_comes_in_the_order_of_its_instants,
                what_no_longer_waits_is_not_due,
                a_stale_change_is_refused,
                of_many_who_claim_each_gets_others,
                of_cancels_and_claims_one_wins,
                lists_go_by_workspace_and_state;
            lanes: what_waits_is_read_in_the_order_of_its_instants,
                lanes_are_due_at_their_instants_unless_they_are_paused,
                only_one_takes_a_communication;
            recipients: recipients_are_added_once_and_counted,
                what_counts_for_the_frequency_cap_is_of_a_workspace_and_a_time,
                addresses_are_known_by_channel_and_occurrence,
                a_change_is_counted,
                recipients_are_listed_by_channel_and_key;
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::scheduling::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

fn at(seconds: i64) -> Instant {
    Instant::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

/// One that waits until so many seconds.
pub fn communication(id: i64, ws: &str, seconds: i64) -> Communication {
    Communication {
        id: CommunicationId::from_raw(id),
        workspace: workspace(ws),
        name: format!("n {id} \"é\""),
        state: CommunicationState::Scheduled,
        plan: Plan {
            timing: Timing::At(at(seconds)),
            recipients: Recipients::Customers(vec![3, 1]),
            channels: BTreeSet::from([Channel::Email, Channel::Sms]),
            message: Message {
                text: Some("Hi {{name}} \u{1f600}".to_owned()),
                ..Message::default()
            },
            misfire: Misfire::SendIfLateBy(7),
            quiet_hours: QuietHours::Ignore,
            transactional: true,
            rate_per_minute: Some(600),
            freshness_minutes: None,
            recycle: None,
        },
        due_at: at(seconds),
        occurrence: 0,
        in_flight: false,
        version: 1,
        created_by: "ana".to_owned(),
        created_at: at(1),
        updated_at: at(2),
    }
}

async fn begin(harness: &impl ScheduleHarness) -> Box<dyn ScheduleUnit> {
    harness.store().begin_schedule().await.unwrap()
}

async fn add(harness: &impl ScheduleHarness, all: &[Communication]) {
    let mut unit = begin(harness).await;
    for one in all {
        unit.communications().add(one).await.unwrap();
    }
    unit.commit().await.unwrap();
}

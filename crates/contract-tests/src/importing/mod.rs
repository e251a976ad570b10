//! What a store owes imports: clients, runs, rows, and the rate budget.
//!
//! An adapter implements [`ImportHarness`] over a fresh, migrated database and expands
//! [`importing_contract!`](crate::importing_contract) in its tests.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests, for other crates to run"
)]

pub mod budget;
pub mod clients;
pub mod rows;
pub mod runs;

use domain::shared::ClientId;
use ports::{
    crm::RateBudget,
    importing::{ImportStore, ImportUnit},
};

/// An adapter under test, over a database of its own.
pub trait ImportHarness: Send + Sync {
    /// Opens units of work.
    fn store(&self) -> &dyn ImportStore;
    /// The rate budget.
    fn budget(&self) -> &dyn RateBudget;
}

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of an
/// [`ImportHarness`], `None` to skip.
#[macro_export]
macro_rules! importing_contract {
    ($harness:expr) => {
        $crate::importing_contract!(@ $harness;
            clients: a_client_reads_back_as_it_was_written,
                a_slug_is_unique_over_the_installation,
                a_stale_change_is_refused,
                lists_go_by_workspace_and_activity,
                the_lowest_rate_of_a_budget_counts,
                a_scheduled_run_is_started_by_one_of_many;
            runs: r2_of_concurrent_requests_one_begins_and_the_others_join,
                a_run_that_ended_makes_room,
                a_run_is_tried_again_with_its_walks,
                a_walk_is_taken_up_where_it_was_left,
                the_cursor_never_goes_back,
                batches_of_customers_are_numbered;
            rows: rows_are_created_updated_or_unchanged,
                sessions_and_tags_are_replaced,
                messages_are_owed_until_they_are_read,
                clients_do_not_share_rows,
                odd_values_are_kept,
                a_row_is_in_quarantine_once,
                what_is_not_committed_was_never_there;
            budget: replicas_together_stay_within_the_limit,
                a_pause_holds_all_who_share_the_budget;
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::importing::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

const CLIENT: ClientId = ClientId::from_raw(7);

async fn begin(harness: &impl ImportHarness) -> Box<dyn ImportUnit> {
    harness.store().begin_import().await.unwrap()
}

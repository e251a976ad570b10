//! What the relational store owes, as cases that run on any adapter.
//!
//! An adapter implements [`StoreHarness`] over a fresh, migrated database and expands
//! [`store_contract!`](crate::store_contract) in its tests.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests, for other crates to run"
)]

pub mod audiences;
pub mod claims;
pub mod creations;
pub mod lists;
pub mod live;
pub mod membership;
pub mod operations;
pub mod removals;
pub mod schedules;
pub mod suppressions;
pub mod transactions;
pub mod usages;
pub mod workspaces;
pub mod writes;

use std::sync::atomic::{AtomicI64, Ordering};

use domain::{
    audience::{Audience, AudienceData, Source},
    contact::Document,
    operation::{OperationKind, OperationState},
    shared::{AudienceId, AudienceName, Instant, OperationId, UserId, WorkspaceId, WriteNo},
};
use ports::{
    contacts::ContentKey,
    store::{
        AudienceQueries, AudienceStore, Content, ContentDelta, Durability, NewOperation, NewWrite,
        OpenWrite, UnitOfWork,
    },
};

/// An adapter under test, over a database of its own.
pub trait StoreHarness: Send + Sync {
    /// Opens units of work.
    fn store(&self) -> &dyn AudienceStore;
    /// Reads outside of one.
    fn queries(&self) -> &dyn AudienceQueries;
    /// Whether the latest writes are kept for other processes.
    fn keeps_writes(&self) -> bool {
        false
    }
}

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`StoreHarness`], `None` to skip.
#[macro_export]
macro_rules! store_contract {
    ($harness:expr) => {
        $crate::store_contract!(@ $harness;
            transactions: dropping_rolls_back,
                a_dropped_wait_leaves_the_store_usable,
                a_refused_change_is_never_committed,
                units_of_work_wait_for_each_other,
                every_durability_commits;
            audiences: an_audience_comes_back_as_it_was,
                names_are_unique_without_regard_to_case,
                a_dropped_name_is_free,
                numbers_follow_each_other_in_a_workspace,
                an_abandoned_name_is_free,
                a_name_being_created_is_taken,
                other_workspaces_may_use_the_name,
                saving_needs_the_version_that_was_read,
                saving_reaches_own_workspace_only,
                saving_can_take_a_drop_back,
                flipping_moves_the_pointer_and_the_count,
                flipping_needs_the_pointer_that_was_read;
            creations: a_creation_ends_once,
                a_request_finds_its_creation,
                a_creation_is_abandoned_after_its_lease,
                an_abandoned_audience_takes_no_writes;
            schedules: a_segment_has_a_next_refresh_while_it_is_in_use,
                other_times_move_the_next_refresh,
                the_longest_overdue_is_due_first,
                of_several_one_takes_a_due_refresh,
                schedules_stay_in_their_workspace;
            live: changes_are_queued_where_a_workspace_has_live_audiences,
                moving_on_queues_whom_an_edge_passes,
                an_outdated_plan_moves_nothing,
                keys_wait_for_one_audience,
                one_process_has_a_workspace_at_a_time,
                audiences_become_live_while_their_workspace_is_followed,
                a_workspace_without_live_audiences_follows_nothing;
            membership: refreshes_come_back_as_they_were,
                batches_of_a_minute_are_one,
                departures_count_once_their_refresh_is_noted,
                changes_are_taken_once_their_refresh_is_seen,
                old_refreshes_are_deleted_but_the_last_three;
            usages: a_usage_is_noted_once_and_taken_back,
                a_resource_is_one_while_something_says_so,
                what_is_told_late_changes_nothing,
                other_workspaces_are_not_told,
                conditions_of_live_audiences_use_what_they_name,
                usages_are_paged_in_their_order,
                live_audiences_are_found_with_what_they_name,
                what_is_named_is_not_dropped_at_once;
            suppressions: whoever_is_suppressed_is_so_once,
                an_erasure_replaces_other_reasons_and_stays,
                suppressions_are_listed_newest_first;
            workspaces: settings_come_back_as_they_were,
                saving_settings_needs_the_version_that_was_read;
            lists: pages_have_no_gaps_and_no_repeats,
                what_is_not_ready_never_shows,
                search_finds_names_and_tags_literally,
                filters_select,
                every_read_stays_in_its_workspace,
                operations_are_listed_newest_first;
            writes: one_write_is_open_at_a_time,
                two_writers_do_not_both_open,
                closing_counts_and_mirrors,
                closing_needs_the_owner,
                a_count_cannot_fall_below_zero,
                a_lapsed_write_is_adopted_once,
                contents_do_not_block_each_other,
                requests_are_numbered_without_gaps,
                a_missing_content_is_gone,
                open_writes_are_found,
                what_is_being_written_is_announced,
                what_others_wrote_is_known_or_said_not_to_be,
                epochs_never_come_back,
                a_forgotten_content_leaves_nothing;
            removals: a_removal_begins_once_per_operation,
                two_who_begin_one_removal_at_once_begin_the_same,
                what_ends_meanwhile_is_remembered,
                a_write_open_at_the_beginning_is_remembered,
                touched_is_paged_by_end,
                a_removal_lives_and_ends,
                activating_counts_and_needs_the_revision,
                revived_contacts_are_hidden_no_more;
            operations: an_operation_comes_back_as_it_was,
                a_request_makes_one_operation,
                an_update_changes_what_it_names,
                an_update_needs_the_expected_state,
                states_change_as_the_state_machine_says,
                live_operations_of_an_audience,
                a_retry_goes_back_to_the_queue,
                only_what_failed_is_retried;
            claims: the_oldest_is_claimed_first,
                two_claimers_get_different_operations,
                what_is_not_due_is_left_alone,
                exclusive_ones_take_turns_on_an_audience,
                what_is_about_earlier_uploads_waits_for_them,
                an_older_retry_waits_for_the_running_one,
                an_interrupted_one_goes_on_before_an_older_retry,
                a_waiting_one_holds_back_younger_ones,
                a_waiting_one_is_taken_over_when_its_lease_lapses,
                workspaces_take_turns,
                a_lapsed_lease_is_taken_over,
                released_leases_lapse_at_once,
                an_old_lease_is_refused,
                an_end_ends_the_lease,
                a_cancel_reaches_the_worker,
                claims_are_counted_until_it_gets_on;
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::store::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

/// Seconds after a fixed instant.
pub fn at(seconds: i64) -> Instant {
    Instant::from_timestamp(1_800_000_000 + seconds, 123_000_000).unwrap()
}

/// A new number, greater than every one before.
pub fn number() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(1 << 53);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// A workspace.
pub fn workspace(name: &str) -> WorkspaceId {
    WorkspaceId::parse(name).unwrap()
}

/// Whoever asks.
pub fn user() -> UserId {
    UserId::parse("user-1").unwrap()
}

/// Documents of people.
pub fn documents(texts: &[&str]) -> Vec<Document> {
    texts
        .iter()
        .map(|text| Document::parse(text).unwrap())
        .collect()
}

/// An audience that is not stored yet.
pub fn audience(workspace: &WorkspaceId, name: &str) -> Audience {
    let id = AudienceId::from_raw(number());
    let name = AudienceName::parse(name).unwrap();
    Audience::new(id, (workspace.clone(), user()), name, Source::Api, at(0))
}

/// An audience with other values, as they may have been stored.
pub fn with(audience: &Audience, change: impl FnOnce(&mut AudienceData)) -> Audience {
    let mut data = audience.clone().into_data();
    change(&mut data);
    Audience::from_stored(data)
}

/// The content that an audience points to.
pub fn key(audience: &Audience) -> ContentKey {
    ContentKey {
        audience: audience.id,
        epoch: audience.epoch,
    }
}

/// A unit of work.
pub async fn begin(h: &dyn StoreHarness) -> Box<dyn UnitOfWork> {
    h.store().begin(Durability::Full).await.unwrap()
}

/// Stores an audience.
pub async fn add(h: &dyn StoreHarness, audience: &mut Audience) {
    let mut uow = begin(h).await;
    uow.audiences().add(audience).await.unwrap();
    uow.commit().await.unwrap();
}

/// An audience, stored.
pub async fn added(h: &dyn StoreHarness, workspace: &WorkspaceId, name: &str) -> Audience {
    let mut audience = audience(workspace, name);
    add(h, &mut audience).await;
    audience
}

/// A write that takes one request number, under a lease that does not lapse during a test.
pub fn write(owner: &str) -> NewWrite {
    NewWrite {
        write: WriteNo(number()),
        owner: owner.to_owned(),
        lease_seconds: 600,
        documents: documents(&["1", "2"]),
        requests: 1,
    }
}

/// Asks for the write lock and commits.
pub async fn open(h: &dyn StoreHarness, key: ContentKey, write: &NewWrite) -> OpenWrite {
    let mut uow = begin(h).await;
    let opened = uow.contents().open_write(key, write).await.unwrap();
    uow.commit().await.unwrap();
    opened
}

/// Closes a write and commits.
pub async fn close(
    h: &dyn StoreHarness,
    key: ContentKey,
    write: &NewWrite,
    delta: &ContentDelta,
) -> Content {
    let mut uow = begin(h).await;
    let closed = uow
        .contents()
        .close_write(key, write.write, &write.owner, delta, at(9))
        .await;
    uow.commit().await.unwrap();
    closed.unwrap()
}

/// A delta that only counts.
pub fn counted(contacts: i64) -> ContentDelta {
    ContentDelta {
        contacts,
        revived: Vec::new(),
    }
}

/// A queued operation that is not stored yet.
pub fn operation(
    workspace: &WorkspaceId,
    audience: Option<AudienceId>,
    kind: OperationKind,
) -> NewOperation {
    NewOperation {
        id: OperationId::from_raw(number()),
        write_id: number(),
        workspace: workspace.clone(),
        audience,
        after_uploads_of: None,
        kind,
        state: OperationState::Queued,
        total: None,
        params: serde_json::json!({ "rules": [1, "é"] }),
        created_by: user(),
        created_at: at(1),
        not_before: None,
        traceparent: Some("00-1-2-01".to_owned()),
    }
}

/// Stores operations.
pub async fn enqueue(h: &dyn StoreHarness, operations: &[&NewOperation]) {
    let mut uow = begin(h).await;
    for operation in operations {
        uow.operations().add(operation).await.unwrap();
    }
    uow.commit().await.unwrap();
}

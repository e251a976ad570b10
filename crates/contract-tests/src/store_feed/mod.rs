//! What a relational store owes for notifications, feeds and uploads.
//!
//! An adapter expands [`store_feed_contract!`](crate::store_feed_contract) over the harness of the
//! [store's contract](crate::store).

#![expect(clippy::unwrap_used, reason = "tests, for other crates to run")]

pub mod events;
pub mod notifications;
pub mod uploads;

use domain::{
    notification::{NotificationKind, Subject},
    shared::{NotificationId, OperationId, UserId, WorkspaceId},
};
use ports::store::{NewNotification, Notification, NotificationFilter};
use serde_json::json;

use crate::store::{StoreHarness, at, begin, number};

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`StoreHarness`], `None` to skip.
#[macro_export]
macro_rules! store_feed_contract {
    ($harness:expr) => {
        $crate::store_feed_contract!(@ $harness;
            notifications: a_notification_comes_back_as_it_was,
                a_user_is_told_once_of_each_subject,
                a_rolled_back_notification_was_never_there,
                reading_twice_keeps_the_first_time,
                reading_all_counts_what_was_unread,
                the_list_is_paged_and_filtered,
                everybody_sees_their_own;
            events: positions_start_at_one_and_have_no_gaps,
                a_rollback_leaves_no_gap,
                concurrent_writers_leave_no_gap,
                every_feed_has_positions_of_its_own,
                old_events_are_purged_in_batches;
            uploads: an_upload_comes_back_as_it_was,
                an_upload_belongs_to_its_workspace,
                the_oldest_are_collected_first,
                a_forgotten_upload_is_gone;
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::store_feed::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

/// A user.
pub fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// A notification that is not stored yet, of a subject nobody else tells of.
pub fn notification(workspace: &WorkspaceId, user: &UserId) -> NewNotification {
    NewNotification {
        id: NotificationId::from_raw(number()),
        workspace: workspace.clone(),
        user: user.clone(),
        subject: Subject {
            kind: NotificationKind::OperationEnded,
            id: OperationId::from_raw(number()).to_string(),
            occasion: 1,
        },
        data: json!({ "kind": "recycle", "removed": 3, "nested": ["é", null] }),
        created_at: at(1),
    }
}

/// Stores a notification; answers whether it is new.
pub async fn tell(h: &dyn StoreHarness, notification: &NewNotification) -> bool {
    let mut uow = begin(h).await;
    let new = uow.notifications().add(notification).await.unwrap();
    uow.commit().await.unwrap();
    new
}

/// All notifications of a user.
pub async fn list(
    h: &dyn StoreHarness,
    workspace: &WorkspaceId,
    user: &UserId,
) -> Vec<Notification> {
    let filter = NotificationFilter {
        limit: 100,
        ..NotificationFilter::default()
    };
    h.queries()
        .notifications(workspace, user, &filter)
        .await
        .unwrap()
}

//! What a contact store owes.
//!
//! An adapter expands [`contacts_contract!`](crate::contacts_contract) over an expression that makes
//! an empty store.

#![expect(clippy::unwrap_used, reason = "tests, for other crates to run")]

pub mod purging;
pub mod reading;
pub mod removing;
pub mod writing;

use domain::{
    contact::{ContactBody, Document},
    recycle::{Reason, Reasons},
    shared::{AudienceId, Epoch, RemovalNo, WorkspaceId, WriteNo},
};
use ports::contacts::{
    Applied, ContactRecord, ContactStore, ContentKey, Order, Priority, Tombstone, View,
};

use crate::store::at;

/// Expands to one test per case; `$store` is an expression that awaits to an `Option` of a value
/// that dereferences to a [`ContactStore`], `None` to skip.
#[macro_export]
macro_rules! contacts_contract {
    ($store:expr) => {
        $crate::contacts_contract!(@ $store;
            writing: a_new_contact_is_inserted_and_read_back,
                a_higher_order_replaces_and_tells_what,
                a_lower_order_changes_nothing,
                the_same_order_again_is_told_apart,
                every_value_comes_back_as_it_was,
                answers_come_in_the_order_given,
                stored_by_names_what_a_write_left,
                empty_input_is_no_failure,
                many_rows_at_once_by_both_priorities,
                odd_documents_stay_apart;
            reading: a_walk_meets_each_contact_once,
                a_walk_skips_what_is_hidden_at_every_boundary,
                a_page_skips_visible_contacts_only,
                spans_count_what_scans_see,
                contents_never_mix,
                a_page_index_is_kept_and_replaced,
                readers_and_a_writer_at_once;
            removing: a_tombstone_hides_only_under_its_view,
                the_permanent_removal_always_counts,
                a_later_write_shows_again,
                a_tombstone_of_higher_order_stays,
                tombstones_are_found_by_document,
                a_tombstone_keeps_what_was_counted;
            purging: a_content_goes_in_steps_and_alone,
                a_purged_removal_takes_what_it_hides,
                a_withdrawn_removal_takes_nobody,
                a_rewritten_contact_survives_the_purge;
        );
    };
    (@ $store:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(store) = $store.await {
                    $crate::contacts::$module::$case(&*store).await;
                }
            })+
        })+
    };
}

/// A content of audience `n`.
pub fn key(n: i64) -> ContentKey {
    ContentKey {
        audience: AudienceId::from_raw(n),
        epoch: Epoch(1),
    }
}

/// A document.
pub fn document(text: &str) -> Document {
    Document::parse(text).unwrap()
}

/// A contact of this order.
pub fn contact(text: &str, order: i64) -> ContactRecord {
    let body = ContactBody {
        name: Some(format!("{text}@{order}")),
        ..body()
    };
    ContactRecord {
        document: document(text),
        order: Order(order),
        body,
    }
}

fn body() -> ContactBody {
    ContactBody {
        name: None,
        phone: None,
        phone_valid: false,
        email: None,
        email_valid: false,
        attributes: serde_json::Map::new(),
        raw: domain::contact::RawValues::default(),
        updated_at: at(0),
    }
}

/// A tombstone of removal `no` that saw `order`.
pub fn stone(text: &str, no: i64, order: i64) -> Tombstone {
    let mut reasons = Reasons::NONE;
    reasons.add(Reason::Documents);
    Tombstone {
        document: document(text),
        removal: RemovalNo(no),
        order: Order(order),
        reasons,
        counted: reasons,
        run: 1,
    }
}

/// A view of these removals.
pub fn view(removals: &[i64]) -> View {
    View {
        removals: removals.iter().map(|no| RemovalNo(*no)).collect(),
    }
}

/// Writes contacts of one order under write 1.
pub async fn put(store: &dyn ContactStore, n: i64, texts: &[&str], order: i64) -> Vec<Applied> {
    let rows = texts.iter().map(|text| contact(text, order)).collect();
    write(store, n, 1, rows).await
}

/// Writes contacts under a write of this number.
pub async fn write(
    store: &dyn ContactStore,
    n: i64,
    no: i64,
    rows: Vec<ContactRecord>,
) -> Vec<Applied> {
    let workspace = WorkspaceId::parse("ws_1").unwrap();
    store
        .upsert(key(n), &workspace, WriteNo(no), rows, Priority::Interactive)
        .await
        .unwrap()
}

/// Leaves tombstones.
pub async fn bury(store: &dyn ContactStore, n: i64, stones: Vec<Tombstone>) {
    store
        .put_tombstones(key(n), stones, Priority::Bulk)
        .await
        .unwrap();
}

/// The documents that a view sees, read in steps of `step`.
pub async fn walk(store: &dyn ContactStore, n: i64, view: &View, step: usize) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let rows = store
            .scan(key(n), view, after.as_ref(), step)
            .await
            .unwrap();
        let Some(last) = rows.last() else { return seen };
        after = Some(last.document.clone());
        seen.extend(rows.iter().map(|c| c.document.as_str().to_owned()));
    }
}

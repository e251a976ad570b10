//! What a relational store owes for reported outcomes.
//!
//! An adapter expands [`outcomes_contract!`](crate::outcomes_contract) over the harness of the
//! [store's contract](crate::store).

#![expect(clippy::unwrap_used, reason = "tests, for other crates to run")]

pub mod adding;
pub mod reading;

use domain::{
    contact::Document,
    recycle::{Outcome, OutcomeFact, OutcomeRecord},
    shared::WorkspaceId,
};

use crate::store::{StoreHarness, at, begin};

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`StoreHarness`], `None` to skip.
#[macro_export]
macro_rules! outcomes_contract {
    ($harness:expr) => {
        $crate::outcomes_contract!(@ $harness;
            adding: an_external_id_is_reported_once,
                without_external_id_document_channel_and_time_count,
                repetitions_within_a_request_count_once,
                an_external_id_is_unique_in_its_workspace_only,
                large_requests_are_added_whole,
                concurrent_reports_count_once,
                a_rollback_leaves_nothing,
                the_version_grows_with_new_reports_only;
            reading: facts_come_back_as_they_were,
                bounds_are_after_exclusive_until_inclusive,
                people_are_ordered_by_the_bytes_of_documents,
                facts_stay_in_their_workspace,
                opted_out_is_whoever_said_so_at_any_time,
                opted_out_is_paged_and_names_each_once,
                opted_out_stays_in_its_workspace,
                those_who_opted_out_are_found_among_others;
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::outcomes::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

/// A document.
pub fn document(text: &str) -> Document {
    Document::parse(text).unwrap()
}

/// A report by e-mail without external id.
pub fn report(text: &str, outcome: Outcome, seconds: i64) -> OutcomeRecord {
    let fact = OutcomeFact {
        channel: "email".into(),
        outcome,
        occurred_at: at(seconds),
    };
    OutcomeRecord {
        document: document(text),
        fact,
        external_id: None,
        recorded_at: at(seconds),
    }
}

/// A report by e-mail under an external id.
pub fn external(text: &str, id: &str, seconds: i64) -> OutcomeRecord {
    OutcomeRecord {
        external_id: Some(id.into()),
        ..report(text, Outcome::Busy, seconds)
    }
}

/// Adds reports in a unit of work of their own.
pub async fn add(
    h: &dyn StoreHarness,
    workspace: &WorkspaceId,
    records: &[OutcomeRecord],
) -> Vec<bool> {
    let mut uow = begin(h).await;
    let new = uow.outcomes().add(workspace, records).await.unwrap();
    uow.commit().await.unwrap();
    new
}

/// How many facts each person of a workspace has, ascending.
pub async fn counts(h: &dyn StoreHarness, workspace: &WorkspaceId) -> Vec<(String, usize)> {
    let last = Document::from_stored("\u{10ffff}".into());
    let facts = h
        .queries()
        .facts_between(workspace, None, &last)
        .await
        .unwrap();
    facts
        .iter()
        .map(|(document, facts)| (document.as_str().to_owned(), facts.0.len()))
        .collect()
}

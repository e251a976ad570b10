//! What the pages of all lists have in common.

use domain::{
    importing::{
        Counts, ExternalId, ImportReport, Page,
        rows::{Entity, Quarantined, RowKind},
        walk::{Limits, Walk},
    },
    operation::{Progress, Report},
};
use kernel::payload;
use ports::{
    importing::{ImportUnit, ListKey, Stored, StoredWalk},
    store::OperationUpdate,
};
use serde::Serialize;

use super::Job;
use crate::application::AppResult;

/// A walk where it was left, or from its beginning.
pub(super) fn taken_up(limits: Limits, stored: Option<StoredWalk>, from_page: u64) -> Walk {
    match stored {
        Some(stored) => Walk::resume(limits, stored.checkpoint, stored.keys),
        None => Walk::from_page(limits, from_page),
    }
}

/// Counts of a page's rows of its own kind, of which some came into the store.
pub(super) fn counted<T: Entity>(page: &Page<T>, taken: usize, stored: &Stored) -> Counts {
    page.counts(taken, stored.created.len(), stored.updated.len())
}

/// Counts of the parts of rows, which share the fate of what they are parts of.
pub(super) fn parts<'a, T: Entity>(
    kind: RowKind,
    page: &Page<T>,
    stored: &Stored,
    rows: impl Iterator<Item = (&'a ExternalId, usize)>,
) -> Counts {
    let mut counts = Counts {
        quarantined: page.quarantined_of(kind),
        ..Counts::default()
    };
    for (id, count) in rows {
        let count = count as u64;
        if stored.created.contains(id) {
            counts.created += count;
        } else if stored.updated.contains(id) {
            counts.updated += count;
        } else {
            counts.unchanged += count;
        }
    }
    counts.received = counts.created + counts.updated + counts.unchanged + counts.quarantined;
    counts
}

impl Job {
    /// Keeps rows that cannot be read.
    pub(super) async fn quarantine(
        &self,
        unit: &mut dyn ImportUnit,
        ticket: Option<&ExternalId>,
        rows: &[Quarantined],
    ) -> AppResult<()> {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        // The faults name members and codes, never values.
        tracing::warn!(
            client = %self.client.slug,
            rows = rows.len(),
            first = %first.fault,
            "rows that cannot be read are kept as they came"
        );
        let now = self.app.deps.clock.now();
        let client = self.client.id;
        Ok(unit.rows().quarantine(client, ticket, rows, now).await?)
    }

    /// The walk of a list as this run left it.
    pub(super) async fn stored_walk(&self, list: &ListKey) -> AppResult<Option<StoredWalk>> {
        let mut unit = self.app.deps.store.begin_import().await?;
        Ok(unit.runs().walk(self.lease.operation, list).await?)
    }

    /// Stores where the run is, under its lease.
    pub(super) async fn checkpoint(
        &self,
        unit: &mut dyn ImportUnit,
        state: &impl Serialize,
        report: &ImportReport,
        progress: Progress,
    ) -> AppResult<()> {
        let update = OperationUpdate {
            checkpoint: Some(payload::encode(state)?),
            report: Some(Report::Import(*report)),
            progress: Some(progress),
            ..OperationUpdate::default()
        };
        unit.operations()
            .update_leased(&self.lease, &update)
            .await?;
        self.signals.progressed();
        Ok(())
    }
}

/// How far a list is, as operations tell it.
pub(super) fn progress(done: u64, total: Option<u64>) -> Progress {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Progress {
        done: signed(done),
        total: total.map(signed),
    }
}

//! A run in the hands of this worker, and what the pages of all lists have in common.

use std::sync::Arc;

use domain::{
    importing::{
        Counts, ExternalId, ImportReport, Page,
        rows::{Entity, Quarantined, RowKind},
        walk::{Limits, Walk},
    },
    operation::{OperationResult, Progress, Report},
};
use kernel::{AppError, Wake, payload};
use operations::{Ending, Signals};
use ports::{
    Clock,
    importing::{ImportClient, ImportStore, ImportUnit, ListKey, Stored, StoredWalk},
    store::{Lease, OperationUpdate},
};
use serde::Serialize;

/// A run in the hands of this worker.
pub struct ImportRun {
    pub store: Arc<dyn ImportStore>,
    pub clock: Arc<dyn Clock>,
    pub wake: Wake,
    pub client: ImportClient,
    pub lease: Lease,
    pub signals: Arc<Signals>,
}

impl ImportRun {
    /// Keeps rows that cannot be read; `ticket` is that of messages.
    pub async fn quarantine(
        &self,
        unit: &mut dyn ImportUnit,
        ticket: Option<&ExternalId>,
        rows: &[Quarantined],
    ) -> Result<(), AppError> {
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
        let (client, now) = (self.client.id, self.clock.now());
        Ok(unit.rows().quarantine(client, ticket, rows, now).await?)
    }

    /// The walk of a list as this run left it.
    pub async fn stored_walk(&self, list: &ListKey) -> Result<Option<StoredWalk>, AppError> {
        let mut unit = self.store.begin_import().await?;
        Ok(unit.runs().walk(self.lease.operation, list).await?)
    }

    /// Stores where the run is, under its lease.
    pub async fn checkpoint(
        &self,
        unit: &mut dyn ImportUnit,
        state: &impl Serialize,
        report: &ImportReport,
        progress: Progress,
    ) -> Result<(), AppError> {
        let update = OperationUpdate {
            checkpoint: Some(payload::encode(state)?),
            report: Some(Report::Import(*report)),
            progress: Some(progress),
            ..OperationUpdate::default()
        };
        let mut operations = unit.operations();
        operations.update_leased(&self.lease, &update).await?;
        self.signals.progressed();
        Ok(())
    }
}

/// A walk where it was left, or from a page on.
pub fn taken_up(limits: Limits, stored: Option<StoredWalk>, from_page: u64) -> Walk {
    match stored {
        Some(stored) => Walk::resume(limits, stored.checkpoint, stored.keys),
        None => Walk::from_page(limits, from_page),
    }
}

/// Counts of a page's rows, of which some came into the store.
pub fn counted<T: Entity>(page: &Page<T>, taken: usize, stored: &Stored) -> Counts {
    page.counts(taken, stored.created.len(), stored.updated.len())
}

/// Counts of the parts of rows, which share the fate of what they are parts of.
pub fn parts<'a, T: Entity>(
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
        let fate = if stored.created.contains(id) {
            &mut counts.created
        } else if stored.updated.contains(id) {
            &mut counts.updated
        } else {
            &mut counts.unchanged
        };
        *fate += count as u64;
    }
    counts.received = counts.created + counts.updated + counts.unchanged + counts.quarantined;
    counts
}

/// How far a list is, as operations tell it.
pub fn progress(done: u64, total: Option<u64>) -> Progress {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Progress {
        done: signed(done),
        total: total.map(signed),
    }
}

/// The end of a run that got to its end; `partial` where no pass over a list was stable.
///
/// # Errors
/// `Failed` where not one of the rows that came can be read.
pub fn ending(report: &ImportReport, partial: bool) -> Result<Ending, AppError> {
    let total = report.total();
    if total.received > 0 && total.quarantined == total.received {
        let detail = "none of the rows that came can be read";
        return Err(AppError::failed("nothing_readable", detail));
    }
    let whole = !partial && total.quarantined == 0;
    Ok(Ending::done(if whole {
        OperationResult::Complete
    } else {
        OperationResult::Partial
    }))
}

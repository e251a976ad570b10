//! How many bytes queries may still be billed for.

use std::sync::Arc;

use domain::{
    segment::{BigQuerySource, BillingMonth},
    shared::WorkspaceId,
};
use ports::{
    Clock,
    segments::ResolveError,
    store::{AudienceStore, Durability},
};

/// Takes bytes of a workspace's limits before a query runs, so that queries that run at once keep them together.
#[derive(Clone)]
pub(crate) struct BytesBudget {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Bytes that a query has to itself.
pub(super) struct Taken {
    workspace: WorkspaceId,
    month: BillingMonth,
    /// How many the query needs by its dry run.
    pub bytes: u64,
    /// The most that it may be billed for, and of which limit that is.
    pub most: u64,
    pub of: &'static str,
}

const OF_QUERY: &str = "maximum_bytes_billed";
const OF_MONTH: &str = "monthly_bytes";

impl BytesBudget {
    /// Takes what a query needs.
    ///
    /// # Errors
    /// `BytesLimit` where it is more than one query may be billed for, or than is left of the month.
    pub(super) async fn take(
        &self,
        workspace: &WorkspaceId,
        source: &BigQuerySource,
        bytes: u64,
    ) -> Result<Taken, ResolveError> {
        let over = |limit, of| ResolveError::BytesLimit {
            needed: Some(bytes),
            limit,
            of,
        };
        if bytes > source.maximum_bytes_billed {
            return Err(over(source.maximum_bytes_billed, OF_QUERY));
        }
        let month = BillingMonth::of(self.clock.now());
        let mut uow = self.store.begin(Durability::Full).await?;
        let used = uow
            .segment_sources()
            .add_bytes(workspace, month, signed(bytes))
            .await?;
        let before = unsigned(used).saturating_sub(bytes);
        let left = source.monthly_bytes.saturating_sub(before);
        if bytes > left {
            // Nothing is taken: the unit of work is not committed.
            return Err(over(left, OF_MONTH));
        }
        uow.commit().await?;
        let (most, of) = match left < source.maximum_bytes_billed {
            true => (left, OF_MONTH),
            false => (source.maximum_bytes_billed, OF_QUERY),
        };
        Ok(Taken {
            workspace: workspace.clone(),
            month,
            bytes,
            most,
            of,
        })
    }

    /// Counts what a query was billed for in place of what it took.
    pub(super) async fn settle(&self, taken: &Taken, billed: u64) -> Result<(), ResolveError> {
        let difference = signed(billed).saturating_sub(signed(taken.bytes));
        if difference == 0 {
            return Ok(());
        }
        let mut uow = self.store.begin(Durability::Full).await?;
        uow.segment_sources()
            .add_bytes(&taken.workspace, taken.month, difference)
            .await?;
        Ok(uow.commit().await?)
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or_default()
}

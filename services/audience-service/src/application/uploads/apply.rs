//! Second phase: sorted rows go into the audience, batch by batch, each with a checkpoint.

use domain::{
    audience::Audience,
    contact::{ContactBody, Document},
    shared::WorkspaceId,
};
use ports::{StoreError, contacts::Priority, crash, files::SortedRecords};
use tokio::sync::mpsc;

use super::{UploadCheckpoint, UploadParams, read::save, receive::blocking, spool_name};
use crate::application::{
    App, AppResult,
    contacts::{Orders, Row, RowClass, WriteRequest},
    operations::Job,
};

/// Documents written in one go.
const BATCH: usize = 4_000;

/// Rows of a batch, folded to one per document, with how many rows each stands for.
struct Batch {
    rows: Vec<Row>,
    stands_for: Vec<i64>,
    /// Where the sorted file goes on after this batch.
    offset: u64,
}

impl App {
    /// Writes what is left of the sorted rows.
    pub(super) async fn apply_rows(
        &self,
        job: &mut Job,
        params: &UploadParams,
        audience: &mut Audience,
        mut at: UploadCheckpoint,
    ) -> AppResult<UploadCheckpoint> {
        let mut batches = self.batches(job, at.offset);
        while let Some(batch) = batches.recv().await {
            let Batch {
                rows,
                stands_for,
                offset,
            } = batch?;
            let request = WriteRequest {
                workspace: WorkspaceId::clone(&audience.workspace),
                rows,
                orders: Orders::Taken(params.request),
                priority: Priority::Bulk,
            };
            let written = self.write_current(audience, request).await?;
            crash::point("upload.batch_stored");
            for (class, count) in written.classes.into_iter().zip(stands_for) {
                count_rows(&mut at, class, count);
            }
            at.offset = offset;
            save(job, &at).await?;
        }
        Ok(at)
    }

    /// Reads batches ahead on a thread of their own: decoding goes on while the store writes.
    fn batches(&self, job: &Job, offset: u64) -> mpsc::Receiver<AppResult<Batch>> {
        let (sender, receiver) = mpsc::channel(1);
        let spool = std::sync::Arc::clone(&self.deps.spool);
        let name = spool_name(job.operation.id);
        tokio::spawn(async move {
            let feed = sender.clone();
            let fed = blocking(move || {
                let mut sorted = spool.open(&name, offset)?;
                let mut carry = None;
                while let Some(batch) = next_batch(sorted.as_mut(), &mut carry)? {
                    if feed.blocking_send(Ok(batch)).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            if let Err(error) = fed.await {
                // The receiver is gone only when the job itself has ended.
                let _ = sender.send(Err(error)).await;
            }
        });
        receiver
    }
}

/// Rows of one document stand together: the last one counts for all.
fn count_rows(at: &mut UploadCheckpoint, class: RowClass, rows: i64) {
    match class {
        RowClass::Inserted => {
            at.report.created += 1;
            at.report.updated += rows - 1;
        }
        RowClass::Updated => at.report.updated += rows,
        RowClass::Unchanged => at.report.unchanged += rows,
    }
    at.written += rows;
}

/// A row read beyond the batch it belongs to, and where it starts.
type Carry = Option<(Row, u64)>;

fn next_batch(sorted: &mut dyn SortedRecords, carry: &mut Carry) -> AppResult<Option<Batch>> {
    let mut batch = Batch {
        rows: Vec::with_capacity(BATCH),
        stands_for: Vec::with_capacity(BATCH),
        offset: sorted.offset(),
    };
    if let Some((row, _)) = carry.take() {
        batch.rows.push(row);
        batch.stands_for.push(1);
    }
    loop {
        let starts = sorted.offset();
        let Some((key, value)) = sorted.next()? else {
            break;
        };
        let row = decode(key, value)?;
        let full = batch.rows.len() == BATCH;
        match (batch.rows.last_mut(), batch.stands_for.last_mut()) {
            (Some(last), Some(count)) if last.document == row.document => {
                *count += 1;
                if last.row <= row.row {
                    *last = row;
                }
            }
            _ if full => {
                *carry = Some((row, starts));
                break;
            }
            _ => {
                batch.rows.push(row);
                batch.stands_for.push(1);
            }
        }
    }
    batch.offset = carry
        .as_ref()
        .map_or_else(|| sorted.offset(), |(_, starts)| *starts);
    Ok((!batch.rows.is_empty()).then_some(batch))
}

fn decode(key: &[u8], value: &[u8]) -> AppResult<Row> {
    let corrupt = || StoreError::Corrupt("a sorted row");
    let document = std::str::from_utf8(key).map_err(|_| corrupt())?;
    let (row, body) = value.split_first_chunk::<4>().ok_or_else(corrupt)?;
    let body: ContactBody = serde_json::from_slice(body).map_err(|_| corrupt())?;
    Ok(Row {
        row: u32::from_be_bytes(*row),
        document: Document::from_stored(document.to_owned()),
        body,
    })
}

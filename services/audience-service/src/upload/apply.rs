//! Second phase: sorted rows go into the audience, batch by batch, each with a checkpoint.

use std::{collections::HashMap, sync::Arc};

use domain::{
    audience::Audience,
    contact::{ContactBody, Document},
    operation::UploadReport,
    shared::{OperationId, WorkspaceId},
};
use ports::{
    StoreError,
    contacts::{ContactStore, ContentKey, Order, Priority},
    crash,
    files::{SortedRecords, Spool},
    store::AudienceQueries,
};
use tokio::sync::mpsc;

use super::{UploadCheckpoint, UploadParams, receive::blocking, spool_name};
use crate::{
    AppResult,
    contact::write::{Orders, Row, RowClass, WriteContacts, WriteRequest},
};

/// Rows of a batch, folded to one per document, with how many rows each stands for.
pub(super) struct Batch {
    rows: Vec<Row>,
    stands_for: Vec<i64>,
    /// Where the sorted file goes on after this batch.
    offset: u64,
}

/// Writes the sorted rows of a file into its audience.
#[derive(Clone)]
pub struct ApplyRows {
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) spool: Arc<dyn Spool>,
    pub(crate) write: WriteContacts,
    /// Documents of one batch.
    pub(crate) step: usize,
}

impl ApplyRows {
    /// Writes a batch.
    pub(super) async fn write(
        &self,
        params: &UploadParams,
        audience: &mut Audience,
        batch: Batch,
        at: &mut UploadCheckpoint,
    ) -> AppResult<()> {
        let Batch {
            rows,
            stands_for,
            offset,
        } = batch;
        self.write_rows(params, audience, rows, &stands_for, at)
            .await?;
        crash::point("upload.batch_stored");
        at.offset = offset;
        Ok(())
    }

    /// Writes rows, and counts what that did.
    async fn write_rows(
        &self,
        params: &UploadParams,
        audience: &mut Audience,
        rows: Vec<Row>,
        stands_for: &[i64],
        at: &mut UploadCheckpoint,
    ) -> AppResult<()> {
        let documents = rows.iter().map(|row| row.document.clone()).collect();
        let request = WriteRequest {
            workspace: WorkspaceId::clone(&audience.workspace),
            rows,
            orders: Orders::Taken(params.request),
            only_absent: false,
            priority: Priority::Bulk,
        };
        let written = self.write.current(audience, request).await?;
        let opted_out = self.count_opted_out(audience, documents, &written.classes);
        at.report.opted_out += opted_out.await?;
        for (class, count) in written.classes.into_iter().zip(stands_for) {
            count_rows(at, class, *count);
        }
        Ok(())
    }

    /// What is stored of an upload that ends early. The batch after its checkpoint may be stored in part:
    /// the rows of it that are there are written again, which changes nothing and tells what they did.
    pub(super) async fn count_stored(
        &self,
        operation: OperationId,
        params: &UploadParams,
        mut audience: Audience,
        key: ContentKey,
        mut at: UploadCheckpoint,
    ) -> AppResult<UploadReport> {
        let mut batches = self.batches(operation, at.offset);
        let Some(batch) = batches.recv().await.transpose()? else {
            return Ok(at.report);
        };
        let documents: Vec<Document> = batch.rows.iter().map(|r| r.document.clone()).collect();
        let stored = self.contacts.get(key, &documents).await?;
        let stored: HashMap<_, _> = stored.into_iter().map(|c| (c.document, c.order)).collect();
        let own = |row: &Row| {
            let order = Order::new(params.request, row.row);
            stored.get(&row.document) == Some(&order)
        };
        let rows = batch.rows.into_iter().zip(batch.stands_for);
        let (rows, stands_for): (Vec<Row>, Vec<i64>) = rows.filter(|(row, _)| own(row)).unzip();
        if !rows.is_empty() {
            self.write_rows(params, &mut audience, rows, &stands_for, &mut at)
                .await?;
        }
        Ok(at.report)
    }

    /// Of the people written, those who have opted out.
    async fn count_opted_out(
        &self,
        audience: &Audience,
        documents: Vec<Document>,
        classes: &[RowClass],
    ) -> AppResult<i64> {
        let is_written = |class: &RowClass| matches!(class, RowClass::Inserted | RowClass::Updated);
        let written = documents.into_iter().zip(classes);
        let written = written.filter(|(_, class)| is_written(class));
        let written: Vec<Document> = written.map(|(document, _)| document).collect();
        let found = self.queries.opted_out_among(&audience.workspace, &written);
        Ok(i64::try_from(found.await?.len()).unwrap_or(i64::MAX))
    }

    /// Reads batches ahead on a thread of their own: decoding goes on while the store writes.
    pub(super) fn batches(
        &self,
        operation: OperationId,
        offset: u64,
    ) -> mpsc::Receiver<AppResult<Batch>> {
        let (sender, receiver) = mpsc::channel(1);
        let spool = Arc::clone(&self.spool);
        let name = spool_name(operation);
        let most = self.step;
        tokio::spawn(async move {
            let feed = sender.clone();
            let fed = blocking(move || {
                let mut sorted = spool.open(&name, offset)?;
                let mut carry = None;
                while let Some(batch) = next_batch(sorted.as_mut(), &mut carry, most)? {
                    if feed.blocking_send(Ok(batch)).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            if let Err(error) = fed.await {
                // The receiver is gone only when the run itself has ended.
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
        RowClass::Superseded => {
            at.report.unchanged += rows;
            at.report.superseded += rows;
        }
    }
    at.written += rows;
}

/// A row read beyond the batch it belongs to, and where it starts.
type Carry = Option<(Row, u64)>;

fn next_batch(
    sorted: &mut dyn SortedRecords,
    carry: &mut Carry,
    most: usize,
) -> AppResult<Option<Batch>> {
    let mut batch = Batch {
        rows: Vec::with_capacity(most),
        stands_for: Vec::with_capacity(most),
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
        let full = batch.rows.len() == most;
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

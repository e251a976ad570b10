//! Second phase: sorted rows go into the audience, batch by batch, each with a checkpoint.

use std::collections::HashMap;

use domain::{
    audience::Audience,
    contact::{ContactBody, Document},
    operation::UploadReport,
    shared::WorkspaceId,
};
use ports::{
    StoreError,
    contacts::{Order, Priority},
    crash,
    files::SortedRecords,
};
use tokio::sync::mpsc;

use super::{
    UploadCheckpoint, UploadParams, checkpoint, read::save, receive::blocking, spool_name,
    upload_params,
};
use crate::application::{
    App, AppResult,
    contacts::{Orders, Row, RowClass, WriteRequest},
    operations::Job,
};

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
            self.write_rows(params, audience, rows, &stands_for, &mut at)
                .await?;
            crash::point("upload.batch_stored");
            at.offset = offset;
            save(job, &at).await?;
        }
        Ok(at)
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
            priority: Priority::Bulk,
        };
        let written = self.write_current(audience, request).await?;
        let opted_out = self.count_opted_out(audience, documents, &written.classes);
        at.report.opted_out += opted_out.await?;
        for (class, count) in written.classes.into_iter().zip(stands_for) {
            count_rows(at, class, *count);
        }
        Ok(())
    }

    /// What an upload that ends early has stored. The batch after its checkpoint may be stored in part:
    /// the rows of it that are there are written again, which changes nothing and tells what they did.
    pub(crate) async fn count_stored(&self, job: &Job) -> AppResult<Option<UploadReport>> {
        let params = upload_params(job)?;
        let mut at = checkpoint(job)?;
        if at.rows.is_none() {
            return Ok(None);
        }
        let mut audience = self.audience_of_job(job).await?;
        let Some(batch) = self.batches(job, at.offset).recv().await.transpose()? else {
            return Ok(Some(at.report));
        };
        let key = self.content_of(&audience).await?.key;
        let documents: Vec<Document> = batch.rows.iter().map(|r| r.document.clone()).collect();
        let stored = self.deps.contacts.get(key, &documents).await?;
        let stored: HashMap<_, _> = stored.into_iter().map(|c| (c.document, c.order)).collect();
        let own = |row: &Row| {
            let order = Order::new(params.request, row.row);
            stored.get(&row.document) == Some(&order)
        };
        let rows = batch.rows.into_iter().zip(batch.stands_for);
        let (rows, stands_for): (Vec<Row>, Vec<i64>) = rows.filter(|(row, _)| own(row)).unzip();
        if !rows.is_empty() {
            self.write_rows(&params, &mut audience, rows, &stands_for, &mut at)
                .await?;
        }
        Ok(Some(at.report))
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
        let found = self
            .deps
            .queries
            .opted_out_among(&audience.workspace, &written);
        Ok(i64::try_from(found.await?.len()).unwrap_or(i64::MAX))
    }

    /// Reads batches ahead on a thread of their own: decoding goes on while the store writes.
    fn batches(&self, job: &Job, offset: u64) -> mpsc::Receiver<AppResult<Batch>> {
        let (sender, receiver) = mpsc::channel(1);
        let spool = std::sync::Arc::clone(&self.deps.spool);
        let name = spool_name(job.operation.id);
        let most = self.deps.steps.written;
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

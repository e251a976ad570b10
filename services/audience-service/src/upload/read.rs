//! First phase: every row is read, checked, normalised and sorted; bad rows go to the rejected file.

use std::sync::Arc;

use domain::{
    contact::{ItemRules, NewContact},
    operation::{Operation, UploadReport},
    shared::Instant,
};
use operations::Signals;
use ports::{
    crash,
    files::{BlobStore, BlobWriter, RecordFormats, RecordLimits, RecordReader, Sorter, Spool},
};
use tokio::runtime::Handle;

use super::{
    UploadCheckpoint, UploadParams, meaning::Meaning, receive::blocking, rejected_name,
    rejected_row::Rejected, spool_name,
};
use crate::AppResult;

/// Memory for rows being sorted.
const SORT_BYTES: usize = 32 << 20;
/// A quoted cell that holds lines of the header's shape.
pub(super) const SUSPICIOUS_QUOTE: &str = "suspicious_quote";
/// Rows between two looks at the signals.
const ROWS_PER_LOOK: i64 = 4_096;

/// Reads files and sorts their rows.
#[derive(Clone)]
pub struct ReadFile {
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) spool: Arc<dyn Spool>,
    pub(crate) formats: Arc<dyn RecordFormats>,
}

impl ReadFile {
    /// Reads a whole file and sorts its rows; the same ones every time, so that places in what it writes
    /// hold in what it writes again on another machine. Answers the rows to be written.
    pub(super) async fn execute(
        &self,
        operation: &Operation,
        params: &UploadParams,
        signals: &Arc<Signals>,
    ) -> AppResult<UploadCheckpoint> {
        let source = self.blobs.open(&params.blob).await?;
        let id = operation.id;
        let rejected = self.blobs.create(&rejected_name(id)).await?;
        let mut reading = Reading {
            params: params.clone(),
            sorter: self.spool.sorter(&spool_name(id), SORT_BYTES)?,
            rejected: Some(rejected),
            signals: Arc::clone(signals),
            report: UploadReport::default(),
            now: operation.created_at,
        };
        let (runtime, formats) = (Handle::current(), Arc::clone(&self.formats));
        let report = blocking(move || {
            let limits = RecordLimits::default();
            let mut reader = formats.open(source, &reading.params.format, limits)?;
            reading.run(reader.as_mut(), &runtime)?;
            reading.finish(&runtime)
        })
        .await?;
        crash::point("upload.spooled");
        let rows = report.received - report.rejected;
        Ok(UploadCheckpoint {
            rows: Some(rows),
            report,
            ..UploadCheckpoint::default()
        })
    }
}

struct Reading {
    params: UploadParams,
    sorter: Box<dyn Sorter>,
    rejected: Option<Box<dyn BlobWriter>>,
    signals: Arc<Signals>,
    report: UploadReport,
    now: Instant,
}

impl Reading {
    fn run(&mut self, reader: &mut dyn RecordReader, runtime: &Handle) -> AppResult<()> {
        let mut meaning = Meaning::of(&self.params);
        let rules = ItemRules {
            require_valid_document: self.params.require_valid_document,
        };
        let mut value = Vec::new();
        while let Some(mut record) = reader.next()? {
            if self.report.received % ROWS_PER_LOOK == 0 {
                self.signals.check()?;
            }
            self.report.received += 1;
            if let Some(line) = record.suspicious_quote {
                self.report.warnings.add(line, SUSPICIOUS_QUOTE);
            }
            match meaning.contact(&mut record, &rules, self.now) {
                Ok(NewContact { document, body }) => {
                    let row = u32::try_from(record.number).unwrap_or(u32::MAX);
                    value.clear();
                    value.extend_from_slice(&row.to_be_bytes());
                    // Strings and scalars only: writing them to memory cannot fail.
                    let _ = serde_json::to_writer(&mut value, &body);
                    self.sorter.push(document.as_str().as_bytes(), &value)?;
                }
                Err(error) => {
                    self.report.rejected += 1;
                    let line = Rejected::new(&record, meaning.values(&record), &error).line()?;
                    if let Some(writer) = self.rejected.as_mut() {
                        runtime.block_on(writer.write(&line))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, runtime: &Handle) -> AppResult<UploadReport> {
        if let Some(writer) = self.rejected.take() {
            runtime.block_on(writer.finish())?;
        }
        self.sorter.finish()?;
        Ok(self.report)
    }
}

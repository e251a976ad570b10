//! First phase: every row is read, checked, normalised and sorted; bad rows go to the rejected file.

use std::sync::Arc;

use domain::{
    contact::{ItemRules, NewContact},
    operation::{Progress, Report, UploadReport},
    shared::Instant,
};
use kernel::payload;
use ports::{
    crash,
    files::{BlobWriter, RecordLimits, RecordReader, Sorter},
};
use tokio::runtime::Handle;

use super::{
    UploadCheckpoint, UploadParams, checkpoint, meaning::Meaning, receive::blocking,
    rejected::Rejected, rejected_name, spool_name,
};
use crate::application::{
    App, AppResult, Deps,
    operations::{Job, Signals},
};

/// Memory for rows being sorted.
const SORT_BYTES: usize = 32 << 20;
/// A quoted cell that holds lines of the header's shape.
pub(super) const SUSPICIOUS_QUOTE: &str = "suspicious_quote";
/// Rows between two looks at the signals.
const ROWS_PER_LOOK: i64 = 4_096;

impl App {
    /// Reads the whole file, unless an earlier run did. Answers the rows to be written.
    pub(super) async fn read_rows(
        &self,
        job: &mut Job,
        params: &UploadParams,
    ) -> AppResult<UploadCheckpoint> {
        let stored = checkpoint(job)?;
        if stored.rows.is_some() {
            return Ok(stored);
        }
        let source = self.deps.blobs.open(&params.blob).await?;
        let id = job.operation.id;
        let rejected = self.deps.blobs.create(&rejected_name(id)).await?;
        let mut reading = Reading {
            deps: self.deps.clone(),
            params: params.clone(),
            sorter: self.deps.spool.sorter(&spool_name(id), SORT_BYTES)?,
            rejected: Some(rejected),
            signals: Arc::clone(&job.signals),
            report: UploadReport::default(),
            now: self.deps.clock.now(),
        };
        let runtime = Handle::current();
        let report = blocking(move || {
            let limits = RecordLimits::default();
            let mut reader = reading
                .deps
                .formats
                .open(source, &reading.params.format, limits)?;
            reading.run(reader.as_mut(), &runtime)?;
            reading.finish(&runtime)
        })
        .await?;
        crash::point("upload.spooled");
        let rows = report.received - report.rejected;
        let checkpoint = UploadCheckpoint {
            rows: Some(rows),
            report,
            ..Default::default()
        };
        save(job, &checkpoint).await?;
        Ok(checkpoint)
    }
}

/// Stores a checkpoint of this operation.
pub(super) async fn save(job: &mut Job, checkpoint: &UploadCheckpoint) -> AppResult<()> {
    let rejected = checkpoint.report.rejected;
    let progress = Progress {
        done: rejected + checkpoint.written,
        total: checkpoint.rows.map(|rows| rows + rejected),
    };
    let report = Some(Report::Upload(checkpoint.report.clone()));
    let checkpoint = payload::encode(checkpoint)?;
    job.checkpoint(progress, report, checkpoint).await
}

struct Reading {
    deps: Deps,
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

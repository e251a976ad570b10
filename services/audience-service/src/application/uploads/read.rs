//! First phase: every row is read, checked, normalised and sorted; bad rows go to the rejected file.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::{
    contact::{
        ColumnMapping, FieldTarget, ItemError, ItemRules, NewContact, parse_item, parse_row,
    },
    operation::{Progress, Report, UploadReport},
    shared::Instant,
};
use ports::{
    crash,
    files::{
        BlobWriter, Cells, DetectedFormat, FileFormat, Record, RecordLimits, RecordReader, Sorter,
    },
};
use serde_json::Value;
use tokio::runtime::Handle;

use super::{
    UploadCheckpoint, UploadParams, checkpoint,
    receive::blocking,
    rejected::{self, Rejected},
    rejected_name, spool_name,
};
use crate::application::{
    App, AppError, AppResult, Deps,
    operations::{Job, Signals},
};

/// Memory for rows being sorted.
const SORT_BYTES: usize = 32 << 20;
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
    job.checkpoint(
        progress,
        report,
        serde_json::to_value(checkpoint).unwrap_or_default(),
    )
    .await
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
        let headers = reader.headers().to_vec();
        let meaning = Meaning::of(&self.params);
        let rules = ItemRules {
            require_valid_document: self.params.require_valid_document,
        };
        let mut value = Vec::new();
        while let Some(mut record) = reader.next()? {
            if self.report.received % ROWS_PER_LOOK == 0 {
                self.signals.check()?;
            }
            self.report.received += 1;
            match contact_of(&mut record, &meaning, &rules, self.now) {
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
                    let line = Rejected::new(&record, &headers, &error).line();
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

/// What the columns of a file mean.
struct Meaning {
    targets: Vec<FieldTarget>,
    by_name: HashMap<String, FieldTarget>,
}

impl Meaning {
    fn of(params: &UploadParams) -> Self {
        let targets = params.mapping.targets().to_vec();
        let by_name = params
            .format
            .columns
            .iter()
            .cloned()
            .zip(targets.iter().cloned())
            .collect();
        Self { targets, by_name }
    }

    /// An object with its members under the names they stand for.
    fn rename(&self, item: Value) -> Value {
        let Value::Object(members) = item else {
            return item;
        };
        let rename = |(name, value): (String, Value)| match self.by_name.get(&name) {
            None => Some((name, value)),
            Some(FieldTarget::Ignore) => None,
            Some(target) => Some((target.as_str().to_owned(), value)),
        };
        Value::Object(members.into_iter().filter_map(rename).collect())
    }
}

fn contact_of(
    record: &mut Record<'_>,
    meaning: &Meaning,
    rules: &ItemRules,
    now: Instant,
) -> Result<NewContact, ItemError> {
    if let Some(fault) = record.fault {
        return Err(rejected::fault_error(fault));
    }
    match &mut record.cells {
        Cells::Fields(cells) => {
            let fields = meaning.targets.iter().zip(cells.iter().map(String::as_str));
            parse_row(fields, rules, now)
        }
        Cells::Json(value) => parse_item(meaning.rename(value.take()), rules, now),
        Cells::Raw(_) => Err(rejected::fault_error(ports::files::RowFault::InvalidJson)),
    }
}

/// The mapping of a file that is read for its documents. A file of one column is a list of them; when
/// the first is not what a document is called, it is one itself.
fn document_column(format: &mut DetectedFormat, guess: ColumnMapping) -> AppResult<ColumnMapping> {
    if format.format == FileFormat::Ndjson || guess.has_document() {
        return Ok(guess);
    }
    let [only] = format.columns.as_slice() else {
        let detail = "no column of the file was recognised as the document";
        return Err(AppError::invalid(
            "/rules/upload_id",
            "document_not_mapped",
            detail,
        ));
    };
    let request = BTreeMap::from([(only.clone(), "document".to_owned())]);
    format.header = false;
    ColumnMapping::from_request(&format.columns, &request)
        .map_err(|violation| AppError::Invalid(vec![violation]))
}

impl App {
    /// Sorts the documents of an uploaded file into a set.
    pub(crate) async fn push_upload(
        &self,
        actor: &crate::application::Actor,
        upload: domain::shared::UploadId,
        mut sorter: Box<dyn Sorter>,
    ) -> AppResult<Box<dyn Sorter>> {
        let unknown = || {
            let detail = "there is no such upload";
            crate::application::AppError::invalid("/rules/upload_id", "unknown_upload", detail)
        };
        let stored = self
            .stored_upload(actor, upload)
            .await?
            .ok_or_else(unknown)?;
        let mut format = stored.detected.format;
        let mapping = document_column(&mut format, stored.detected.mapping)?;
        let params = UploadParams {
            blob: stored.upload.blob,
            format,
            mapping,
            require_valid_document: false,
            request: 0,
        };
        let source = self.deps.blobs.open(&params.blob).await?;
        let formats = Arc::clone(&self.deps.formats);
        let now = self.deps.clock.now();
        blocking(move || {
            let meaning = Meaning::of(&params);
            let rules = ItemRules::default();
            let mut reader = formats.open(source, &params.format, RecordLimits::default())?;
            while let Some(mut record) = reader.next()? {
                // A row without a document names nobody to remove.
                if let Ok(contact) = contact_of(&mut record, &meaning, &rules, now) {
                    sorter.push(contact.document.as_str().as_bytes(), &[])?;
                }
            }
            Ok(sorter)
        })
        .await
    }
}

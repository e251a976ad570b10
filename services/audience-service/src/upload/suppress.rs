//! Suppressing the people of a file.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    contact::{ColumnMapping, LaterColumns},
    operation::{Failure, OperationKind, OperationResult, Progress, Report, UploadReport},
    shared::{OperationId, SuppressionId, UploadId},
    suppression::{Suppressed, Suppression, SuppressionReason, parse_suppressed_row},
};
use kernel::payload;
use operations::{Ending, Job, Run, Signals};
use ports::{
    Clock, IdGenerator,
    files::{
        BlobStore, FileError, FileFormat, ReadSeek, RecordFormats, RecordLimits, RecordReader,
    },
    store::{AudienceStore, Durability, OperationUpdate},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    FindUpload, Rejected, StoredUpload, UploadParams, meaning::Meaning, meaning::RowForm,
    read::SUSPICIOUS_QUOTE, receive::blocking, rejected_name,
};
use crate::{
    Actor, AppError, AppResult, RequestId,
    operation::{AcceptOperation, EndOperation},
    suppression::Hashes,
};

/// Rows of one transaction.
const STEP: usize = 1_000;

/// What an operation works from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SuppressParams {
    /// The file.
    pub file: UploadParams,
    /// Why its people are suppressed.
    pub reason: SuppressionReason,
}

/// Where an operation stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SuppressCheckpoint {
    /// Rows that are done: whole steps of them.
    pub rows: i64,
    /// What was counted so far.
    pub report: UploadReport,
}

/// Starts to suppress the people of uploaded files.
#[derive(Clone)]
pub struct SuppressFile {
    pub(crate) uploads: FindUpload,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) accept: AcceptOperation,
}

impl SuppressFile {
    /// Starts to suppress everybody whom a file names by phone, e-mail or document.
    ///
    /// # Errors
    /// `Invalid` for the upload or the mapping; store errors.
    #[tracing::instrument(name = "suppression.file", skip_all)]
    pub async fn execute(
        &self,
        actor: &Actor,
        request_id: RequestId,
        upload: UploadId,
        mapping: Option<&BTreeMap<String, String>>,
        reason: SuppressionReason,
    ) -> AppResult<OperationId> {
        let stored = self.uploads.find(actor, upload).await?;
        let StoredUpload { upload, detected } = stored.ok_or_else(|| {
            AppError::invalid("/upload_id", "unknown_upload", "there is no such upload")
        })?;
        let mut file = UploadParams {
            blob: upload.blob,
            columns: detected.format.columns.clone(),
            mapping: detected.mapping,
            form: RowForm::Plain,
            format: detected.format,
            require_valid_document: false,
            request: 0,
        };
        if let Some(asked) = mapping {
            file.mapping = ColumnMapping::from_request(&file.columns, LaterColumns::Named, asked)
                .map_err(|violation| AppError::Invalid(vec![violation]))?;
        }
        if file.format.format != FileFormat::Ndjson && !Meaning::names_somebody(&file) {
            let detail =
                "no column was recognised as phone, email or document; name one in `mapping`";
            return Err(AppError::invalid("/mapping", "nobody_mapped", detail));
        }
        let (kind, now) = (OperationKind::Suppress, self.clock.now());
        let mut operation = self
            .accept
            .new_operation(actor, request_id, kind, None, now);
        let params = SuppressParams { file, reason };
        operation.params = operations::params::<RunSuppress>(&params)?;
        self.accept.accept_alone(request_id, operation).await
    }
}

/// Suppresses the people of files.
pub(crate) struct RunSuppress {
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) formats: Arc<dyn RecordFormats>,
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) hashes: Hashes,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) ends: EndOperation,
}

/// Rows that were read one after the other.
#[derive(Default)]
struct Rows {
    /// Of each row everybody whom it names, and whether something in it cannot be read.
    rows: Vec<(Vec<Suppressed>, bool)>,
    /// Lines of the file of rejected rows.
    rejected: Vec<u8>,
    /// Lines at which a quoted cell looks wrong.
    suspicious: Vec<u64>,
}

#[async_trait]
impl Job for RunSuppress {
    type Params = SuppressParams;
    type Checkpoint = SuppressCheckpoint;
    const KINDS: &'static [OperationKind] = &[OperationKind::Suppress];

    /// A file is read from its beginning each time, so that the rejected rows are all there; rows that are done
    /// are passed over.
    async fn run(&self, run: &mut Run, params: SuppressParams) -> AppResult<()> {
        let mut at = Self::reached(&run.operation)?;
        let source = self.blobs.open(&params.file.blob).await?;
        let mut rejected = self.blobs.create(&rejected_name(run.operation.id)).await?;
        let mut steps = self.steps(params.file.clone(), source, Arc::clone(&run.signals));
        let mut seen = 0;
        while let Some(step) = steps.recv().await {
            let step = step?;
            rejected.write(&step.rejected).await?;
            let is_done = seen < at.rows;
            seen += i64::try_from(step.rows.len()).unwrap_or(i64::MAX);
            if !is_done {
                at = self.add(run, params.reason, &step, at).await?;
            }
        }
        rejected.finish().await?;
        let report = at.report;
        let ending = match (report.rejected, report.created + report.unchanged) {
            (1.., 0) => {
                let detail = "every row was rejected; the rejected rows say why";
                let failure = Failure::new("all_rows_rejected", detail);
                Ending::failed(failure, Some(Report::Upload(report)))
            }
            (1.., _) => Ending::succeeded(Report::Upload(report), OperationResult::Partial),
            _ => Ending::succeeded(Report::Upload(report), OperationResult::Complete),
        };
        self.ends.run(run, &ending).await
    }
}

impl RunSuppress {
    /// Suppresses the people of a step, with the checkpoint behind it.
    async fn add(
        &self,
        run: &mut Run,
        reason: SuppressionReason,
        step: &Rows,
        mut at: SuppressCheckpoint,
    ) -> AppResult<SuppressCheckpoint> {
        let (workspace, created_by) = (&run.operation.workspace, &run.operation.created_by);
        let now = self.ends.clock.now();
        let people = step.rows.iter().flat_map(|(people, _)| people);
        let new: Vec<Suppression> = people
            .map(|who| Suppression {
                id: SuppressionId::from_raw(self.ids.next()),
                who: self.hashes.of(workspace, who),
                reason,
                created_by: created_by.clone(),
                created_at: now,
            })
            .collect();
        let mut uow = self.store.begin(Durability::Full).await?;
        let stored = uow.suppressions().add(workspace, &new).await?;
        let mut is_new = stored
            .iter()
            .zip(&new)
            .map(|(stored, new)| stored.id == new.id);
        for (people, is_rejected) in &step.rows {
            let added = is_new
                .by_ref()
                .take(people.len())
                .filter(|new| *new)
                .count();
            at.report.received += 1;
            *match (is_rejected, added) {
                (true, _) => &mut at.report.rejected,
                (false, 0) => &mut at.report.unchanged,
                (false, _) => &mut at.report.created,
            } += 1;
        }
        for line in &step.suspicious {
            at.report.warnings.add(*line, SUSPICIOUS_QUOTE);
        }
        at.rows += i64::try_from(step.rows.len()).unwrap_or(i64::MAX);
        let progress = Progress {
            done: at.rows,
            total: None,
        };
        let report = Report::Upload(at.report.clone());
        let update = OperationUpdate {
            progress: Some(progress),
            report: Some(report.clone()),
            checkpoint: Some(payload::encode(&at)?),
            ..OperationUpdate::default()
        };
        uow.operations().update_leased(&run.lease, &update).await?;
        uow.commit().await?;
        // Shows it to whoever watches, and stops here where that was asked for.
        Self::save(run, progress, Some(report), &at).await?;
        Ok(at)
    }

    /// Reads ahead on a thread of its own.
    fn steps(
        &self,
        params: UploadParams,
        source: Box<dyn ReadSeek>,
        signals: Arc<Signals>,
    ) -> mpsc::Receiver<AppResult<Rows>> {
        let (sender, receiver) = mpsc::channel(1);
        let formats = Arc::clone(&self.formats);
        tokio::spawn(async move {
            let feed = sender.clone();
            let fed = blocking(move || {
                let mut meaning = Meaning::of(&params);
                let mut reader = formats.open(source, &params.format, RecordLimits::default())?;
                while let Some(rows) = next_step(reader.as_mut(), &mut meaning)? {
                    signals.check()?;
                    if feed.blocking_send(Ok(rows)).is_err() {
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

fn next_step(
    reader: &mut dyn RecordReader,
    meaning: &mut Meaning,
) -> Result<Option<Rows>, FileError> {
    let mut step = Rows::default();
    while step.rows.len() < STEP {
        let Some(record) = reader.next()? else {
            break;
        };
        step.suspicious.extend(record.suspicious_quote);
        let (people, fault) = match meaning.names(&record) {
            Ok(values) => parse_suppressed_row(values),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        if let Some(fault) = &fault {
            let line = Rejected::new(&record, meaning.values(&record), fault).line()?;
            step.rejected.extend(line);
        }
        step.rows.push((people, fault.is_some()));
    }
    Ok((!step.rows.is_empty()).then_some(step))
}

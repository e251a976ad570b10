//! Receiving a file: streamed to disk, looked into, remembered.

use std::sync::Arc;

use domain::{
    contact::ColumnMapping,
    shared::{Instant, UploadId},
};
use futures::{Stream, StreamExt};
use kernel::{payload, receipt};
use ports::{
    Clock, IdGenerator,
    files::{
        BlobInfo, BlobStore, DetectedFormat, FileError, FileHint, FileOptions, RecordFormats,
        RecordLimits,
    },
    store::{AudienceStore, Durability, Upload},
};

use super::find::{FindUpload, StoredDetection, StoredUpload};
use crate::{Actor, AppError, AppResult, RequestId};

/// Bytes looked at before the rest of a file is accepted.
const HEAD: usize = 64 << 10;
/// Largest CSV or NDJSON file.
const MAX_BYTES: u64 = 5_000_000_000;
/// Disk space left free, whatever is uploaded.
const RESERVE: u64 = 256 << 20;

/// A file being received.
pub struct Received<S> {
    /// Its bytes.
    pub chunks: S,
    /// Name given by the client.
    pub file_name: Option<String>,
    /// Media type given by the client.
    pub content_type: Option<String>,
    /// Length announced by the client, if any.
    pub length: Option<u64>,
    /// How the client insists that it be read.
    pub options: FileOptions,
}

/// A file that is on the disk and can be read, and that nothing remembers yet.
#[derive(Debug, Clone)]
pub struct ReceivedFile {
    id: UploadId,
    blob: String,
    file_name: Option<String>,
    info: BlobInfo,
    detected: StoredDetection,
    received_at: Instant,
}

impl ReceivedFile {
    /// SHA-256 of its content in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.info.sha256
    }
}

/// Receives files and remembers them.
#[derive(Clone)]
pub struct ReceiveUpload {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) formats: Arc<dyn RecordFormats>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) uploads: FindUpload,
}

impl ReceiveUpload {
    /// Stores a file and looks into it. A file of no known form is refused after its first bytes.
    ///
    /// # Errors
    /// `InsufficientStorage`; `File`; store errors.
    pub async fn execute<S, C, E>(
        &self,
        actor: &Actor,
        request_id: RequestId,
        received: Received<S>,
    ) -> AppResult<StoredUpload>
    where
        S: Stream<Item = Result<C, E>> + Unpin + Send,
        C: AsRef<[u8]> + Send,
        E: std::fmt::Display + Send,
    {
        let file = self.receive(received).await?;
        self.remember(actor, request_id, file).await
    }

    /// Streams a file to the disk and looks into it. What comes of it is to be remembered or
    /// forgotten; a crash before that leaves a file that the next sweep deletes.
    ///
    /// # Errors
    /// `InsufficientStorage`; `File`; store errors.
    #[tracing::instrument(name = "upload.receive", skip_all)]
    pub async fn receive<S, C, E>(&self, received: Received<S>) -> AppResult<ReceivedFile>
    where
        S: Stream<Item = Result<C, E>> + Unpin + Send,
        C: AsRef<[u8]> + Send,
        E: std::fmt::Display + Send,
    {
        self.ensure_room(received.length.unwrap_or(0)).await?;
        let id = UploadId::from_raw(self.ids.next());
        let blob = format!("uploads/{}.data", id.raw());
        let hint = Hint {
            file_name: received.file_name.clone(),
            content_type: received.content_type.clone(),
            options: received.options,
        };
        let (info, head_format) = store(
            self.blobs.as_ref(),
            &blob,
            received.chunks,
            &hint,
            |head, hint| self.formats.detect(head, &hint.borrow()),
        )
        .await?;
        let received_at = self.clock.now();
        match self.look_into(&blob, hint, head_format).await {
            Ok(detected) => Ok(ReceivedFile {
                id,
                blob,
                file_name: received.file_name,
                info,
                detected,
                received_at,
            }),
            Err(error) => {
                self.blobs.remove(&blob).await?;
                Err(error)
            }
        }
    }

    /// Deletes a received file that is not to be remembered: an earlier one answers for it.
    ///
    /// # Errors
    /// `File`.
    pub async fn forget(&self, file: ReceivedFile) -> AppResult<()> {
        Ok(self.blobs.remove(&file.blob).await?)
    }

    async fn ensure_room(&self, length: u64) -> AppResult<()> {
        if length > MAX_BYTES {
            return Err(FileError::TooLarge {
                what: "file (bytes)",
                limit: MAX_BYTES,
            }
            .into());
        }
        if self.blobs.free_bytes().await? < length.saturating_add(RESERVE) {
            return Err(AppError::InsufficientStorage);
        }
        Ok(())
    }

    /// Columns, sample and a guess of what the columns mean, from the whole file.
    async fn look_into(
        &self,
        blob: &str,
        hint: Hint,
        head: DetectedFormat,
    ) -> AppResult<StoredDetection> {
        let reader = self.blobs.open(blob).await?;
        let formats = Arc::clone(&self.formats);
        let format = blocking(move || {
            Ok(formats.inspect(reader, &hint.borrow(), RecordLimits::default())?)
        })
        .await?;
        debug_assert_eq!(format.format, head.format);
        let mapping = ColumnMapping::guess(&format.columns);
        Ok(StoredDetection { format, mapping })
    }

    /// Gives a received file its place in the workspace. Where an earlier run of the same request
    /// did that already, its file counts and this one is deleted.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "upload.remember", skip_all)]
    pub async fn remember(
        &self,
        actor: &Actor,
        request_id: RequestId,
        file: ReceivedFile,
    ) -> AppResult<StoredUpload> {
        let mut uow = self.store.begin(Durability::Full).await?;
        if let Some(receipt) = receipt::earlier(uow.receipts(), request_id).await? {
            drop(uow);
            return self.earlier_upload(actor, &receipt, file).await;
        }
        let upload = Upload {
            id: file.id,
            workspace: actor.workspace.clone(),
            blob: file.blob,
            file_name: file.file_name,
            bytes: i64::try_from(file.info.bytes).unwrap_or(i64::MAX),
            sha256: file.info.sha256,
            detected: payload::encode(&file.detected)?,
            created_at: file.received_at,
        };
        uow.uploads().add(&upload).await?;
        let receipt = serde_json::json!({ "upload": file.id.raw() });
        receipt::keep(uow.receipts(), request_id, &receipt).await?;
        uow.commit().await?;
        Ok(StoredUpload {
            upload,
            detected: file.detected,
        })
    }

    async fn earlier_upload(
        &self,
        actor: &Actor,
        receipt: &serde_json::Value,
        file: ReceivedFile,
    ) -> AppResult<StoredUpload> {
        self.forget(file).await?;
        let id = receipt.get("upload").and_then(serde_json::Value::as_i64);
        let corrupt = ports::StoreError::Corrupt("a receipt of an upload");
        let id = UploadId::from_raw(id.ok_or(corrupt)?);
        self.uploads.get(actor, id).await
    }
}

/// What a client says about a file, owned.
struct Hint {
    file_name: Option<String>,
    content_type: Option<String>,
    options: FileOptions,
}

impl Hint {
    fn borrow(&self) -> FileHint<'_> {
        FileHint {
            file_name: self.file_name.as_deref(),
            content_type: self.content_type.as_deref(),
            delimiter: self.options.delimiter,
            encoding: self.options.encoding,
            header: self.options.header,
            sheet: self.options.sheet.as_deref(),
        }
    }
}

/// Streams chunks into a blob. The first bytes decide whether the rest is wanted.
async fn store<S, C, E>(
    blobs: &dyn BlobStore,
    name: &str,
    mut chunks: S,
    hint: &Hint,
    detect: impl Fn(&[u8], &Hint) -> Result<DetectedFormat, FileError>,
) -> AppResult<(BlobInfo, DetectedFormat)>
where
    S: Stream<Item = Result<C, E>> + Unpin + Send,
    C: AsRef<[u8]> + Send,
    E: std::fmt::Display + Send,
{
    let mut writer = blobs.create(name).await?;
    let mut head: Vec<u8> = Vec::new();
    let mut format = None;
    let mut bytes = 0u64;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| AppError::Malformed {
            code: "body_incomplete",
            detail: "the body ended before the file did".into(),
        })?;
        let chunk = chunk.as_ref();
        bytes += chunk.len() as u64;
        if bytes > MAX_BYTES {
            return Err(FileError::TooLarge {
                what: "file (bytes)",
                limit: MAX_BYTES,
            }
            .into());
        }
        writer.write(chunk).await?;
        if format.is_none() {
            head.extend_from_slice(chunk);
            if head.len() >= HEAD {
                format = Some(detect(&head, hint)?);
                head = Vec::new();
            }
        }
    }
    let format = match format {
        Some(format) => format,
        None => detect(&head, hint)?,
    };
    Ok((writer.finish().await?, format))
}

/// Runs blocking work on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> AppResult<T> + Send + 'static,
) -> AppResult<T> {
    let internal = |e: tokio::task::JoinError| ports::StoreError::Internal(Box::new(e));
    tokio::task::spawn_blocking(work).await.map_err(internal)?
}

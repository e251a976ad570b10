//! Whole files, such as uploads and downloadable reports.

use std::fmt;
use std::io::{Read, Seek};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;

use super::FileError;

/// A blocking reader that can move, as XLSX needs (its directory is at the end of the file).
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// Chunks of a file, in order, for an HTTP response body.
pub type BlobStream = BoxStream<'static, Result<Vec<u8>, FileError>>;

/// What was stored by a [`BlobWriter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// Stores whole files by name.
///
/// Every method refuses names that [`check_name`](super::check_name) refuses.
#[async_trait]
pub trait BlobStore: Send + Sync + fmt::Debug {
    /// Starts a file. It MUST stay invisible until [`BlobWriter::finish`], which replaces a file of
    /// the same name; of concurrent writers of one name the last to finish wins.
    ///
    /// # Errors
    /// [`FileError::InvalidName`], [`FileError::DiskFull`], [`FileError::Io`].
    async fn create(&self, name: &str) -> Result<Box<dyn BlobWriter>, FileError>;

    /// Opens a file for reading inside a blocking thread, at its beginning.
    ///
    /// # Errors
    /// [`FileError::NotFound`], [`FileError::InvalidName`], [`FileError::Io`].
    async fn open(&self, name: &str) -> Result<Box<dyn ReadSeek>, FileError>;

    /// Streams a file from a byte offset to its end; an offset past the end gives no chunk.
    ///
    /// # Errors
    /// [`FileError::NotFound`], [`FileError::InvalidName`], [`FileError::Io`].
    async fn stream(&self, name: &str, offset: u64) -> Result<BlobStream, FileError>;

    /// Size of a file in bytes.
    ///
    /// # Errors
    /// [`FileError::NotFound`], [`FileError::InvalidName`], [`FileError::Io`].
    async fn size(&self, name: &str) -> Result<u64, FileError>;

    /// Whether a finished file has this name.
    ///
    /// # Errors
    /// [`FileError::InvalidName`], [`FileError::Io`].
    async fn exists(&self, name: &str) -> Result<bool, FileError> {
        match self.size(name).await {
            Ok(_) => Ok(true),
            Err(FileError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a file; removing a missing one is a success.
    ///
    /// # Errors
    /// [`FileError::InvalidName`], [`FileError::Io`].
    async fn remove(&self, name: &str) -> Result<(), FileError>;

    /// Names of the finished files inside a folder and its subfolders, sorted; with
    /// `untouched_since`, of those that were finished before.
    ///
    /// `folder` is a valid name, or empty for the whole store; a missing folder is an empty list.
    ///
    /// # Errors
    /// [`FileError::InvalidName`], [`FileError::Io`].
    async fn list(
        &self,
        folder: &str,
        untouched_since: Option<DateTime<Utc>>,
    ) -> Result<Vec<String>, FileError>;

    /// Bytes that can still be written, so that a caller can answer 507 before it writes.
    ///
    /// # Errors
    /// [`FileError::Io`].
    async fn free_bytes(&self) -> Result<u64, FileError>;

    /// Removes what a crash left behind: unfinished files not written to since `untouched_since`.
    /// Returns how many were removed.
    ///
    /// # Errors
    /// [`FileError::Io`].
    async fn remove_unfinished(&self, untouched_since: DateTime<Utc>) -> Result<u64, FileError>;
}

/// A file being written. Dropped before [`finish`](Self::finish), it is removed.
#[async_trait]
pub trait BlobWriter: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`FileError::DiskFull`], [`FileError::Io`]; the writer is of no use afterwards.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError>;

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// [`FileError::DiskFull`], [`FileError::Io`]; the file is removed.
    async fn finish(self: Box<Self>) -> Result<BlobInfo, FileError>;
}

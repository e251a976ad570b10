//! Sorting more records than memory holds.

use std::fmt;

use chrono::{DateTime, Utc};

use super::FileError;

/// A record of a sorted file: key and value.
pub type SortedRecord<'a> = (&'a [u8], &'a [u8]);

/// Sorted temporary files, by name. All methods block.
///
/// Every method refuses names that [`check_name`](super::check_name) refuses.
pub trait Spool: Send + Sync + fmt::Debug {
    /// Starts a sorted file. It MUST stay invisible until [`Sorter::finish`].
    ///
    /// `memory_bytes` bounds the records held at once; more are written to the disk in sorted runs.
    /// Of concurrent sorters of one name, the caller must have only one.
    ///
    /// # Errors
    /// [`FileError::InvalidName`], [`FileError::Io`].
    fn sorter(&self, name: &str, memory_bytes: usize) -> Result<Box<dyn Sorter>, FileError>;

    /// Opens a finished file at an offset: 0, or what [`SortedRecords::offset`] gave.
    ///
    /// # Errors
    /// [`FileError::NotFound`], [`FileError::Damaged`], [`FileError::InvalidName`],
    /// [`FileError::Io`].
    fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SortedRecords>, FileError>;

    /// What a finished file holds, or `None` when there is none of this name.
    ///
    /// # Errors
    /// [`FileError::Damaged`], [`FileError::InvalidName`], [`FileError::Io`].
    fn info(&self, name: &str) -> Result<Option<SpoolInfo>, FileError>;

    /// Whether a complete file has this name.
    ///
    /// # Errors
    /// As [`info`](Self::info).
    fn exists(&self, name: &str) -> Result<bool, FileError> {
        self.info(name).map(|info| info.is_some())
    }

    /// Names of the files, and of those that an interrupted sorter left unfinished, that nobody has
    /// written to since `untouched_since`; each once.
    ///
    /// # Errors
    /// [`FileError::Io`].
    fn names(&self, untouched_since: DateTime<Utc>) -> Result<Vec<String>, FileError>;

    /// Removes a file and what an interrupted sorter of this name left; a missing one is a success.
    ///
    /// # Errors
    /// [`FileError::InvalidName`], [`FileError::Io`].
    fn remove(&self, name: &str) -> Result<(), FileError>;
}

/// Content of a sorted file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolInfo {
    /// Number of records.
    pub records: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Takes records in any order. Dropped before [`finish`](Self::finish), it removes its files.
pub trait Sorter: Send {
    /// Adds a record. Keys may repeat.
    ///
    /// # Errors
    /// [`FileError::TooLarge`] for a record over 16 MiB, [`FileError::DiskFull`],
    /// [`FileError::Io`].
    fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), FileError>;

    /// Writes the file, durable and complete, in the byte order of the keys; records of equal key
    /// stay in the order in which they were added. Replaces a file of the same name.
    ///
    /// # Errors
    /// [`FileError::DiskFull`], [`FileError::Io`].
    fn finish(self: Box<Self>) -> Result<SpoolInfo, FileError>;
}

/// Reads a sorted file.
pub trait SortedRecords: Send {
    /// The next record, or `None` at the end. The slices live until the next call.
    ///
    /// # Errors
    /// [`FileError::Damaged`], [`FileError::Io`].
    fn next(&mut self) -> Result<Option<SortedRecord<'_>>, FileError>;

    /// Where to [`open`](Spool::open) the file to go on after the last returned record.
    fn offset(&self) -> u64;
}

//! Files: stored uploads, readers of tabular formats, sorted temporary files and CSV text.
//!
//! Everything that is processor-bound or reads a local disk record by record is synchronous and
//! runs inside a blocking thread; only [`BlobStore`] is asynchronous, because uploads and downloads
//! come from and go to the network. A file is processed as a stream, never held whole in memory.

mod blob;
mod csv_text;
mod error;
mod format;
mod name;
mod record;
mod spool;

pub use blob::{BlobInfo, BlobStore, BlobStream, BlobWriter, ReadSeek};
pub use csv_text::{guard_formula, push_csv_row, strip_formula_guard};
pub use error::{FileError, FormatFault};
pub use format::{
    DetectedFormat, Encoding, FileFormat, FileHint, FileOptions, Header, RecordFormats,
    RecordLimits,
};
pub use name::check_name;
pub use record::{Cells, Record, RecordReader, RowFault};
pub use spool::{SortedRecord, SortedRecords, Sorter, Spool, SpoolInfo};

//! Files on a local disk: stored uploads, readers of CSV, NDJSON and XLSX, external sorting.
//!
//! Implements the ports of [`ports::files`]. Nothing here holds a whole file in memory.

mod csv;
mod disk;
mod formats;
mod lines;
mod ndjson;
mod spool;
mod table;
mod transcode;
mod xlsx;

pub use disk::DiskBlobs;
pub use formats::TabularFormats;
pub use spool::DiskSpool;

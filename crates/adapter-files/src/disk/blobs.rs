//! Whole files under a folder.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream;
use ports::files::{BlobInfo, BlobStore, BlobStream, BlobWriter, FileError, ReadSeek, check_name};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::{Root, UNFINISHED, UnfinishedFile, for_each_file, remove_file};

/// Bytes gathered before they are handed to a blocking thread.
const WRITE_BYTES: usize = 1 << 20;
/// Bytes of one chunk of a download.
const READ_BYTES: u64 = 256 << 10;

/// Files under one folder of a local disk.
#[derive(Debug, Clone)]
pub struct DiskBlobs {
    root: Root,
}

impl DiskBlobs {
    /// Uses `folder`, which is created if it is missing.
    ///
    /// # Errors
    /// [`FileError::Io`], [`FileError::DiskFull`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, FileError> {
        let root = Root::create(folder)?;
        Ok(Self { root })
    }
}

/// Runs file operations where they may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    spawn_blocking(work)
        .await
        .map_err(|error| FileError::Io(io::Error::other(error)))?
}

#[async_trait]
impl BlobStore for DiskBlobs {
    async fn create(&self, name: &str) -> Result<Box<dyn BlobWriter>, FileError> {
        let target = self.root.path(name)?;
        let (unfinished, file) = blocking(move || UnfinishedFile::create(target)).await?;
        let written = Written {
            file,
            unfinished,
            hash: Sha256::new(),
            bytes: 0,
        };
        Ok(Box::new(DiskWriter {
            buffer: Vec::new(),
            written: Some(written),
        }))
    }

    async fn open(&self, name: &str) -> Result<Box<dyn ReadSeek>, FileError> {
        let path = self.root.path(name)?;
        let file = blocking(move || open_file(&path)).await?;
        Ok(Box::new(file))
    }

    async fn stream(&self, name: &str, offset: u64) -> Result<BlobStream, FileError> {
        let path = self.root.path(name)?;
        let file = blocking(move || {
            let mut file = open_file(&path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        })
        .await?;
        Ok(stream::try_unfold(file, |mut file| {
            blocking(move || {
                let mut chunk = Vec::new();
                Read::take(&mut file, READ_BYTES).read_to_end(&mut chunk)?;
                Ok((!chunk.is_empty()).then_some((chunk, file)))
            })
        })
        .boxed())
    }

    async fn size(&self, name: &str) -> Result<u64, FileError> {
        let path = self.root.path(name)?;
        blocking(move || Ok(open_file(&path)?.metadata()?.len())).await
    }

    async fn remove(&self, name: &str) -> Result<(), FileError> {
        let path = self.root.path(name)?;
        blocking(move || remove_file(&path)).await
    }

    async fn list(
        &self,
        folder: &str,
        untouched_since: Option<DateTime<Utc>>,
    ) -> Result<Vec<String>, FileError> {
        let start = match folder {
            "" => self.root.folder().to_path_buf(),
            folder => self.root.path(folder)?,
        };
        let root = self.root.folder().to_path_buf();
        blocking(move || {
            let mut names = Vec::new();
            for_each_file(&start, &mut |path| {
                let since = untouched_since.map(SystemTime::from);
                if since.is_some_and(|since| !is_older(path, since)) {
                    return Ok(());
                }
                let name = path.strip_prefix(&root).ok().and_then(Path::to_str);
                names.extend(
                    name.filter(|name| check_name(name).is_ok())
                        .map(str::to_owned),
                );
                Ok(())
            })?;
            names.sort_unstable();
            Ok(names)
        })
        .await
    }

    async fn free_bytes(&self) -> Result<u64, FileError> {
        let folder = self.root.folder().to_path_buf();
        blocking(move || {
            let disk = rustix::fs::statvfs(&folder).map_err(io::Error::from)?;
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
        })
        .await
    }

    async fn remove_unfinished(&self, untouched_since: DateTime<Utc>) -> Result<u64, FileError> {
        let root = self.root.folder().to_path_buf();
        blocking(move || {
            let mut removed = 0;
            for_each_file(&root, &mut |path| {
                let unfinished = path.to_string_lossy().contains(UNFINISHED);
                if unfinished && is_older(path, SystemTime::from(untouched_since)) {
                    remove_file(path)?;
                    removed += 1;
                }
                Ok(())
            })?;
            Ok(removed)
        })
        .await
    }
}

/// Whether a file was last written to before this; one that is gone meanwhile was not.
fn is_older(path: &Path, than: SystemTime) -> bool {
    let written = path.metadata().and_then(|metadata| metadata.modified());
    written.is_ok_and(|written| written < than)
}

fn open_file(path: &Path) -> Result<File, FileError> {
    let file = File::open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(FileError::NotFound)
    }
}

/// The part of a file that has left memory.
struct Written {
    file: File,
    unfinished: UnfinishedFile,
    hash: Sha256,
    bytes: u64,
}

impl Written {
    fn append(&mut self, buffer: &[u8]) -> Result<(), FileError> {
        self.file.write_all(buffer)?;
        self.hash.update(buffer);
        self.bytes += buffer.len() as u64;
        Ok(())
    }

    fn finish(self) -> Result<BlobInfo, FileError> {
        self.unfinished.name(&self.file)?;
        let mut sha256 = String::with_capacity(64);
        for byte in self.hash.finalize() {
            // Writing to a String cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(BlobInfo {
            bytes: self.bytes,
            sha256,
        })
    }
}

/// Gathers bytes and writes them in blocking threads, one at a time.
struct DiskWriter {
    buffer: Vec<u8>,
    /// Absent while a thread has it, and for good after a failure.
    written: Option<Written>,
}

impl DiskWriter {
    async fn flush(&mut self) -> Result<Written, FileError> {
        let mut written = self.written.take().ok_or_else(broken)?;
        let buffer = std::mem::take(&mut self.buffer);
        let (written, buffer) = blocking(move || {
            written.append(&buffer)?;
            Ok((written, buffer))
        })
        .await?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(written)
    }
}

fn broken() -> FileError {
    FileError::Io(io::Error::other("an earlier write failed"))
}

#[async_trait]
impl BlobWriter for DiskWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        if self.written.is_none() {
            return Err(broken());
        }
        for piece in bytes.chunks(WRITE_BYTES) {
            self.buffer.extend_from_slice(piece);
            if self.buffer.len() >= WRITE_BYTES {
                self.written = Some(self.flush().await?);
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<BlobInfo, FileError> {
        let written = self.flush().await?;
        blocking(move || written.finish()).await
    }
}

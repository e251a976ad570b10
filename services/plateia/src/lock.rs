//! One process per data directory.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Name of the lock in the directory.
const FILE: &str = "lock";

/// Why a data directory cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "the data directory {dir} is in use by another plateia (process {holder}); \
         stop that one, or name another directory with --data-dir"
    )]
    Held {
        /// The directory.
        dir: PathBuf,
        /// Process id of the holder, as it wrote it down.
        holder: String,
    },
    /// The directory or the lock cannot be made.
    #[error("the data directory {dir} cannot be used: {source}")]
    Io {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Holds a data directory until it is dropped or the process ends, however it ends.
#[derive(Debug)]
#[must_use]
pub struct DataDirLock {
    _file: File,
}

impl DataDirLock {
    /// Takes a directory, making it where it does not exist, for its owner only.
    ///
    /// # Errors
    /// When another process has it, or it cannot be made or written to.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io {
            dir: dir.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(FILE))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                sign(&mut file).map_err(failed)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                dir: dir.to_owned(),
                holder: holder(&mut file),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Writes down who holds the lock, for the message of the next one.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    write!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => text,
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/data");
        let first = DataDirLock::acquire(&dir).unwrap();
        let refused = DataDirLock::acquire(&dir).unwrap_err().to_string();
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(first);
        assert!(DataDirLock::acquire(&dir).is_ok());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = DataDirLock::acquire(&file.join("data")).unwrap_err();
        assert!(matches!(refused, LockError::Io { .. }));
        assert!(refused.to_string().contains("file/data"));
    }
}

//! Names, temporary files and durability on a local disk.

mod blobs;
#[cfg(test)]
mod blobs_tests;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use ports::files::{FileError, check_name};

pub use blobs::DiskBlobs;

/// Marks unfinished files; no valid name has this character.
pub(crate) const UNFINISHED: char = '~';

/// A folder that holds files by valid name.
#[derive(Debug, Clone)]
pub(crate) struct Root(PathBuf);

impl Root {
    pub(crate) fn create(folder: impl Into<PathBuf>) -> Result<Self, FileError> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, FileError> {
        check_name(name)?;
        Ok(self.0.join(name))
    }
}

/// A file beside its later place, removed when it is dropped before it is given its name.
#[derive(Debug)]
pub(crate) struct UnfinishedFile {
    path: PathBuf,
    target: PathBuf,
    named: bool,
}

impl UnfinishedFile {
    /// Creates a file of its own for `target`, and the folders it needs.
    pub(crate) fn create(target: PathBuf) -> Result<(Self, File), FileError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        loop {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let mut path = target.clone().into_os_string();
            path.push(format!("{UNFINISHED}{}-{count}", process::id()));
            let path = PathBuf::from(path);
            let mut options = OpenOptions::new();
            match options.read(true).write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let named = false;
                    return Ok((
                        Self {
                            path,
                            target,
                            named,
                        },
                        file,
                    ));
                }
                // Left by a crashed process that had the same id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the content durable, then the name.
    pub(crate) fn name(mut self, file: &File) -> Result<(), FileError> {
        file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.named = true;
        if let Some(folder) = self.target.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        if !self.named {
            // What cannot be removed now is found later by its name.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a file; a missing one is a success.
pub(crate) fn remove_file(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Visits the files below a folder; what disappears meanwhile is left out.
pub(crate) fn for_each_file(
    folder: &Path,
    visit: &mut dyn FnMut(&Path) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                match visit(&entry.path()) {
                    Ok(()) | Err(FileError::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(())
}

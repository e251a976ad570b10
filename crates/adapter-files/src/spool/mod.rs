//! External sorting: records are gathered in memory, written as sorted runs, and merged.

mod arena;
mod file;
mod merge;
mod sorter;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use ports::files::{FileError, SortedRecords, Sorter, Spool, SpoolInfo};

use crate::disk::{Root, UNFINISHED, for_each_file, remove_file};
use file::SortedFile;
use sorter::DiskSorter;

/// Sorted files under one folder of a local disk.
///
/// A sorter needs up to twice the size of its result on the disk while it merges.
#[derive(Debug, Clone)]
pub struct DiskSpool {
    root: Root,
}

impl DiskSpool {
    /// Uses `folder`, which is created if it is missing.
    ///
    /// # Errors
    /// [`FileError::Io`], [`FileError::DiskFull`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, FileError> {
        let root = Root::create(folder)?;
        Ok(Self { root })
    }
}

impl Spool for DiskSpool {
    fn sorter(&self, name: &str, memory_bytes: usize) -> Result<Box<dyn Sorter>, FileError> {
        Ok(Box::new(DiskSorter::new(
            self.root.path(name)?,
            memory_bytes,
        )))
    }

    fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SortedRecords>, FileError> {
        let path = self.root.path(name)?;
        Ok(Box::new(SortedFile::open(&path, offset, file::IO_BYTES)?))
    }

    fn info(&self, name: &str) -> Result<Option<SpoolInfo>, FileError> {
        match file::info(&self.root.path(name)?) {
            Ok(info) => Ok(Some(info)),
            Err(FileError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn names(&self, untouched_since: DateTime<Utc>) -> Result<Vec<String>, FileError> {
        let folder = self.root.folder();
        let mut names = BTreeMap::new();
        for_each_file(folder, &mut |path| {
            let untouched = path.metadata()?.modified()? < SystemTime::from(untouched_since);
            let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) else {
                return Ok(());
            };
            let name = name.split(UNFINISHED).next().unwrap_or(name);
            *names.entry(name.to_owned()).or_insert(true) &= untouched;
            Ok(())
        })?;
        let untouched = names.into_iter().filter(|(_, untouched)| *untouched);
        Ok(untouched.map(|(name, _)| name).collect())
    }

    fn remove(&self, name: &str) -> Result<(), FileError> {
        let path = self.root.path(name)?;
        remove_file(&path)?;
        let (Some(folder), Some(file_name)) = (path.parent(), path.file_name()) else {
            return Ok(());
        };
        let leftover = format!("{}{UNFINISHED}", file_name.to_string_lossy());
        let entries = match fs::read_dir(folder).map_err(FileError::from) {
            Ok(entries) => entries,
            Err(FileError::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&leftover) {
                remove_file(&entry.path())?;
            }
        }
        Ok(())
    }
}

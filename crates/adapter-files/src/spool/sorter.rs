//! Gathering records and writing them in order.

use std::path::PathBuf;

use ports::files::{FileError, Sorter, SpoolInfo};

use super::arena::Arena;
use super::file::{IO_BYTES, MAX_RECORD_BYTES, SortedWriter};
use super::merge::merge;
use crate::disk::UnfinishedFile;

/// Runs merged at once: bounds the open files.
const MAX_FAN_IN: usize = 64;
const MIN_IO_BYTES: usize = 4 << 10;

pub(super) struct DiskSorter {
    target: PathBuf,
    memory_bytes: usize,
    arena: Arena,
    /// In the order of their records, so that merging neighbours keeps equal keys in order.
    runs: Vec<UnfinishedFile>,
}

impl DiskSorter {
    pub(super) fn new(target: PathBuf, memory_bytes: usize) -> Self {
        Self {
            target,
            memory_bytes,
            arena: Arena::default(),
            runs: Vec::new(),
        }
    }

    fn create(&self) -> Result<(UnfinishedFile, SortedWriter), FileError> {
        let (file, handle) = UnfinishedFile::create(self.target.clone())?;
        Ok((file, SortedWriter::new(handle)))
    }

    fn write_arena(&mut self, writer: &mut SortedWriter) -> Result<(), FileError> {
        self.arena.sort();
        for record in self.arena.records() {
            writer.write(&record)?;
        }
        self.arena.clear();
        Ok(())
    }

    fn spill(&mut self) -> Result<(), FileError> {
        let (file, mut writer) = self.create()?;
        self.write_arena(&mut writer)?;
        writer.finish()?;
        self.runs.push(file);
        Ok(())
    }

    /// Merges neighbouring runs until the rest can be merged at once.
    fn reduce_runs(&mut self, fan_in: usize, buffer_bytes: usize) -> Result<(), FileError> {
        while self.runs.len() > fan_in {
            let mut runs = std::mem::take(&mut self.runs).into_iter();
            loop {
                let group: Vec<_> = runs.by_ref().take(fan_in).collect();
                if group.len() < 2 {
                    self.runs.extend(group);
                    break;
                }
                let (file, mut writer) = self.create()?;
                merge(
                    group.iter().map(UnfinishedFile::path),
                    buffer_bytes,
                    &mut writer,
                )?;
                writer.finish()?;
                self.runs.push(file);
            }
        }
        Ok(())
    }
}

impl Sorter for DiskSorter {
    fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), FileError> {
        if key.len() + value.len() > MAX_RECORD_BYTES {
            let limit = MAX_RECORD_BYTES as u64;
            return Err(FileError::TooLarge {
                what: "record to sort (bytes)",
                limit,
            });
        }
        if !self.arena.is_empty() && !self.arena.has_room(key, value, self.memory_bytes) {
            self.spill()?;
        }
        self.arena.push(key, value);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<SpoolInfo, FileError> {
        let buffer_bytes = (self.memory_bytes / 4).clamp(MIN_IO_BYTES, IO_BYTES);
        if !self.runs.is_empty() {
            self.spill()?;
            self.arena = Arena::default();
            let fan_in = (self.memory_bytes / buffer_bytes).clamp(2, MAX_FAN_IN);
            self.reduce_runs(fan_in, buffer_bytes)?;
        }
        let (file, mut writer) = self.create()?;
        if self.runs.is_empty() {
            self.write_arena(&mut writer)?;
        } else {
            merge(
                self.runs.iter().map(UnfinishedFile::path),
                buffer_bytes,
                &mut writer,
            )?;
        }
        let (handle, info) = writer.finish()?;
        file.name(&handle)?;
        Ok(info)
    }
}

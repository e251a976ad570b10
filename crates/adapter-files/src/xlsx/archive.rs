//! Parts of a ZIP archive as bounded streams.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use flate2::bufread::DeflateDecoder;
use ports::files::{FileError, FormatFault};
use zip::{CompressionMethod, ZipArchive};

/// Parts of an archive; workbooks have some dozens.
const MAX_ENTRIES: usize = 1_000;
/// Bytes of the archive that may be read to find its parts.
const MAX_DIRECTORY_BYTES: u64 = 4 << 20;
/// Repetitive sheets reach about 100; one repeated byte, about 1,000.
const MAX_RATIO: u64 = 250;
/// Parts up to this size may have any ratio.
const SMALL_PART_BYTES: u64 = 16 << 20;
const READ_BYTES: usize = 64 << 10;

/// Where a part is in the archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    start: u64,
    packed: u64,
    deflated: bool,
    crc: u32,
}

/// Why a part is not read to its end. Travels inside [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    UnpackedTooLarge(u64),
    Ratio,
    Checksum,
    Directory,
    Token,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnpackedTooLarge(_) => "the workbook unpacks to too much",
            Self::Ratio => "a part of the workbook unpacks to far more than real data does",
            Self::Checksum => "the checksum of a part differs",
            Self::Directory => "the list of parts is too long",
            Self::Token => "an XML tag or text is too long",
        })
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    fn into_io(self) -> io::Error {
        io::Error::other(self)
    }

    fn code(self) -> FormatFault {
        match self {
            Self::Ratio => FormatFault::CompressionBomb,
            Self::Directory => FormatFault::TooManyEntries,
            Self::Token => FormatFault::RecordTooLarge,
            Self::UnpackedTooLarge(_) | Self::Checksum => FormatFault::DamagedWorkbook,
        }
    }
}

/// Says what an error while unpacking means.
pub(super) fn file_error(error: &io::Error, line: u64) -> FileError {
    let refusal = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Refusal>());
    match (refusal, error.kind()) {
        (Some(Refusal::UnpackedTooLarge(limit)), _) => FileError::TooLarge {
            what: "unpacked workbook (bytes)",
            limit: *limit,
        },
        (Some(refusal), _) => FileError::malformed_at(line, refusal.code(), refusal.to_string()),
        (
            None,
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput,
        ) => damaged(line, "a part is cut short or altered"),
        (None, kind) => FileError::from(io::Error::from(kind)),
    }
}

pub(super) fn damaged(line: u64, detail: &str) -> FileError {
    FileError::malformed_at(line, FormatFault::DamagedWorkbook, detail)
}

/// Reads the list of parts and gives the source back.
pub(super) fn entries<R: Read + Seek>(source: R) -> Result<(R, HashMap<String, Entry>), FileError> {
    let source = Allowance {
        source,
        left: MAX_DIRECTORY_BYTES,
        used_up: false,
    };
    let mut archive = match ZipArchive::new(source) {
        Ok(archive) => archive,
        Err(zip::result::ZipError::Io(error)) => return Err(file_error(&error, 0)),
        Err(_) => return Err(damaged(0, "the file is no readable ZIP archive")),
    };
    if archive.len() > MAX_ENTRIES {
        let refusal = Refusal::Directory;
        return Err(FileError::malformed(refusal.code(), refusal.to_string()));
    }
    let mut entries = HashMap::new();
    for index in 0..archive.len() {
        let unreadable = |_| damaged(0, "the list of parts is not readable");
        let file = archive.by_index_raw(index).map_err(unreadable)?;
        let deflated = match file.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            _ => continue,
        };
        let Some(start) = file.data_start().filter(|_| !file.encrypted()) else {
            continue;
        };
        let entry = Entry {
            start,
            packed: file.compressed_size(),
            deflated,
            crc: file.crc32(),
        };
        entries.insert(part_name("", file.name()), entry);
    }
    Ok((archive.into_inner().source, entries))
}

/// The name of a part, told by a target that starts in `folder` or, with a slash, at the root.
///
/// Names differ in case, some programs write `\`, and some go up and down again.
pub(super) fn part_name(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let folder = if target.starts_with('/') { "" } else { folder };
    let mut steps: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/").to_ascii_lowercase()
}

/// Lets a limited number of bytes be read.
struct Allowance<R> {
    source: R,
    left: u64,
    used_up: bool,
}

impl<R: Read> Read for Allowance<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(out)?;
        match self.left.checked_sub(count as u64) {
            Some(left) if !self.used_up => self.left = left,
            _ => {
                self.used_up = true;
                return Err(Refusal::Directory.into_io());
            }
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Allowance<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

enum Content<R> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<BufReader<Take<R>>>),
}

/// An unpacked part. Counts what it unpacks and checks it against the limits and the checksum.
pub(super) struct Part<R> {
    content: Content<R>,
    entry: Entry,
    hash: crc32fast::Hasher,
    unpacked: u64,
    /// Bytes the whole workbook may unpack to, and how many other parts have used.
    limit: u64,
    used: u64,
}

impl<R: Read + Seek> Part<R> {
    pub(super) fn open(
        mut source: R,
        entry: Entry,
        limit: u64,
        used: u64,
    ) -> Result<Self, FileError> {
        source.seek(SeekFrom::Start(entry.start))?;
        let packed = source.take(entry.packed);
        let content = if entry.deflated {
            Content::Deflated(DeflateDecoder::new(BufReader::with_capacity(
                READ_BYTES, packed,
            )))
        } else {
            Content::Stored(packed)
        };
        Ok(Self {
            content,
            entry,
            hash: crc32fast::Hasher::new(),
            unpacked: 0,
            limit,
            used,
        })
    }

    /// The source underneath, at any position.
    pub(super) fn into_source(self) -> R {
        match self.content {
            Content::Stored(content) => content.into_inner(),
            Content::Deflated(content) => content.into_inner().into_inner().into_inner(),
        }
    }

    /// Bytes unpacked by this part and those before it.
    pub(super) fn used(&self) -> u64 {
        self.used + self.unpacked
    }
}

impl<R: Read> Read for Part<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.content {
            Content::Stored(content) => content.read(out)?,
            Content::Deflated(content) => content.read(out)?,
        };
        if count == 0 && !out.is_empty() {
            let whole = self.hash.clone().finalize() == self.entry.crc;
            return if whole {
                Ok(0)
            } else {
                Err(Refusal::Checksum.into_io())
            };
        }
        self.hash.update(out.get(..count).unwrap_or_default());
        self.unpacked += count as u64;
        if self.used + self.unpacked > self.limit {
            return Err(Refusal::UnpackedTooLarge(self.limit).into_io());
        }
        if self.unpacked > SMALL_PART_BYTES && self.unpacked / self.entry.packed.max(1) > MAX_RATIO
        {
            return Err(Refusal::Ratio.into_io());
        }
        Ok(count)
    }
}

pub(super) fn token_too_long() -> io::Error {
    Refusal::Token.into_io()
}

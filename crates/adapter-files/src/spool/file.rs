//! The file format: a mark, records, and a trailer that proves the file is whole.
//!
//! A record is the length of its key, the length of its value (both as LEB128), key and value. The
//! trailer is the number of records, the bytes of all records, the CRC-32 of the records and their
//! number, and the mark again.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use ports::files::{FileError, SortedRecord, SortedRecords, SpoolInfo};

const MARK: [u8; 8] = *b"sorted\x00\x01";
const MARK_BYTES: u64 = MARK.len() as u64;
const TRAILER_BYTES: u64 = 8 + 8 + 4 + MARK_BYTES;

/// Bytes read or written at a time.
pub(super) const IO_BYTES: usize = 256 << 10;
/// Two lengths of at most four bytes each, as a record has at most 16 MiB.
pub(super) const MAX_HEADER_BYTES: usize = 8;
/// Bytes of a key and its value.
pub(super) const MAX_RECORD_BYTES: usize = 16 << 20;

/// Lengths before a record.
#[derive(Clone, Copy)]
pub(super) struct Header {
    header: usize,
    key: usize,
    value: usize,
}

impl Header {
    pub(super) fn new(key: &[u8], value: &[u8]) -> Self {
        Self {
            header: 0,
            key: key.len(),
            value: value.len(),
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        write_length(out, self.key);
        write_length(out, self.value);
    }

    /// `None` when `bytes` end inside the header or hold none.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (key, first) = read_length(bytes)?;
        let (value, second) = read_length(bytes.get(first..)?)?;
        Some(Self {
            header: first + second,
            key,
            value,
        })
    }

    fn total(self) -> usize {
        self.header + self.key + self.value
    }

    /// The record at the beginning of `bytes`, if it is complete.
    pub(super) fn split(self, bytes: &[u8]) -> Option<Encoded<'_>> {
        let bytes = bytes.get(..self.total())?;
        Some(Encoded {
            bytes,
            key: self.header..self.header + self.key,
        })
    }
}

/// A record as it is stored.
#[derive(Default)]
pub(super) struct Encoded<'a> {
    pub(super) bytes: &'a [u8],
    key: Range<usize>,
}

impl<'a> Encoded<'a> {
    pub(super) fn key(&self) -> &'a [u8] {
        self.bytes.get(self.key.clone()).unwrap_or_default()
    }

    fn value(&self) -> &'a [u8] {
        self.bytes.get(self.key.end..).unwrap_or_default()
    }
}

fn write_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push((length & 0x7F) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

fn read_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (index, byte) in bytes.iter().take(MAX_HEADER_BYTES / 2).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((length, index + 1));
        }
    }
    None
}

/// Writes records that come in order.
pub(super) struct SortedWriter {
    file: File,
    buffer: Vec<u8>,
    hash: crc32fast::Hasher,
    records: u64,
    bytes: u64,
}

impl SortedWriter {
    pub(super) fn new(file: File) -> Self {
        let mut buffer = Vec::with_capacity(IO_BYTES);
        buffer.extend_from_slice(&MARK);
        Self {
            file,
            buffer,
            hash: crc32fast::Hasher::new(),
            records: 0,
            bytes: 0,
        }
    }

    pub(super) fn write(&mut self, record: &Encoded<'_>) -> Result<(), FileError> {
        if self.buffer.len() + record.bytes.len() > IO_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(record.bytes);
        self.hash.update(record.bytes);
        self.records += 1;
        self.bytes += record.bytes.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FileError> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(File, SpoolInfo), FileError> {
        self.flush()?;
        self.hash.update(&self.records.to_le_bytes());
        let mut trailer = Vec::new();
        trailer.extend_from_slice(&self.records.to_le_bytes());
        trailer.extend_from_slice(&self.bytes.to_le_bytes());
        trailer.extend_from_slice(&self.hash.finalize().to_le_bytes());
        trailer.extend_from_slice(&MARK);
        self.file.write_all(&trailer)?;
        let bytes = MARK_BYTES + self.bytes + TRAILER_BYTES;
        Ok((
            self.file,
            SpoolInfo {
                records: self.records,
                bytes,
            },
        ))
    }
}

struct Trailer {
    records: u64,
    bytes: u64,
    hash: u32,
}

fn read_trailer(file: &mut File) -> Result<Trailer, FileError> {
    let length = file.metadata()?.len();
    let cut = FileError::Damaged("it is cut short");
    let Some(data) = length.checked_sub(MARK_BYTES + TRAILER_BYTES) else {
        return Err(cut);
    };
    file.seek(SeekFrom::Start(MARK_BYTES + data))?;
    let records = u64::from_le_bytes(read_array(file)?);
    let bytes = u64::from_le_bytes(read_array(file)?);
    let hash = u32::from_le_bytes(read_array(file)?);
    if bytes != data || read_array(file)? != MARK {
        return Err(cut);
    }
    Ok(Trailer {
        records,
        bytes,
        hash,
    })
}

fn read_array<const N: usize>(file: &mut File) -> Result<[u8; N], FileError> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn info(path: &Path) -> Result<SpoolInfo, FileError> {
    let mut file = File::open(path)?;
    let trailer = read_trailer(&mut file)?;
    Ok(SpoolInfo {
        records: trailer.records,
        bytes: MARK_BYTES + trailer.bytes + TRAILER_BYTES,
    })
}

/// Reads records in order through one buffer.
pub(super) struct SortedFile {
    file: File,
    buffer: Vec<u8>,
    /// Bytes of the buffer not given out yet.
    unread: Range<usize>,
    /// The record given out last, with its place in the buffer.
    last: Option<(usize, Header)>,
    /// Bytes of records still in the file.
    left: u64,
    /// Where the next record starts, counted from the first record.
    offset: u64,
    /// Known while everything since the first record was read.
    hash: Option<crc32fast::Hasher>,
    trailer: Trailer,
}

impl SortedFile {
    pub(super) fn open(path: &Path, offset: u64, buffer: usize) -> Result<Self, FileError> {
        let mut file = File::open(path)?;
        let trailer = read_trailer(&mut file)?;
        let Some(left) = trailer.bytes.checked_sub(offset) else {
            return Err(FileError::Damaged("it is shorter than the offset"));
        };
        file.seek(SeekFrom::Start(MARK_BYTES + offset))?;
        Ok(Self {
            file,
            buffer: vec![0; buffer],
            unread: 0..0,
            last: None,
            left,
            offset,
            hash: (offset == 0).then(crc32fast::Hasher::new),
            trailer,
        })
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.unread.clone()).unwrap_or_default()
    }

    /// Makes sure that a whole record is in the buffer; `None` at the end.
    fn fetch(&mut self) -> Result<Option<Header>, FileError> {
        loop {
            let header = Header::read(self.unread());
            let wanted = header.map_or(MAX_HEADER_BYTES, Header::total);
            if let Some(header) = header.filter(|_| wanted <= self.unread.len()) {
                return Ok(Some(header));
            }
            if self.left == 0 {
                return self.end();
            }
            if wanted > MAX_RECORD_BYTES + MAX_HEADER_BYTES {
                return Err(FileError::Damaged("a length is out of range"));
            }
            self.refill(wanted)?;
        }
    }

    fn end(&mut self) -> Result<Option<Header>, FileError> {
        if !self.unread.is_empty() {
            return Err(FileError::Damaged("a record is cut short"));
        }
        if let Some(mut hash) = self.hash.take() {
            hash.update(&self.trailer.records.to_le_bytes());
            if hash.finalize() != self.trailer.hash {
                return Err(FileError::Damaged("the checksum differs"));
            }
        }
        Ok(None)
    }

    fn refill(&mut self, wanted: usize) -> Result<(), FileError> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let space = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        let most = space
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let space = space.get_mut(..most).unwrap_or_default();
        self.file.read_exact(space)?;
        if let Some(hash) = &mut self.hash {
            hash.update(space);
        }
        self.unread.end += most;
        self.left -= most as u64;
        Ok(())
    }

    /// Moves to the next record, `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, FileError> {
        self.last = None;
        let Some(header) = self.fetch()? else {
            return Ok(false);
        };
        self.last = Some((self.unread.start, header));
        self.unread.start += header.total();
        self.offset += header.total() as u64;
        Ok(true)
    }

    /// The record moved to, as it is stored.
    pub(super) fn current(&self) -> Encoded<'_> {
        let record = self
            .last
            .and_then(|(start, header)| header.split(self.buffer.get(start..)?));
        record.unwrap_or_default()
    }
}

impl SortedRecords for SortedFile {
    fn next(&mut self) -> Result<Option<SortedRecord<'_>>, FileError> {
        if !self.advance()? {
            return Ok(None);
        }
        let record = self.current();
        Ok(Some((record.key(), record.value())))
    }

    fn offset(&self) -> u64 {
        self.offset
    }
}

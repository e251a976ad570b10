//! XML events with bounded memory.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use ports::files::{FileError, FormatFault};
use quick_xml::Reader;
use quick_xml::events::{BytesEnd, BytesRef, BytesStart, Event};

use super::archive::{damaged, file_error, token_too_long};

/// Depth of the elements; workbook parts have about ten levels.
const MAX_DEPTH: usize = 64;
const READ_BYTES: usize = 64 << 10;

/// Reads the events of one part.
pub(super) struct Xml<R> {
    reader: Reader<TokenGuard<BufReader<R>>>,
    buffer: Vec<u8>,
    depth: usize,
}

/// What a part consists of. Empty elements come as a start and an end.
pub(super) enum Node<'a> {
    Start(BytesStart<'a>),
    End(BytesEnd<'a>),
    Text(Cow<'a, str>),
    Other,
    Eof,
}

impl<R: Read> Xml<R> {
    /// `token_bytes` bounds a single tag or text.
    pub(super) fn new(part: R, token_bytes: usize) -> Self {
        let guard = TokenGuard {
            inner: BufReader::with_capacity(READ_BYTES, part),
            consumed: 0,
            limit: token_bytes,
        };
        let mut reader = Reader::from_reader(guard);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
        }
    }

    /// The next event; `line` is for errors.
    pub(super) fn next(&mut self, line: u64) -> Result<Node<'_>, FileError> {
        self.buffer.clear();
        self.reader.get_mut().consumed = 0;
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => return Err(file_error(&error, line)),
            Err(_) => return Err(damaged(line, "a part is not well-formed XML")),
        };
        Ok(match event {
            Event::Start(start) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(damaged(line, "the XML elements are nested too deeply"));
                }
                Node::Start(start)
            }
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                Node::End(end)
            }
            Event::Text(text) => Node::Text(decoded(text.xml10_content().ok(), line)?),
            Event::CData(text) => Node::Text(decoded(text.xml10_content().ok(), line)?),
            Event::GeneralRef(reference) => {
                Node::Text(Cow::Owned(resolve(&reference, line)?.to_string()))
            }
            Event::DocType(_) => return Err(entity(line)),
            Event::Eof if self.depth > 0 => return Err(damaged(line, "a part is cut short")),
            Event::Eof => Node::Eof,
            _ => Node::Other,
        })
    }

    /// The part underneath, which is read on from wherever its buffers end.
    pub(super) fn into_part(self) -> R {
        self.reader.into_inner().inner.into_inner()
    }

    /// The part underneath, for its counters.
    pub(super) fn part(&self) -> &R {
        self.reader.get_ref().inner.get_ref()
    }
}

fn decoded(text: Option<Cow<'_, str>>, line: u64) -> Result<Cow<'_, str>, FileError> {
    text.ok_or_else(|| damaged(line, "a text is not UTF-8"))
}

fn entity(line: u64) -> FileError {
    let detail = "document types and entities are not accepted";
    FileError::malformed_at(line, FormatFault::XmlEntity, detail)
}

fn resolve(reference: &BytesRef<'_>, line: u64) -> Result<char, FileError> {
    if reference.is_char_ref() {
        let character = reference.resolve_char_ref().ok().flatten();
        return character.ok_or_else(|| damaged(line, "a character reference is invalid"));
    }
    match &**reference {
        b"amp" => Ok('&'),
        b"lt" => Ok('<'),
        b"gt" => Ok('>'),
        b"quot" => Ok('"'),
        b"apos" => Ok('\''),
        _ => Err(entity(line)),
    }
}

/// The value of an attribute by its local name, with the predefined entities resolved.
pub(super) fn attribute(element: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let mut attributes = element.attributes();
    let attributes = attributes.with_checks(false).flatten();
    let found = attributes
        .into_iter()
        .find(|found| found.key.local_name().as_ref() == name)?;
    let text = std::str::from_utf8(&found.value).ok()?;
    Some(quick_xml::escape::unescape(text).ok()?.into_owned())
}

/// Fails when more than `limit` bytes are taken for one event.
struct TokenGuard<R> {
    inner: R,
    consumed: usize,
    limit: usize,
}

impl<R: BufRead> Read for TokenGuard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for TokenGuard<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed > self.limit {
            return Err(token_too_long());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.consumed += count;
        self.inner.consume(count);
    }
}

//! Turning any accepted encoding into UTF-8 while reading.

use std::io::{self, Read};

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use ports::files::Encoding;

const RAW_BYTES: usize = 32 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Occurs in no UTF-8 text: the record that contains it is rejected, not the file.
const INVALID: u8 = 0xFF;
const CTRL_Z: u8 = 0x1A;
/// Longest end of a text: more than a sector of padding.
const MOST_HELD: usize = 4 << 10;

/// A reader of UTF-8 text without a byte order mark, up to the end of the text: a Ctrl-Z at the end,
/// which programs of another time write, is not part of it.
///
/// UTF-8 passes through unchecked, because whoever splits it into records can reject a single one.
pub(crate) fn utf8_reader(
    source: impl Read + Send + 'static,
    encoding: Encoding,
) -> Box<dyn Read + Send> {
    let encoding = match encoding {
        Encoding::Utf8 => {
            return Box::new(WithoutCtrlZ::new(WithoutBom {
                source,
                head: Vec::new(),
                started: false,
            }));
        }
        Encoding::Windows1252 => WINDOWS_1252,
        Encoding::Utf16Le => UTF_16LE,
        Encoding::Utf16Be => UTF_16BE,
    };
    Box::new(WithoutCtrlZ::new(Transcoder {
        source,
        decoder: encoding.new_decoder_with_bom_removal(),
        raw: vec![0; RAW_BYTES],
        ready: Vec::new(),
        taken: 0,
        ended: false,
    }))
}

/// Ends where nothing but Ctrl-Z and ends of lines follow.
struct WithoutCtrlZ<R> {
    source: R,
    /// What may be the end, from its first Ctrl-Z.
    held: Vec<u8>,
    ready: Vec<u8>,
    taken: usize,
}

impl<R> WithoutCtrlZ<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            held: Vec::new(),
            ready: Vec::new(),
            taken: 0,
        }
    }
}

impl<R: Read> Read for WithoutCtrlZ<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut rest = self.ready.get(self.taken..).unwrap_or_default();
            if !rest.is_empty() {
                let count = rest.read(out)?;
                self.taken += count;
                return Ok(count);
            }
            let count = self.source.read(out)?;
            let read = out.get(..count).unwrap_or_default();
            if count == 0 || (self.held.is_empty() && end_of_text(read) == count) {
                return Ok(count);
            }
            self.taken = 0;
            self.ready.clear();
            self.ready.append(&mut self.held);
            self.ready.extend_from_slice(read);
            let end = end_of_text(&self.ready);
            if self.ready.len() - end <= MOST_HELD {
                self.held = self.ready.split_off(end);
            }
        }
    }
}

/// Where the end begins, if a text ends here: at the first Ctrl-Z after which there are only others
/// and ends of lines.
fn end_of_text(text: &[u8]) -> usize {
    let end = |byte: &u8| matches!(*byte, CTRL_Z | b'\r' | b'\n');
    let content = text
        .iter()
        .rposition(|byte| !end(byte))
        .map_or(0, |at| at + 1);
    let tail = text.get(content..).unwrap_or_default();
    let first = tail.iter().position(|byte| *byte == CTRL_Z);
    first.map_or(text.len(), |first| content + first)
}

struct WithoutBom<R> {
    source: R,
    /// First bytes that are not a byte order mark, reversed.
    head: Vec<u8>,
    started: bool,
}

impl<R: Read> Read for WithoutBom<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.started {
            (&mut self.source)
                .take(BOM.len() as u64)
                .read_to_end(&mut self.head)?;
            self.started = true;
            if self.head == BOM {
                self.head.clear();
            }
            self.head.reverse();
        }
        if self.head.is_empty() {
            return self.source.read(out);
        }
        let count = out.len().min(self.head.len());
        for (to, from) in out
            .iter_mut()
            .zip(self.head.drain(self.head.len() - count..).rev())
        {
            *to = from;
        }
        Ok(count)
    }
}

struct Transcoder<R> {
    source: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<R: Read> Transcoder<R> {
    fn refill(&mut self) -> io::Result<()> {
        let count = self.source.read(&mut self.raw)?;
        self.ended = count == 0;
        self.taken = 0;
        self.ready.clear();
        let mut raw = self.raw.get(..count).unwrap_or_default();
        let space = self
            .decoder
            .max_utf8_buffer_length_without_replacement(RAW_BYTES);
        let mut text = vec![0; space.unwrap_or(4 * RAW_BYTES)];
        loop {
            let (result, read, written) = self
                .decoder
                .decode_to_utf8_without_replacement(raw, &mut text, self.ended);
            self.ready
                .extend_from_slice(text.get(..written).unwrap_or_default());
            raw = raw.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::Malformed(..) => self.ready.push(INVALID),
                DecoderResult::OutputFull => {}
            }
        }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let mut rest = self.ready.get(self.taken..).unwrap_or_default();
        let count = rest.read(out)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn decode(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
        let mut out = Vec::new();
        utf8_reader(Cursor::new(bytes.to_vec()), encoding)
            .read_to_end(&mut out)
            .unwrap();
        out
    }

    #[test]
    fn every_encoding_becomes_utf8_without_a_byte_order_mark() {
        assert_eq!(
            decode(b"\xEF\xBB\xBFa\xC3\xA9", Encoding::Utf8),
            "aé".as_bytes()
        );
        assert_eq!(decode(b"ab", Encoding::Utf8), b"ab");
        assert_eq!(decode(b"\xE9\x80", Encoding::Windows1252), "é€".as_bytes());
        assert_eq!(
            decode(b"\xFF\xFEa\0\xE9\0", Encoding::Utf16Le),
            "aé".as_bytes()
        );
        assert_eq!(
            decode(b"\xFE\xFF\0a\0\xE9", Encoding::Utf16Be),
            "aé".as_bytes()
        );
        assert_eq!(decode(b"a\0\0\xD8b\0", Encoding::Utf16Le), b"a\xFFb");
        let long = vec![0xE9; 100_000];
        assert_eq!(
            decode(&long, Encoding::Windows1252),
            "é".repeat(100_000).as_bytes()
        );
    }

    #[test]
    fn a_ctrl_z_at_the_end_ends_the_text() {
        for (bytes, text) in [
            (&b"a\n1\x1A"[..], "a\n1"),
            (b"a\n1\n\x1A\x1A\x1A", "a\n1\n"),
            (b"a\n1\n\x1A\r\n", "a\n1\n"),
            (b"a\x1Ab\n\x1A", "a\x1Ab\n"),
            (b"a\n\x1A\nb\n", "a\n\x1A\nb\n"),
            (b"\x1A", ""),
            (b"a\n\n", "a\n\n"),
        ] {
            assert_eq!(decode(bytes, Encoding::Utf8), text.as_bytes(), "{text:?}");
            let mut piecewise = WithoutCtrlZ::new(OneByOne(bytes));
            let mut out = String::new();
            piecewise.read_to_string(&mut out).unwrap();
            assert_eq!(out, text);
        }
        assert_eq!(decode(b"a\0\x1A\0", Encoding::Utf16Le), b"a");
        let many = [b"a".repeat(100_000), vec![CTRL_Z; 100]].concat();
        assert_eq!(decode(&many, Encoding::Utf8), b"a".repeat(100_000));
    }

    struct OneByOne<'a>(&'a [u8]);

    impl Read for OneByOne<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let most = out.len().min(1);
            self.0.read(&mut out[..most])
        }
    }
}

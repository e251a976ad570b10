//! Turning any accepted encoding into UTF-8 while reading.

use std::io::{self, Read};

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use ports::files::Encoding;

const RAW_BYTES: usize = 32 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Occurs in no UTF-8 text: the record that contains it is rejected, not the file.
const INVALID: u8 = 0xFF;

/// A reader of UTF-8 text without a byte order mark.
///
/// UTF-8 passes through unchecked, because whoever splits it into records can reject a single one.
pub(crate) fn utf8_reader(
    source: impl Read + Send + 'static,
    encoding: Encoding,
) -> Box<dyn Read + Send> {
    let encoding = match encoding {
        Encoding::Utf8 => {
            return Box::new(WithoutBom {
                source,
                head: Vec::new(),
                started: false,
            });
        }
        Encoding::Windows1252 => WINDOWS_1252,
        Encoding::Utf16Le => UTF_16LE,
        Encoding::Utf16Be => UTF_16BE,
    };
    Box::new(Transcoder {
        source,
        decoder: encoding.new_decoder_with_bom_removal(),
        raw: vec![0; RAW_BYTES],
        ready: Vec::new(),
        taken: 0,
        ended: false,
    })
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
}

//! The distinct texts of a workbook.

use std::borrow::Cow;
use std::io::Read;

use ports::files::FileError;

use super::xml::{Node, Xml};
use super::xstring;

/// Texts by index, in one buffer.
#[derive(Default)]
pub(super) struct SharedTexts {
    text: String,
    ends: Vec<u32>,
}

impl SharedTexts {
    /// Reads `<si>` items: the text of all `<t>`, except the pronunciation in `<rPh>`.
    ///
    /// The index counts against `limit` too: empty texts are not free.
    pub(super) fn read<R: Read>(xml: &mut Xml<R>, limit: usize) -> Result<Self, FileError> {
        let mut texts = Self::default();
        let (mut in_text, mut in_pronunciation) = (false, false);
        loop {
            match xml.next(0)? {
                Node::Start(start) => match start.local_name().as_ref() {
                    b"t" => in_text = true,
                    b"rPh" => in_pronunciation = true,
                    _ => {}
                },
                Node::End(name) => match name.local_name().as_ref() {
                    b"t" => in_text = false,
                    b"rPh" => in_pronunciation = false,
                    b"si" => texts.end_item(),
                    _ => {}
                },
                Node::Text(text) if in_text && !in_pronunciation => texts.text.push_str(&text),
                Node::Text(_) | Node::Other => {}
                Node::Eof => return Ok(texts),
            }
            let used = texts.text.len() + texts.ends.len() * size_of::<u32>();
            if used > limit.min(u32::MAX as usize) {
                let what = "distinct texts of the workbook (bytes); CSV has no such limit";
                return Err(FileError::TooLarge {
                    what,
                    limit: limit as u64,
                });
            }
        }
    }

    fn end_item(&mut self) {
        let start = self.ends.last().map_or(0, |end| *end as usize);
        let escaped = self.text.get(start..).map(xstring::decode);
        if let Some(Cow::Owned(decoded)) = escaped {
            self.text.truncate(start);
            self.text.push_str(&decoded);
        }
        // The limit keeps every end below 4 GiB.
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        self.text.get(start.map_or(0, |start| *start as usize)..end)
    }
}

//! What the styles of cells say about their numbers.

use std::collections::HashMap;
use std::io::Read;

use ports::files::FileError;

use super::format::Format;
use super::package::each_element;
use super::xml::{Xml, attribute};

/// Number formats of a workbook; spreadsheets write some hundreds at most.
const MAX_FORMATS: usize = 5_000;

/// The number formats of a workbook by the style of a cell.
#[derive(Default)]
pub(super) struct Styles {
    formats: Vec<Format>,
    /// Index in `formats` by style.
    of_style: Vec<usize>,
}

impl Styles {
    pub(super) fn read<R: Read>(xml: &mut Xml<R>) -> Result<Self, FileError> {
        let mut styles = Self::default();
        let mut by_id: HashMap<u32, usize> = HashMap::new();
        let mut of_cells = false;
        each_element(xml, |name, element| {
            let format = || attribute(element, b"numFmtId")?.parse().ok();
            match name {
                b"numFmt" => {
                    if let (Some(id), Some(code)) = (format(), attribute(element, b"formatCode")) {
                        by_id.insert(id, styles.formats.len());
                        styles.formats.push(Format::of(&code));
                    }
                }
                b"cellXfs" => of_cells = true,
                b"cellStyleXfs" | b"cellStyles" | b"dxfs" => of_cells = false,
                b"xf" if of_cells => {
                    let id = format().unwrap_or(0);
                    let formats = &mut styles.formats;
                    let index = *by_id.entry(id).or_insert_with(|| {
                        formats.push(Format::built_in(id));
                        formats.len() - 1
                    });
                    styles.of_style.push(index);
                }
                _ => {}
            }
            if styles.formats.len() > MAX_FORMATS {
                usize::MAX
            } else {
                styles.of_style.len()
            }
        })?;
        Ok(styles)
    }

    /// The format of a style; that of an unknown one is general.
    pub(super) fn format(&self, style: usize) -> &Format {
        let index = self.of_style.get(style);
        let format = index.and_then(|index| self.formats.get(*index));
        format.unwrap_or(Format::general())
    }
}

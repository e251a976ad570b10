//! What the styles of cells say about their numbers.

use std::collections::HashMap;
use std::io::Read;

use ports::files::FileError;

use super::number::{Meaning, built_in, custom};
use super::package::each_element;
use super::xml::{Xml, attribute};

/// Meaning of the numbers of each cell style.
pub(super) fn read<R: Read>(xml: &mut Xml<R>) -> Result<Vec<Meaning>, FileError> {
    let mut formats: HashMap<u32, Meaning> = HashMap::new();
    let mut styles = Vec::new();
    let mut of_cells = false;
    each_element(xml, |name, element| {
        let format = || attribute(element, b"numFmtId")?.parse().ok();
        match name {
            b"numFmt" => {
                if let (Some(id), Some(code)) = (format(), attribute(element, b"formatCode")) {
                    formats.insert(id, custom(&code));
                }
            }
            b"cellXfs" => of_cells = true,
            b"cellStyleXfs" | b"cellStyles" | b"dxfs" => of_cells = false,
            b"xf" if of_cells => {
                let id = format().unwrap_or(0);
                styles.push(formats.get(&id).copied().unwrap_or_else(|| built_in(id)));
            }
            _ => {}
        }
        styles.len() + formats.len()
    })?;
    Ok(styles)
}

//! Finding the first sheet and what its cells refer to.

use std::collections::HashMap;
use std::io::{Read, Seek};

use ports::files::{FileError, FormatFault, RecordLimits};

use super::archive::{Entry, Part, damaged, entries};
use super::number::{Meaning, built_in, custom};
use super::shared::SharedTexts;
use super::xml::{Node, Xml, attribute};

/// Bytes of the small parts and number of their items, beyond any real workbook.
const SMALL_PART_BYTES: u64 = 32 << 20;
const MAX_ITEMS: usize = 100_000;

/// What is known before the rows are read.
pub(super) struct Workbook {
    pub(super) sheet: Entry,
    pub(super) shared: SharedTexts,
    pub(super) styles: Vec<Meaning>,
    pub(super) from_1904: bool,
    /// Bytes unpacked so far.
    pub(super) used: u64,
}

/// A part of the workbook and what kind it is.
struct Relation {
    id: String,
    kind: String,
    path: String,
}

pub(super) fn open<R: Read + Seek>(
    source: R,
    limits: &RecordLimits,
) -> Result<(R, Workbook), FileError> {
    let (source, entries) = entries(source)?;
    let mut parts = Parts {
        source,
        entries,
        limits: *limits,
        used: 0,
    };
    if !parts.entries.contains_key("xl/workbook.xml") {
        let detail = "the archive is not an XLSX workbook";
        return Err(FileError::malformed(FormatFault::NotXlsx, detail));
    }
    let relations = parts.relations()?;
    let (sheets, from_1904) = parts.sheets()?;
    let sheet = sheets
        .iter()
        .filter_map(|id| relations.iter().find(|relation| relation.id == *id))
        .find(|relation| relation.kind.ends_with("/worksheet"))
        .map_or("xl/worksheets/sheet1.xml", |relation| {
            relation.path.as_str()
        });
    let sheet = *parts
        .entries
        .get(sheet)
        .ok_or_else(|| damaged(0, "there is no sheet"))?;
    let path = |kind: &str, usual: &str| {
        let relation = relations
            .iter()
            .find(|relation| relation.kind.ends_with(kind));
        relation.map_or_else(|| usual.to_owned(), |relation| relation.path.clone())
    };
    let shared = parts.shared(&path("/sharedStrings", "xl/sharedstrings.xml"))?;
    let styles = parts.styles(&path("/styles", "xl/styles.xml"))?;
    let used = parts.used;
    Ok((
        parts.source,
        Workbook {
            sheet,
            shared,
            styles,
            from_1904,
            used,
        },
    ))
}

struct Parts<R> {
    source: R,
    entries: HashMap<String, Entry>,
    limits: RecordLimits,
    used: u64,
}

impl<R: Read + Seek> Parts<R> {
    /// Reads a part if there is one.
    fn read<T: Default>(
        &mut self,
        path: &str,
        part_bytes: u64,
        read: impl FnOnce(&mut Xml<Part<&mut R>>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let Some(entry) = self.entries.get(path) else {
            return Ok(T::default());
        };
        let limit = self
            .limits
            .unpacked_bytes
            .min(self.used.saturating_add(part_bytes));
        let part = Part::open(&mut self.source, *entry, limit, self.used)?;
        let mut xml = Xml::new(part, self.limits.record_bytes);
        let content = read(&mut xml)?;
        self.used = xml.part().used();
        Ok(content)
    }

    fn relations(&mut self) -> Result<Vec<Relation>, FileError> {
        self.read("xl/_rels/workbook.xml.rels", SMALL_PART_BYTES, |xml| {
            let mut relations = Vec::new();
            each_element(xml, |name, element| {
                if name == b"Relationship" {
                    let get = |name: &[u8]| attribute(element, name).unwrap_or_default();
                    let path = resolve(&get(b"Target"));
                    relations.push(Relation {
                        id: get(b"Id"),
                        kind: get(b"Type"),
                        path,
                    });
                }
                relations.len()
            })?;
            Ok(relations)
        })
    }

    /// Relation ids of the sheets in order, and whether dates count from 1904.
    fn sheets(&mut self) -> Result<(Vec<String>, bool), FileError> {
        self.read("xl/workbook.xml", SMALL_PART_BYTES, |xml| {
            let (mut sheets, mut from_1904) = (Vec::new(), false);
            each_element(xml, |name, element| {
                match name {
                    b"sheet" => sheets.extend(attribute(element, b"id")),
                    b"workbookPr" => {
                        let value = attribute(element, b"date1904");
                        from_1904 = value.is_some_and(|value| value == "1" || value == "true");
                    }
                    _ => {}
                }
                sheets.len()
            })?;
            Ok((sheets, from_1904))
        })
    }

    fn shared(&mut self, path: &str) -> Result<SharedTexts, FileError> {
        let limit = self.limits.shared_text_bytes;
        self.read(path, u64::MAX, |xml| SharedTexts::read(xml, limit))
    }

    /// Meaning of the numbers of each cell style.
    fn styles(&mut self, path: &str) -> Result<Vec<Meaning>, FileError> {
        self.read(path, SMALL_PART_BYTES, |xml| {
            let mut formats: HashMap<u32, Meaning> = HashMap::new();
            let mut styles = Vec::new();
            let mut of_cells = false;
            each_element(xml, |name, element| {
                let format = || attribute(element, b"numFmtId")?.parse().ok();
                match name {
                    b"numFmt" => {
                        if let (Some(id), Some(code)) =
                            (format(), attribute(element, b"formatCode"))
                        {
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
        })
    }
}

/// Visits every element of a part; the visitor tells how many items it keeps.
fn each_element<R: Read>(
    xml: &mut Xml<R>,
    mut visit: impl FnMut(&[u8], &quick_xml::events::BytesStart<'_>) -> usize,
) -> Result<(), FileError> {
    loop {
        match xml.next(0)? {
            Node::Eof => return Ok(()),
            Node::Start(element) if visit(element.local_name().as_ref(), &element) > MAX_ITEMS => {
                return Err(damaged(0, "a part has too many items"));
            }
            _ => {}
        }
    }
}

/// The name in the archive of a target that is relative to `xl/` or starts at the root.
fn resolve(target: &str) -> String {
    let path = match target.strip_prefix('/') {
        Some(from_root) => from_root.to_owned(),
        None => format!("xl/{}", target.trim_start_matches("./")),
    };
    path.to_ascii_lowercase()
}

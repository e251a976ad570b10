//! The sheets of a workbook and what their cells refer to.

use std::fmt;
use std::io::{Read, Seek};

use ports::files::{FileError, FormatFault, RecordLimits};
use quick_xml::events::BytesStart;

use super::archive::{Entry, damaged};
use super::package::{Package, Relation, SMALL_PART_BYTES, each_element};
use super::shared::SharedTexts;
use super::styles::Styles;
use super::xml::attribute;

/// Where the main part is by custom.
const USUAL_WORKBOOK: &str = "xl/workbook.xml";
const USUAL_SHEET: &str = "xl/worksheets/sheet1.xml";
/// Characters of a sheet's name, and sheets that an error tells.
const NAME_CHARS: usize = 31;
const NAMED_SHEETS: usize = 20;

/// What is known before the rows are read.
pub(super) struct Workbook {
    sheets: Vec<Sheet>,
    pub(super) shared: SharedTexts,
    pub(super) styles: Styles,
    pub(super) from_1904: bool,
    /// Bytes unpacked so far.
    pub(super) used: u64,
}

/// A sheet of cells.
#[derive(Clone)]
pub(super) struct Sheet {
    pub(super) name: String,
    hidden: bool,
    pub(super) part: Entry,
}

/// A sheet in the list of the workbook.
struct Listed {
    name: String,
    hidden: bool,
    relation: String,
}

pub(super) fn open<R: Read + Seek>(
    source: R,
    limits: &RecordLimits,
) -> Result<(R, Workbook), FileError> {
    let mut package = Package::open(source, limits)?;
    let main = main_part(&mut package)?;
    let relations = package.relations(&main)?;
    let (listed, from_1904) = package.read(&main, SMALL_PART_BYTES, |xml| {
        let (mut listed, mut from_1904) = (Vec::new(), false);
        each_element(xml, |name, element| {
            match name {
                b"sheet" => listed.push(Listed::of(element)),
                b"workbookPr" => {
                    let value = attribute(element, b"date1904");
                    from_1904 = value.is_some_and(|value| value == "1" || value == "true");
                }
                _ => {}
            }
            listed.len()
        })?;
        Ok((listed, from_1904))
    })?;
    let sheets = sheets(&package, listed, &relations)?;
    let path = |kind: &str, usual: &str| {
        let relation = relations.iter().find(|relation| relation.is(kind));
        relation.map_or_else(|| usual.to_owned(), |relation| relation.path.clone())
    };
    let limit = limits.shared_text_bytes;
    let shared = package.read(
        &path("sharedStrings", "xl/sharedstrings.xml"),
        u64::MAX,
        |xml| SharedTexts::read(xml, limit),
    )?;
    let styles = path("styles", "xl/styles.xml");
    #[expect(
        clippy::redundant_closure,
        reason = "the function is for one lifetime, the closure for any"
    )]
    let styles = package.read(&styles, SMALL_PART_BYTES, |xml| Styles::read(xml))?;
    let (source, used) = package.into_source();
    let workbook = Workbook {
        sheets,
        shared,
        styles,
        from_1904,
        used,
    };
    Ok((source, workbook))
}

fn main_part<R: Read + Seek>(package: &mut Package<R>) -> Result<String, FileError> {
    let relations = package.relations("")?;
    let main = relations
        .into_iter()
        .find(|relation| relation.is("officeDocument"))
        .map(|relation| relation.path)
        .filter(|path| package.entry(path).is_some())
        .unwrap_or_else(|| USUAL_WORKBOOK.to_owned());
    let detail = if main.ends_with(".bin") {
        "the workbook is in the binary form XLSB: save it as XLSX"
    } else if package.entry(&main).is_none() {
        "the archive is not an XLSX workbook"
    } else {
        return Ok(main);
    };
    Err(FileError::malformed(FormatFault::NotXlsx, detail))
}

/// The sheets of cells in their order: not charts, and not what the archive does not have.
fn sheets<R: Read + Seek>(
    package: &Package<R>,
    listed: Vec<Listed>,
    relations: &[Relation],
) -> Result<Vec<Sheet>, FileError> {
    let part = |sheet: &Listed| {
        let relation = relations.iter().find(|other| other.id == sheet.relation);
        package.entry(&relation.filter(|other| other.is("worksheet"))?.path)
    };
    let mut sheets: Vec<Sheet> = Vec::new();
    for listed in listed {
        if let Some(part) = part(&listed) {
            let Listed { name, hidden, .. } = listed;
            sheets.push(Sheet { name, hidden, part });
        }
    }
    if sheets.is_empty() {
        let part = package.entry(USUAL_SHEET);
        sheets.push(Sheet {
            name: "Sheet1".to_owned(),
            hidden: false,
            part: part.ok_or_else(|| damaged(0, "there is no sheet"))?,
        });
    }
    Ok(sheets)
}

impl Listed {
    fn of(element: &BytesStart<'_>) -> Self {
        Self {
            name: attribute(element, b"name").unwrap_or_default(),
            hidden: attribute(element, b"state").is_some_and(|state| state != "visible"),
            relation: attribute(element, b"id").unwrap_or_default(),
        }
    }
}

impl Workbook {
    /// The sheets to look for rows in, in this order: those of this name (spreadsheets allow one, other
    /// programs more), the visible ones first; without a name all visible ones.
    pub(super) fn candidates(&self, name: Option<&str>) -> Result<Vec<Sheet>, FileError> {
        let Some(name) = name else {
            let visible = self.sheets.iter().filter(|sheet| !sheet.hidden);
            return Ok(visible.cloned().collect());
        };
        let folded = |name: &str| name.trim().to_lowercase();
        let named = |wanted: &dyn Fn(&str) -> bool| {
            let sheets = self.sheets.iter().filter(|sheet| wanted(&sheet.name));
            let mut sheets: Vec<Sheet> = sheets.cloned().collect();
            sheets.sort_by_key(|sheet| sheet.hidden);
            sheets
        };
        let mut found = named(&|other| other == name);
        if found.is_empty() {
            found = named(&|other| folded(other) == folded(name));
        }
        if found.is_empty() {
            let detail = format!("there is no such sheet; there are {}", self.names());
            return Err(FileError::malformed(FormatFault::UnknownSheet, detail));
        }
        Ok(found)
    }

    /// What is said when no candidate has rows.
    pub(super) fn no_rows(&self, name: Option<&str>) -> FileError {
        let detail = match name {
            Some(_) => format!("the sheet has no rows; there are {}", self.names()),
            None => format!("no visible sheet has rows; there are {}", self.names()),
        };
        FileError::malformed(FormatFault::EmptyFile, detail)
    }

    fn names(&self) -> String {
        let mut names: Vec<String> = self.sheets.iter().map(Sheet::to_string).collect();
        let more = names.len().saturating_sub(NAMED_SHEETS);
        names.truncate(NAMED_SHEETS);
        if more > 0 {
            names.push(format!("{more} more"));
        }
        names.join(", ")
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: String = self.name.chars().take(NAME_CHARS).collect();
        let hidden = if self.hidden { " (hidden)" } else { "" };
        write!(f, "{name:?}{hidden}")
    }
}

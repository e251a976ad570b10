//! A sheet of an XLSX workbook, row by row.
//!
//! A workbook is a ZIP archive of XML parts. Only the parts that are needed are unpacked, as a
//! stream; the distinct texts of the workbook stay in memory up to a limit. Other archives inside
//! are never opened.

mod archive;
mod format;
mod format_code;
#[cfg(test)]
mod format_tests;
mod number;
mod package;
mod shared;
mod sheet;
mod styles;
#[cfg(test)]
mod tests;
mod workbook;
mod xml;
mod xstring;

pub(crate) use sheet::SheetRows;

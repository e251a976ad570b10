//! Recognising and opening files of records.

#[cfg(test)]
mod alike_tests;
mod sniff;
#[cfg(test)]
mod tests;

use std::io::{BufReader, Cursor, Read, SeekFrom};

use ports::files::{
    Cells, DetectedFormat, Encoding, FileError, FileFormat, FileHint, FormatFault, Header,
    ReadSeek, RecordFormats, RecordLimits, RecordReader,
};
use serde_json::Value;

use crate::csv::CsvRows;
use crate::ndjson::NdjsonReader;
use crate::table::TableReader;
use crate::transcode::utf8_reader;
use crate::xlsx::SheetRows;
use sniff::EncodingScan;

/// Bytes the format is recognised from.
const SNIFFED_BYTES: u64 = 64 << 10;
/// Bytes of a stored file that are looked at to tell its encoding.
const SCANNED_BYTES: u64 = 64 << 20;
const READ_BYTES: usize = 256 << 10;
const SAMPLE_RECORDS: usize = 5;
/// Records of NDJSON whose keys are columns from the beginning.
const KEYED_RECORDS: usize = 1_000;

/// CSV, NDJSON and XLSX.
#[derive(Debug, Clone, Copy, Default)]
pub struct TabularFormats;

impl RecordFormats for TabularFormats {
    fn detect(&self, first_bytes: &[u8], hint: &FileHint<'_>) -> Result<DetectedFormat, FileError> {
        let mut detected = sniff::sniff(first_bytes, hint)?;
        if detected.format != FileFormat::Xlsx {
            let whole_lines = sniff::whole_lines(first_bytes, detected.encoding).to_vec();
            let source = Box::new(Cursor::new(whole_lines));
            let described = describe(source, &mut detected, hint, RecordLimits::default());
            described.or_else(ignore_cut)?;
        }
        Ok(detected)
    }

    fn inspect(
        &self,
        mut source: Box<dyn ReadSeek>,
        hint: &FileHint<'_>,
        limits: RecordLimits,
    ) -> Result<DetectedFormat, FileError> {
        let mut first_bytes = Vec::new();
        (&mut source)
            .take(SNIFFED_BYTES)
            .read_to_end(&mut first_bytes)?;
        let mut detected = sniff::sniff(&first_bytes, hint)?;
        if detected.encoding == Encoding::Utf8
            && detected.format != FileFormat::Xlsx
            && hint.encoding.is_none()
        {
            source.rewind()?;
            detected.encoding = scan_encoding(&mut source)?;
        }
        source.rewind()?;
        describe(source, &mut detected, hint, limits)?;
        Ok(detected)
    }

    fn open(
        &self,
        source: Box<dyn ReadSeek>,
        format: &DetectedFormat,
        limits: RecordLimits,
    ) -> Result<Box<dyn RecordReader>, FileError> {
        match format.format {
            FileFormat::Ndjson => {
                let text =
                    BufReader::with_capacity(READ_BYTES, utf8_reader(source, format.encoding));
                Ok(Box::new(NdjsonReader::new(text, &limits)))
            }
            FileFormat::Csv => Ok(Box::new(open_csv(
                source,
                format,
                Some(format.header),
                limits,
            )?)),
            FileFormat::Xlsx => {
                let rows = open_xlsx(source, format.sheet.as_deref(), limits)?;
                let table = TableReader::open(rows, Some(format.header), &limits)?;
                Ok(Box::new(table))
            }
        }
    }
}

/// A record that goes on after the first bytes looks like one that never ends.
fn ignore_cut(error: FileError) -> Result<(), FileError> {
    match error {
        FileError::Malformed {
            code: FormatFault::OpenQuote | FormatFault::NotNdjson | FormatFault::NoSuchHeader,
            ..
        } => Ok(()),
        error => Err(error),
    }
}

fn scan_encoding(source: &mut dyn ReadSeek) -> Result<Encoding, FileError> {
    let mut scan = EncodingScan::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut source = source.take(SCANNED_BYTES);
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            return Ok(scan.encoding());
        }
        scan.add(buffer.get(..count).unwrap_or_default());
    }
}

type TextTable = TableReader<CsvRows<BufReader<Box<dyn Read + Send>>>>;

fn open_csv(
    source: Box<dyn ReadSeek>,
    format: &DetectedFormat,
    header: Option<Header>,
    limits: RecordLimits,
) -> Result<TextTable, FileError> {
    let delimiter = sniff::check_delimiter(format.delimiter.unwrap_or(b','))?;
    let text = BufReader::with_capacity(READ_BYTES, utf8_reader(source, format.encoding));
    TableReader::open(CsvRows::new(text, delimiter, &limits), header, &limits)
}

fn open_xlsx(
    mut source: Box<dyn ReadSeek>,
    sheet: Option<&str>,
    limits: RecordLimits,
) -> Result<SheetRows, FileError> {
    let limit = limits.workbook_bytes;
    if source.seek(SeekFrom::End(0))? > limit {
        return Err(FileError::TooLarge {
            what: "workbook (bytes)",
            limit,
        });
    }
    SheetRows::open(source, sheet, &limits)
}

/// Adds columns and sample to what is already known.
fn describe(
    source: Box<dyn ReadSeek>,
    detected: &mut DetectedFormat,
    hint: &FileHint<'_>,
    limits: RecordLimits,
) -> Result<(), FileError> {
    let header = hint.header;
    let mut reader: Box<dyn RecordReader> = match detected.format {
        FileFormat::Csv => {
            let table = open_csv(source, detected, header, limits)?;
            detected.header = table.header();
            Box::new(table)
        }
        FileFormat::Xlsx => {
            let rows = open_xlsx(source, hint.sheet, limits)?;
            detected.sheet = Some(rows.name().to_owned());
            let table = TableReader::open(rows, header, &limits)?;
            detected.header = table.header();
            Box::new(table)
        }
        FileFormat::Ndjson => {
            return describe_objects(
                TabularFormats.open(source, detected, limits)?,
                detected,
                &limits,
            );
        }
    };
    while detected.sample.len() < SAMPLE_RECORDS
        && let Some(record) = reader.next()?
    {
        if let (Cells::Fields(fields), None) = (record.cells, record.fault) {
            detected.sample.push(fields.to_vec());
        }
    }
    detected.columns = reader.headers().to_vec();
    for cells in &mut detected.sample {
        cells.resize(detected.columns.len(), String::new());
    }
    Ok(())
}

/// The columns of NDJSON are the keys of its first objects.
fn describe_objects(
    mut reader: Box<dyn RecordReader>,
    detected: &mut DetectedFormat,
    limits: &RecordLimits,
) -> Result<(), FileError> {
    let mut objects = Vec::new();
    let mut seen = 0_usize;
    while seen < KEYED_RECORDS {
        let record = match reader.next() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(error) if objects.is_empty() => return Err(error),
            // Whoever reads the file to this place says what is wrong there.
            Err(_) => break,
        };
        seen += 1;
        if let (Cells::Json(Value::Object(object)), None) = (record.cells, record.fault) {
            for name in object.keys() {
                if !detected.columns.contains(name) && detected.columns.len() < limits.columns {
                    detected.columns.push(name.clone());
                }
            }
            if objects.len() < SAMPLE_RECORDS {
                objects.push(object);
            }
        }
    }
    if objects.is_empty() {
        let detail = "no line is a JSON object";
        return Err(FileError::malformed(FormatFault::NotNdjson, detail));
    }
    for object in objects {
        let cells = detected
            .columns
            .iter()
            .map(|name| object.get(name).map_or_else(String::new, text));
        detected.sample.push(cells.collect());
    }
    Ok(())
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

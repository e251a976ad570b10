//! What the columns of a file mean, record by record.

use std::collections::BTreeMap;

use domain::{
    contact::{
        ColumnMapping, Document, FieldTarget, ItemRules, NewContact, document_no_string,
        parse_document, parse_item, parse_row,
    },
    shared::{Instant, ItemError, from_json},
};
use ports::files::{Cells, DetectedFormat, FileFormat, Record, RowFault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::UploadParams;

/// What a downloaded file of rejected rows says before the columns of the original file.
pub const REJECTED_COLUMNS: [&str; 5] = ["row", "line", "field", "code", "detail"];
/// The member of a downloaded line of NDJSON that holds the row.
pub const VALUES: &str = "values";
/// The member that holds a line that is no JSON object.
const UNREADABLE_LINE: &str = "unreadable_line";

/// What the rows of a file look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowForm {
    /// As the mapping says.
    #[default]
    Plain,
    /// Rejected rows as they were downloaded: why each was rejected, then the row.
    Mended,
}

/// What the columns of a file mean.
pub(super) struct Meaning {
    known: Vec<String>,
    mapping: ColumnMapping,
    form: RowForm,
    /// Members of the last record, and their targets.
    names: Vec<String>,
    targets: Vec<FieldTarget>,
}

impl Meaning {
    pub(super) fn of(params: &UploadParams) -> Self {
        Self {
            known: params.columns.clone(),
            mapping: params.mapping.clone(),
            form: params.form,
            names: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// The contact in a record. JSON is taken out of the record.
    pub(super) fn contact(
        &mut self,
        record: &mut Record<'_>,
        rules: &ItemRules,
        now: Instant,
    ) -> Result<NewContact, ItemError> {
        if let Some(fault) = record.fault {
            return Err(fault_error(fault));
        }
        match (&mut record.cells, self.form) {
            (Cells::Fields(cells), RowForm::Plain) => {
                let targets = self.of_columns(record.columns);
                let cells = cells.iter().map(String::as_str);
                parse_row(targets.iter().zip(cells), rules, now)
            }
            (Cells::Fields(cells), RowForm::Mended) => {
                let filled = |(_, cell): &(String, &str)| !cell.trim().is_empty();
                let row = self.mended(record.columns, cells).filter(filled);
                let (names, cells): (Vec<String>, Vec<&str>) = row.unzip();
                let targets = self.of_members(names.iter());
                parse_row(targets.iter().zip(cells), rules, now)
            }
            (Cells::Json(value), _) => {
                let item = self.item(value.take());
                parse_item(self.rename(item), rules, now)
            }
            (Cells::Raw(_), _) => Err(fault_error(RowFault::InvalidJson)),
        }
    }

    /// The document in a record, whatever else is wrong with it.
    pub(super) fn document(&mut self, record: &Record<'_>) -> Result<Document, ItemError> {
        let is_document = |target: &FieldTarget| *target == FieldTarget::Document;
        let text = match &record.cells {
            Cells::Fields(cells) => {
                let at = self.of_columns(record.columns).iter().position(is_document);
                at.and_then(|at| cells.get(at)).cloned()
            }
            Cells::Json(Value::Object(members)) => {
                let at = self.of_members(members.keys()).iter().position(is_document);
                match at.and_then(|at| members.values().nth(at)) {
                    None | Some(Value::Null) => None,
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(_) => return Err(document_no_string()),
                }
            }
            Cells::Json(_) | Cells::Raw(_) => {
                return Err(fault_error(record.fault.unwrap_or(RowFault::NotAnObject)));
            }
        };
        let text = text.filter(|text| !text.trim().is_empty());
        let damaged = |text: &String| text.contains(char::REPLACEMENT_CHARACTER);
        match record.fault {
            Some(fault @ RowFault::InvalidEncoding) if text.as_ref().is_some_and(damaged) => {
                Err(fault_error(fault))
            }
            _ => parse_document(text),
        }
    }

    /// Phone, e-mail and document in a record, as far as it has them.
    pub(super) fn names(
        &mut self,
        record: &Record<'_>,
    ) -> Result<Vec<(&'static str, Value)>, ItemError> {
        let filled = |value: &Value| {
            !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty())
        };
        let name = |(target, value): (&FieldTarget, Value)| {
            let name = match target {
                FieldTarget::Document => "document",
                FieldTarget::Phone => "phone",
                FieldTarget::Email => "email",
                _ => return None,
            };
            filled(&value).then_some((name, value))
        };
        match (&record.cells, record.fault) {
            (Cells::Fields(cells), None) => {
                let cells = cells.iter().map(|cell| Value::from(cell.as_str()));
                let targets = self.of_columns(record.columns).iter();
                Ok(targets.zip(cells).filter_map(name).collect())
            }
            (Cells::Json(Value::Object(members)), None) => {
                let targets = self.of_members(members.keys()).iter();
                let values = members.values().cloned();
                Ok(targets.zip(values).filter_map(name).collect())
            }
            (_, fault) => Err(fault_error(fault.unwrap_or(RowFault::NotAnObject))),
        }
    }

    /// Whether a column names somebody, as far as columns are known.
    pub(super) fn names_somebody(params: &UploadParams) -> bool {
        let targets = params.mapping.targets_of(&params.columns, &params.columns);
        let names = |target: &FieldTarget| {
            matches!(
                target,
                FieldTarget::Document | FieldTarget::Phone | FieldTarget::Email
            )
        };
        targets.iter().any(names)
    }

    /// The record as it came: column to value.
    pub(super) fn values(&self, record: &Record<'_>) -> BTreeMap<String, Value> {
        match (&record.cells, self.form) {
            (Cells::Fields(cells), RowForm::Plain) => {
                let beyond = (record.columns.len() + 1..).map(|number| format!("column_{number}"));
                let names = record.columns.iter().cloned().chain(beyond);
                let cell = |(name, text): (String, &String)| (name, Value::from(text.as_str()));
                names.zip(*cells).map(cell).collect()
            }
            (Cells::Fields(cells), RowForm::Mended) => {
                let cell = |(name, text): (String, &str)| (name, Value::from(text));
                self.mended(record.columns, cells).map(cell).collect()
            }
            (Cells::Raw(text), _) => {
                BTreeMap::from([(UNREADABLE_LINE.to_owned(), Value::from(*text))])
            }
            (Cells::Json(value), _) => {
                // Reading the contact took the value.
                let value = match value {
                    Value::Null => from_json(record.raw).unwrap_or_default(),
                    value => value.clone(),
                };
                match self.item(value) {
                    Value::Object(members) => members.into_iter().collect(),
                    other => BTreeMap::from([("value".to_owned(), other)]),
                }
            }
        }
    }

    /// The targets of the columns of a table, which only become more.
    fn of_columns(&mut self, columns: &[String]) -> &[FieldTarget] {
        if self.names.len() != columns.len() {
            self.names = columns.to_vec();
            self.targets = self.mapping.targets_of(&self.known, &self.names);
        }
        &self.targets
    }

    /// The targets of the members of a record, as a rule those of the record before.
    fn of_members<'n>(
        &mut self,
        names: impl Iterator<Item = &'n String> + Clone,
    ) -> &[FieldTarget] {
        if !self.names.iter().eq(names.clone()) {
            self.names = names.cloned().collect();
            self.targets = self.mapping.targets_of(&self.known, &self.names);
        }
        &self.targets
    }

    /// The cells of a row of the original file, under their names there: a name that was taken by a
    /// column of the download is found by its place.
    fn mended<'c>(
        &self,
        columns: &[String],
        cells: &'c [String],
    ) -> impl Iterator<Item = (String, &'c str)> {
        let own = |(at, column): (usize, &String)| match self.known.get(at) {
            Some(known) if !self.known.contains(column) => known.clone(),
            _ => column.clone(),
        };
        let columns = columns.iter().skip(REJECTED_COLUMNS.len());
        let names: Vec<String> = columns.enumerate().map(own).collect();
        let cells = cells.iter().skip(REJECTED_COLUMNS.len());
        names.into_iter().zip(cells.map(String::as_str))
    }

    /// The item in an object, which holds it among other things when it was downloaded.
    fn item(&self, value: Value) -> Value {
        let Value::Object(mut members) = value else {
            return value;
        };
        if self.form == RowForm::Plain {
            return Value::Object(members);
        }
        match members.remove(VALUES) {
            Some(Value::Object(values)) => mended_line(&values).unwrap_or(Value::Object(values)),
            Some(other) => other,
            None => Value::Object(members),
        }
    }

    /// An object with its members under the names they stand for.
    fn rename(&mut self, item: Value) -> Value {
        let Value::Object(members) = item else {
            return item;
        };
        let targets = self.of_members(members.keys());
        let renamed = targets.iter().zip(&members);
        if renamed
            .clone()
            .all(|(target, (name, _))| target.as_str() == name)
        {
            return Value::Object(members);
        }
        let rename = |(target, (_, value)): (&FieldTarget, (String, Value))| match target {
            FieldTarget::Ignore => None,
            target => Some((target.as_str().to_owned(), value)),
        };
        Value::Object(targets.iter().zip(members).filter_map(rename).collect())
    }
}

/// The object in a line that was none, once it is mended.
fn mended_line(values: &Map<String, Value>) -> Option<Value> {
    match values.get(UNREADABLE_LINE) {
        Some(Value::String(line)) if values.len() == 1 => from_json(line.as_bytes()).ok(),
        _ => None,
    }
}

/// What a row fault says in a report.
fn fault_error(fault: RowFault) -> ItemError {
    let detail = match fault {
        RowFault::TooManyColumns => "the row has more columns than the header",
        RowFault::InvalidEncoding => "the row has bytes outside the file's encoding",
        RowFault::NulCharacter => "the row has a NUL character",
        RowFault::InvalidJson => "the line is not JSON",
        RowFault::NotAnObject => "the line is not a JSON object",
        _ => "the row cannot be read",
    };
    ItemError {
        field: String::new(),
        code: fault.as_str(),
        detail: detail.to_owned(),
    }
}

/// Whether a file is one of rejected rows as they were downloaded.
pub(super) fn is_download(columns: &[String], json: bool) -> bool {
    if json {
        let own = |column: &String| column == VALUES || REJECTED_COLUMNS.contains(&column.as_str());
        return columns.iter().all(own) && columns.iter().any(|column| column == VALUES);
    }
    columns.starts_with(&REJECTED_COLUMNS.map(str::to_owned))
}

/// How the rows of a mended file are read; `None` for a file of another form.
pub(super) fn mended_form(original: &UploadParams, mended: &DetectedFormat) -> Option<RowForm> {
    let json = mended.format == FileFormat::Ndjson;
    if is_download(&mended.columns, json) {
        return Some(RowForm::Mended);
    }
    let known = |column: &String| original.columns.contains(column);
    (json || mended.columns.iter().all(known)).then_some(RowForm::Plain)
}

//! Rejected rows as CSV.

use std::collections::{BTreeMap, HashSet};

use actix_web::web::Bytes;
use futures::{Stream, StreamExt, stream};
use ports::files::{BlobStream, FileError, RecordLimits, push_csv_row};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::upload::{REJECTED_COLUMNS, Rejected};

/// Holds what a row has beyond the columns that a file can have, as a JSON object.
const BEYOND: &str = "beyond_columns";

/// The columns of rejected rows: those that are known of their file, then those that the rows have
/// beyond, as many as a file can have.
pub async fn columns_of(
    mut known: Vec<String>,
    mut rows: BlobStream,
) -> Result<Vec<String>, FileError> {
    let most = RecordLimits::default().columns - REJECTED_COLUMNS.len() - 1;
    let mut taken: HashSet<String> = known.iter().cloned().collect();
    let mut split = Lines::default();
    while let Some(chunk) = rows.next().await {
        split.take(&chunk?, |line| {
            let row: Keys = serde_json::from_slice(line).map_err(|_| damaged())?;
            for name in row.values.into_keys() {
                if known.len() < most && taken.insert(name.clone()) {
                    known.push(name);
                } else if known.len() == most && !taken.contains(&name) {
                    // The last column holds what has none.
                    known.push(BEYOND.to_owned());
                }
            }
            Ok(())
        })?;
    }
    Ok(known)
}

/// The names in a rejected row.
#[derive(Deserialize)]
struct Keys {
    values: BTreeMap<String, IgnoredAny>,
}

/// Lines of JSON to rows of CSV, a chunk at a time.
struct Conversion {
    rows: BlobStream,
    columns: Vec<String>,
    /// Rows made so far; the header at first.
    text: String,
    lines: Lines,
}

/// Rejected rows as CSV of these columns.
pub fn csv(
    rows: BlobStream,
    columns: Vec<String>,
) -> impl Stream<Item = Result<Bytes, FileError>> + 'static {
    let mut text = String::new();
    let header = REJECTED_COLUMNS.into_iter();
    push_csv_row(
        &mut text,
        ',',
        header.chain(columns.iter().map(String::as_str)),
    );
    let start = Conversion {
        rows,
        columns,
        text,
        lines: Lines::default(),
    };
    stream::try_unfold(start, |mut at| async move {
        loop {
            if !at.text.is_empty() {
                let text = std::mem::take(&mut at.text);
                return Ok(Some((Bytes::from(text), at)));
            }
            match at.rows.next().await {
                Some(chunk) => {
                    let (columns, text) = (&at.columns, &mut at.text);
                    at.lines
                        .take(&chunk?, |line| push_row(text, columns, line))?;
                }
                None => return Ok(None),
            }
        }
    })
}

/// Splits chunks into lines.
#[derive(Default)]
struct Lines {
    /// The beginning of a line whose end is in the next chunk.
    partial: Vec<u8>,
}

impl Lines {
    fn take(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                each(&self.partial)?;
                self.partial.clear();
            }
        }
        Ok(())
    }
}

fn push_row(text: &mut String, columns: &[String], line: &[u8]) -> Result<(), FileError> {
    let row: Rejected = serde_json::from_slice(line).map_err(|_| damaged())?;
    let mut values = row.values;
    let mut cells = vec![
        row.row.to_string(),
        row.line.to_string(),
        row.field,
        row.code,
        row.detail,
    ];
    let own = columns.iter().map(|column| values.remove(column));
    cells.extend(own.map(|value| value.map(cell).unwrap_or_default()));
    if let Some(last) = cells.last_mut().filter(|_| !values.is_empty()) {
        *last = serde_json::to_string(&values).unwrap_or_default();
    }
    push_csv_row(text, ',', cells.iter().map(String::as_str));
    Ok(())
}

fn damaged() -> FileError {
    FileError::Damaged("a rejected row cannot be read")
}

/// Text as it is, anything else as JSON.
fn cell(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use serde_json::json;

    use super::*;

    fn row(values: &Value) -> String {
        let row = json!({"row": 2, "line": 3, "field": "document", "code": "document_missing",
            "detail": "d", "values": values});
        format!("{row}\n")
    }

    async fn table(known: &[&str], text: &str, size: usize) -> String {
        let rows = || {
            let chunks: Vec<_> = text
                .as_bytes()
                .chunks(size)
                .map(|c| Ok(c.to_vec()))
                .collect();
            stream::iter(chunks).boxed()
        };
        let known = known.iter().map(|name| (*name).to_owned()).collect();
        let columns = columns_of(known, rows()).await.unwrap();
        let table: Vec<Bytes> = csv(rows(), columns).try_collect().await.unwrap();
        String::from_utf8(table.concat()).unwrap()
    }

    #[tokio::test]
    async fn lines_become_rows_wherever_chunks_are_cut() {
        let text = [
            row(&json!({"nome": "=Ana", "idade": 41, "column_3": "x"})),
            row(&json!({"nome": null, "zap": [1]})),
        ];
        let expected = "row,line,field,code,detail,cpf,nome,idade,column_3,zap\r\n\
             2,3,document,document_missing,d,,'=Ana,41,x,\r\n\
             2,3,document,document_missing,d,,,,,[1]\r\n";
        for size in [1, 7, 1000] {
            let known = ["cpf", "nome", "idade"];
            assert_eq!(table(&known, &text.concat(), size).await, expected);
        }
    }

    #[tokio::test]
    async fn more_keys_than_a_file_has_columns_share_the_last_one() {
        let keys = |from: usize| (from..from + 600).map(|n| (format!("k{n:04}"), Value::from(n)));
        let text = [keys(0), keys(600)].map(|keys| row(&Value::Object(keys.collect())));
        let table = table(&[], &text.concat(), 4096).await;
        let header = table.lines().next().unwrap();
        assert!(header.ends_with(",k0993,beyond_columns"), "{header}");
        assert_eq!(header.split(',').count(), RecordLimits::default().columns);
        let last = table.lines().last().unwrap();
        assert!(last.contains(r#""{""k0994"":994,"#) && last.contains(r#"""k1199"":1199}""#));
    }
}

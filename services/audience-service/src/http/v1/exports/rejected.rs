//! The rejected rows of an operation, to be mended and sent again.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data, Path},
};
use futures::{Stream, StreamExt, stream};
use http_kit::{Problem, ProblemBody};
use ports::files::{BlobStream, FileError, push_csv_row};
use serde_json::Value;

use super::attachment;
use crate::{
    application::uploads::{REJECTED_COLUMNS, Rejected},
    http::{ApiState, v1::operations::json::path_id},
};

const NDJSON: &str = "application/x-ndjson";
/// Holds what a row has beyond the columns of its file, as a JSON object.
const BEYOND: &str = "beyond_columns";

/// Downloads the rejected rows of an operation: where each is, what is wrong with it, and the
/// columns of the file as they came.
#[utoipa::path(
    get,
    path = "/operations/{id}/rejected",
    tag = "operations",
    operation_id = "downloadRejected",
    params(
        ("id" = String, Path, description = "`op_…`"),
        ("Accept" = Option<String>, Header, description = "`application/x-ndjson` for JSON lines"),
    ),
    responses(
        (status = 200, description = "row, line, field, code, detail, then the file's columns",
            content((String = "text/csv"), (String = "application/x-ndjson"))),
        (status = 404, description = "There is no such operation, or it took no file",
            body = ProblemBody),
    )
)]
pub async fn rejected_rows(
    state: Data<ApiState>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let actor = state.caller(&request).await?;
    let id = path_id(&path)?;
    let stored = state.app.rejected_rows(&actor, id).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::VARY, "Accept"));
    if wants_ndjson(&request) {
        let name = attachment(&format!("{id}-rejected.ndjson"));
        return Ok(response
            .content_type(NDJSON)
            .insert_header((header::CONTENT_DISPOSITION, name))
            .streaming(stored.map(|chunk| chunk.map(Bytes::from))));
    }
    let columns = state.app.file_columns(&actor, id).await?;
    let name = attachment(&format!("{id}-rejected.csv"));
    Ok(response
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(csv(stored, columns)))
}

fn wants_ndjson(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT);
    let mut types = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    types.any(|one| {
        let essence = one.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(NDJSON)
    })
}

/// Lines of JSON to rows of CSV, a chunk at a time.
struct Conversion {
    stored: BlobStream,
    columns: Vec<String>,
    /// Rows made so far; the header at first.
    text: String,
    /// The beginning of a line whose end is in the next chunk.
    partial: Vec<u8>,
}

fn csv(
    stored: BlobStream,
    columns: Vec<String>,
) -> impl Stream<Item = Result<Bytes, FileError>> + 'static {
    let mut text = String::new();
    let header = REJECTED_COLUMNS.into_iter();
    let header = header.chain(columns.iter().map(String::as_str));
    push_csv_row(&mut text, ',', header.chain([BEYOND]));
    let start = Conversion {
        stored,
        columns,
        text,
        partial: Vec::new(),
    };
    stream::try_unfold(start, |mut at| async move {
        loop {
            if !at.text.is_empty() {
                let text = std::mem::take(&mut at.text);
                return Ok(Some((Bytes::from(text), at)));
            }
            match at.stored.next().await {
                Some(chunk) => at.take(&chunk?)?,
                None => return Ok(None),
            }
        }
    })
}

impl Conversion {
    fn take(&mut self, chunk: &[u8]) -> Result<(), FileError> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.push_row()?;
                self.partial.clear();
            }
        }
        Ok(())
    }

    fn push_row(&mut self) -> Result<(), FileError> {
        let row: Rejected = serde_json::from_slice(&self.partial)
            .map_err(|_| FileError::Damaged("a rejected row cannot be read"))?;
        let mut values = row.values;
        let mut cells = vec![
            row.row.to_string(),
            row.line.to_string(),
            row.field,
            row.code,
            row.detail,
        ];
        let own = self.columns.iter().map(|column| values.remove(column));
        cells.extend(own.map(|value| value.map(cell).unwrap_or_default()));
        cells.push(match values.is_empty() {
            true => String::new(),
            false => serde_json::to_string(&values).unwrap_or_default(),
        });
        push_csv_row(&mut self.text, ',', cells.iter().map(String::as_str));
        Ok(())
    }
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

    use super::*;

    #[tokio::test]
    async fn lines_become_rows_wherever_chunks_are_cut() {
        let line = concat!(
            r#"{"row":2,"line":3,"field":"document","code":"document_missing","detail":"d","#,
            r#""values":{"nome":"=Ana","idade":41,"column_3":"x"}}"#,
            "\n"
        );
        let expected = "row,line,field,code,detail,cpf,nome,idade,beyond_columns\r\n\
             2,3,document,document_missing,d,,'=Ana,41,\"{\"\"column_3\"\":\"\"x\"\"}\"\r\n\
             2,3,document,document_missing,d,,'=Ana,41,\"{\"\"column_3\"\":\"\"x\"\"}\"\r\n";
        let bytes = line.repeat(2).into_bytes();
        for size in [1, 7, 1000] {
            let chunks: Vec<_> = bytes.chunks(size).map(|c| Ok(c.to_vec())).collect();
            let columns = ["cpf", "nome", "idade"].map(str::to_owned).to_vec();
            let rows = csv(stream::iter(chunks).boxed(), columns);
            let rows: Vec<Bytes> = rows.try_collect().await.unwrap();
            assert_eq!(String::from_utf8(rows.concat()).unwrap(), expected);
        }
    }
}

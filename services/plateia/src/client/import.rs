//! `plateia audience import`

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::{Api, Show, operation, show::text, upload};
use crate::{cli::ImportArgs, run::Outcome};

/// Uploads a file, brings it into an audience and follows that to its end.
///
/// # Errors
/// When the file cannot be read, the server refuses, or goes away.
pub async fn run(api: &Api, show: Show, args: ImportArgs) -> anyhow::Result<Outcome> {
    let upload = upload(api, show, &args.file, args.delimiter).await?;
    show.note(&recognised(&upload));
    let mut body = request(&upload, args.maps, args.require_valid_document)?;
    let accepted = match &args.into {
        Some(audience) => {
            api.post(&["audiences", audience, "uploads"], &body.into())
                .await?
        }
        None => {
            body.insert("name".to_owned(), args.name.into());
            api.post(&["audiences"], &body.into()).await?
        }
    };
    operation::follow(api, show, &accepted.operation_id()?, args.wait).await
}

/// What is said of an uploaded file that is to be brought into an audience.
///
/// # Errors
/// When the server's answer names no upload.
pub fn request(
    upload: &Value,
    maps: Vec<(String, String)>,
    require_valid_document: bool,
) -> anyhow::Result<Map<String, Value>> {
    let id = upload
        .get("id")
        .context("the server's answer names no upload")?;
    let mut body = Map::new();
    body.insert("upload_id".to_owned(), id.clone());
    body.insert(
        "require_valid_document".to_owned(),
        require_valid_document.into(),
    );
    if !maps.is_empty() {
        let mapping: BTreeMap<_, _> = maps.into_iter().collect();
        body.insert("mapping".to_owned(), json!(mapping));
    }
    Ok(body)
}

/// What the server found in the file: format and columns.
fn recognised(upload: &Value) -> String {
    let detected = upload.get("detected").unwrap_or(&Value::Null);
    let mapping = detected.get("mapping").unwrap_or(&Value::Null);
    let columns = detected.get("columns").and_then(Value::as_array);
    let target = |column: &Value| {
        let column = column.as_str().unwrap_or("");
        let target = mapping.get(column).and_then(Value::as_str);
        match target {
            Some("") | None => format!("{column} left out"),
            Some(target) if target == column => column.to_owned(),
            Some(target) => format!("{column} as {target}"),
        }
    };
    let columns: Vec<String> = columns.into_iter().flatten().map(target).collect();
    let encoding = text(detected, "encoding");
    format!(
        "{} {encoding}: {}",
        text(detected, "format"),
        columns.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_with_their_targets() {
        let upload = json!({"detected": {"format": "csv", "encoding": "utf-8", "columns": ["CPF", "nota", "uf"],
            "mapping": {"CPF": "document", "nota": "", "uf": "uf"}}});
        assert_eq!(
            recognised(&upload),
            "csv utf-8: CPF as document, nota left out, uf"
        );
    }
}

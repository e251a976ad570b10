//! `plateia audience import`

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use super::{Api, Show, operation, show::text, upload};
use crate::{cli::ImportArgs, outcome::Outcome};

/// Uploads a file, brings it into an audience and follows that to its end.
///
/// # Errors
/// When the file cannot be read, the server refuses, or goes away.
pub async fn run(api: &Api, show: Show, args: ImportArgs) -> anyhow::Result<Outcome> {
    let mut upload = upload(api, show, &args.file, &args.reading).await?;
    let said: BTreeMap<String, String> = args.maps.iter().cloned().collect();
    let lines = match upload.get_mut("detected") {
        Some(detected) => {
            check(detected, &said)?;
            apply(detected, &said);
            recognised(detected)
        }
        None => bail!("the server's answer does not say what is in the file"),
    };
    if args.dry_run {
        show.result(&upload, || lines);
        return Ok(Outcome::Done);
    }
    show.note(&lines.join("\n"));
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

fn columns(detected: &Value) -> Vec<&str> {
    let columns = detected.get("columns").and_then(Value::as_array);
    let columns = columns.into_iter().flatten();
    columns.filter_map(Value::as_str).collect()
}

/// A name that the file does not have is told with those that it has. Rows of NDJSON may have more
/// than the first ones show; so may those of other files right of their header.
fn check(detected: &Value, mapping: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let columns = columns(detected);
    let known = |name: &str| columns.contains(&name) || name.starts_with("column_");
    match mapping.keys().find(|name| !known(name)) {
        Some(name) if text(detected, "format") != "ndjson" => {
            bail!(
                "--map: the file has no column {name:?}; it has {}",
                columns.join(", ")
            )
        }
        _ => Ok(()),
    }
}

/// What was recognised, with what was said otherwise. A target that is said of one column is no
/// other's.
fn apply(detected: &mut Value, said: &BTreeMap<String, String>) {
    let Some(Value::Object(mapping)) = detected.get_mut("mapping") else {
        return;
    };
    for (column, target) in mapping.iter_mut() {
        let own = target.as_str().unwrap_or_default();
        if !said.contains_key(column) && said.values().any(|target| target == own) {
            *target = column.clone().into();
        }
    }
    for (column, target) in said {
        mapping.insert(column.clone(), target.clone().into());
    }
}

/// What the server found in the file: its form, and what each column is.
fn recognised(detected: &Value) -> Vec<String> {
    let mut form = vec![text(detected, "format").to_owned()];
    for name in ["encoding", "sheet"] {
        form.push(text(detected, name).to_owned());
    }
    match text(detected, "delimiter") {
        "" => {}
        "\t" => form.push("separated by tabs".to_owned()),
        delimiter => form.push(format!("separated by {delimiter}")),
    }
    match detected.get("header") {
        Some(Value::Bool(false)) => form.push("without header".to_owned()),
        Some(Value::Number(row)) => form.push(format!("header in row {row}")),
        _ => {}
    }
    form.retain(|part| !part.is_empty());
    let mut lines = vec![form.join(", ")];
    let none = Map::new();
    let mapping = detected.get("mapping").and_then(Value::as_object);
    let mapping = mapping.unwrap_or(&none);
    let columns = columns(detected);
    let later = mapping.keys().map(String::as_str);
    let later = later.filter(|name| !columns.contains(name));
    let all: Vec<&str> = columns.iter().copied().chain(later).collect();
    let width = all
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    lines.extend(all.iter().map(|column| {
        let target = mapping.get(*column).and_then(Value::as_str);
        let target = match target.unwrap_or_default() {
            "" => "left out".to_owned(),
            target @ ("document" | "name" | "phone" | "email" | "attributes") => target.to_owned(),
            attribute => format!("attribute {attribute}"),
        };
        format!("  {column:<width$}  {target}")
    }));
    if !mapping.values().any(|target| target == "document") {
        lines.push("no column is the document; say which: --map COLUMN=document".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected() -> Value {
        json!({"format": "csv", "encoding": "utf-8", "delimiter": ";", "header": true,
            "columns": ["CPF", "nota", "celular"],
            "mapping": {"CPF": "document", "nota": "", "celular": "phone"}})
    }

    fn said(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(column, target): &(&str, &str)| ((*column).to_owned(), (*target).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn columns_are_named_with_their_targets() {
        let lines = recognised(&detected());
        assert_eq!(
            lines,
            [
                "csv, utf-8, separated by ;",
                "  CPF      document",
                "  nota     left out",
                "  celular  phone",
            ]
        );
    }

    #[test]
    fn what_is_said_is_shown_instead_of_the_guess() {
        let mut detected = detected();
        let said = said(&[("nota", "phone"), ("CPF", "codigo")]);
        check(&detected, &said).unwrap();
        apply(&mut detected, &said);
        let lines = recognised(&detected);
        assert_eq!(
            lines[1..],
            [
                "  CPF      attribute codigo",
                "  nota     phone",
                "  celular  attribute celular",
                "no column is the document; say which: --map COLUMN=document",
            ]
        );
    }

    #[test]
    fn an_unknown_column_is_told_with_those_there_are() {
        let mut detected = detected();
        let wrong = check(&detected, &said(&[("telefone", "phone")])).unwrap_err();
        let text = wrong.to_string();
        assert!(
            text.contains("telefone") && text.contains("CPF, nota, celular"),
            "{text}"
        );
        detected["format"] = "ndjson".into();
        check(&detected, &said(&[("telefone", "phone")])).unwrap();
    }
}

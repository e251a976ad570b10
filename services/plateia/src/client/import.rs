//! `plateia audience import`

use std::collections::BTreeMap;

use anyhow::bail;
use api_types::{
    audiences::NewAudience,
    uploads::{DetectedJson, FileInto, HeaderJson, UploadJson},
};
use serde_json::json;

use super::{Api, Show, operation, read, upload};
use crate::{cli::ImportArgs, outcome::Outcome};

/// Uploads a file, brings it into an audience and follows that to its end.
///
/// # Errors
/// When the file cannot be read, the server refuses, or goes away.
pub async fn run(api: &Api, show: Show, args: ImportArgs) -> anyhow::Result<Outcome> {
    let mut answer = upload(api, show, &args.file, &args.reading).await?;
    let UploadJson {
        id: upload_id,
        mut detected,
        ..
    } = read(&answer)?;
    let said: BTreeMap<String, String> = args.maps.iter().cloned().collect();
    check(&detected, &said)?;
    apply(&mut detected.mapping, &said);
    let lines = recognised(&detected);
    if args.dry_run {
        if let Some(mapping) = answer.pointer_mut("/detected/mapping") {
            *mapping = json!(detected.mapping);
        }
        show.result(&answer, || lines);
        return Ok(Outcome::Done);
    }
    show.note(&lines.join("\n"));
    let mapping = mapping(args.maps);
    let require_valid_document = args.require_valid_document;
    let operation = match &args.into {
        Some(audience) => {
            let body = FileInto {
                upload_id,
                mapping,
                require_valid_document,
            };
            api.start(&["audiences", audience, "uploads"], &body)
                .await?
        }
        None => {
            let body = NewAudience {
                name: args.name.unwrap_or_default(),
                upload_id: Some(upload_id),
                mapping,
                require_valid_document,
                ..NewAudience::default()
            };
            api.start(&["audiences"], &body).await?
        }
    };
    operation::follow(api, show, &operation, args.wait).await
}

/// What is said of columns, if anything is.
pub fn mapping(maps: Vec<(String, String)>) -> Option<BTreeMap<String, String>> {
    (!maps.is_empty()).then(|| maps.into_iter().collect())
}

/// A name that the file does not have is told with those that it has. Rows of NDJSON may have more
/// than the first ones show; so may those of other files right of their header.
fn check(detected: &DetectedJson, said: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let columns = &detected.columns;
    let known = |name: &String| columns.contains(name) || name.starts_with("column_");
    match said.keys().find(|name| !known(name)) {
        Some(name) if detected.format != "ndjson" => {
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
fn apply(mapping: &mut BTreeMap<String, String>, said: &BTreeMap<String, String>) {
    for (column, target) in mapping.iter_mut() {
        if !said.contains_key(column) && said.values().any(|said| said == target) {
            target.clone_from(column);
        }
    }
    for (column, target) in said {
        mapping.insert(column.clone(), target.clone());
    }
}

/// What the server found in the file: its form, and what each column is.
fn recognised(detected: &DetectedJson) -> Vec<String> {
    let mut form = vec![detected.format.to_string(), detected.encoding.to_string()];
    form.extend(detected.sheet.clone());
    form.extend(detected.delimiter.map(|delimiter| match delimiter {
        '\t' => "separated by tabs".to_owned(),
        delimiter => format!("separated by {delimiter}"),
    }));
    match detected.header {
        HeaderJson::Present(true) => {}
        HeaderJson::Present(false) => form.push("without header".to_owned()),
        HeaderJson::Row(row) => form.push(format!("header in row {row}")),
    }
    let mut lines = vec![form.join(", ")];
    let DetectedJson {
        columns, mapping, ..
    } = detected;
    let later = mapping.keys().filter(|name| !columns.contains(name));
    let all: Vec<&String> = columns.iter().chain(later).collect();
    let width = all
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    lines.extend(all.iter().map(|column| {
        let target = match mapping.get(*column).map_or("", String::as_str) {
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

    fn detected() -> DetectedJson {
        let detected = json!({"format": "csv", "encoding": "utf-8", "delimiter": ";", "header": true,
            "columns": ["CPF", "nota", "celular"], "sample": [], "sheet": null,
            "mapping": {"CPF": "document", "nota": "", "celular": "phone"}});
        read(&detected).unwrap()
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
        apply(&mut detected.mapping, &said);
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
        detected.format = "ndjson".into();
        check(&detected, &said(&[("telefone", "phone")])).unwrap();
    }
}

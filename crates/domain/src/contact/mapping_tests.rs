use std::collections::BTreeMap;

use super::{ColumnMapping, FieldTarget, LaterColumns};
use crate::shared::Violation;

fn headers(names: &[&str]) -> Vec<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

fn names(mapping: &ColumnMapping) -> Vec<&str> {
    mapping.targets().iter().map(FieldTarget::as_str).collect()
}

fn request(of: &[&str], pairs: &[(&str, &str)]) -> Result<ColumnMapping, Violation> {
    request_of(LaterColumns::Numbered, of, pairs)
}

fn request_of(
    later: LaterColumns,
    of: &[&str],
    pairs: &[(&str, &str)],
) -> Result<ColumnMapping, Violation> {
    let pairs: BTreeMap<String, String> = pairs
        .iter()
        .map(|&(header, target)| (header.to_owned(), target.to_owned()))
        .collect();
    ColumnMapping::from_request(&headers(of), later, &pairs)
}

#[test]
fn headers_are_guessed_in_three_languages() {
    for (of, expected) in [
        (
            ["CPF/CNPJ", "Nome", "Celular", "E-mail"],
            ["document", "name", "phone", "email"],
        ),
        (
            ["Cédula", "NOMBRE", "Teléfono", "Correo"],
            ["document", "name", "phone", "email"],
        ),
        (
            ["email", "phone", "name", "Document"],
            ["email", "phone", "name", "document"],
        ),
        (
            ["Celular", "Telefone", "cpf", "cidade"],
            ["Celular", "phone", "document", "cidade"],
        ),
        (
            ["document", "attributes", "attributes", "raw"],
            ["document", "attributes", "", ""],
        ),
        (["x", "x", "", "contact_id"], ["x", "x_2", "column_3", ""]),
        (
            ["nome", "name", "cpf", "cnpj"],
            ["nome", "name", "document", "cnpj"],
        ),
    ] {
        assert_eq!(
            names(&ColumnMapping::guess(&headers(&of))),
            expected,
            "{of:?}"
        );
    }
    assert!(!ColumnMapping::guess(&headers(&["x"])).has_document());
}

#[test]
fn a_request_corrects_the_guess() {
    let mapping = request(
        &["cpf", "matricula", "obs"],
        &[("matricula", "document"), ("obs", "")],
    );
    let mapping = mapping.unwrap();
    assert_eq!(names(&mapping), ["cpf", "document", ""]);
    let stored = serde_json::to_string(&mapping).unwrap();
    assert_eq!(
        serde_json::from_str::<ColumnMapping>(&stored).unwrap(),
        mapping
    );
}

#[test]
fn a_wrong_request_names_the_column() {
    let refused = |of: &[&str], pairs: &[(&str, &str)]| {
        request(of, pairs)
            .map(|_| ())
            .map_err(|v| (v.pointer, v.code))
            .unwrap_err()
    };
    let at = |pointer: &str, code| (pointer.to_owned(), code);
    assert_eq!(
        refused(&["cpf"], &[("a/b", "name")]),
        at("/mapping/a~1b", "unknown_column")
    );
    assert_eq!(
        refused(&["cpf"], &[("column_1", "name")]),
        at("/mapping/column_1", "unknown_column")
    );
    assert_eq!(
        refused(&["cpf"], &[("cpf", "")]),
        at("/mapping", "document_not_mapped")
    );
    assert_eq!(
        refused(&["cpf", "a", "b"], &[("a", "city"), ("b", "city")]),
        at("/mapping/b", "duplicate_target")
    );
    assert_eq!(
        refused(&["cpf", "a"], &[("a", "raw")]),
        at("/mapping/a", "invalid_attribute")
    );
}

#[test]
fn columns_that_no_record_has_shown_can_be_named() {
    let later = request(&["cpf"], &[("column_3", "phone")]).unwrap();
    let columns = headers(&["cpf", "column_2", "column_3"]);
    let targets = later.targets_of(&headers(&["cpf"]), &columns);
    assert_eq!(text(&targets), ["document", "column_2", "phone"]);
    let named = request_of(LaterColumns::Named, &["a"], &[("codigo", "document")]).unwrap();
    assert!(named.has_document());
    assert_eq!(names(&named), ["a"]);
    request_of(LaterColumns::Named, &["a"], &[]).unwrap();
}

fn text(targets: &[FieldTarget]) -> Vec<&str> {
    targets.iter().map(FieldTarget::as_str).collect()
}

#[test]
fn synonyms_hold_for_every_key_of_every_record() {
    let known = headers(&["cpf", "nome", "cliente"]);
    let guess = ColumnMapping::guess(&known);
    for (of, expected) in [
        (vec!["cpf", "nome"], vec!["document", "name"]),
        (
            vec!["cpf", "razao_social", "fone"],
            vec!["document", "name", "phone"],
        ),
        (
            vec!["cpf", "nome", "razao_social"],
            vec!["document", "name", "razao_social"],
        ),
        // As the mapping shows it.
        (vec!["cpf", "cliente"], vec!["document", "cliente"]),
        (vec!["celular", "telefone"], vec!["celular", "phone"]),
        (
            vec!["document", "cpf", "raw"],
            vec!["document_2", "document", ""],
        ),
    ] {
        assert_eq!(
            text(&guess.targets_of(&known, &headers(&of))),
            expected,
            "{of:?}"
        );
    }
    let said = request_of(LaterColumns::Named, &["cpf"], &[("codigo", "document")]).unwrap();
    // What a request gives to one column is no other's.
    let targets = said.targets_of(&headers(&["cpf"]), &headers(&["cnpj", "nome"]));
    assert_eq!(text(&targets), ["cnpj", "name"]);
}

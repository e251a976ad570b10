use std::collections::BTreeMap;

use super::{ColumnMapping, FieldTarget};
use crate::shared::Violation;

fn headers(names: &[&str]) -> Vec<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

fn names(mapping: &ColumnMapping) -> Vec<&str> {
    mapping.targets().iter().map(FieldTarget::as_str).collect()
}

fn request(of: &[&str], pairs: &[(&str, &str)]) -> Result<ColumnMapping, Violation> {
    let pairs: BTreeMap<String, String> = pairs
        .iter()
        .map(|&(header, target)| (header.to_owned(), target.to_owned()))
        .collect();
    ColumnMapping::from_request(&headers(of), &pairs)
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

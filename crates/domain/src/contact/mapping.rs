//! What the columns of a file are.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::item::{check_attribute_name, is_reserved};
use crate::shared::Violation;

/// What the cells of one column become.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FieldTarget {
    /// The key of the contact.
    Document,
    /// Its name.
    Name,
    /// Its phone.
    Phone,
    /// Its e-mail.
    Email,
    /// An attribute of this name.
    Attribute(String),
    /// Attributes as the members of a JSON object, as an export writes them.
    Attributes,
    /// Nothing.
    Ignore,
}

/// Column and member that hold all attributes as one object.
const ATTRIBUTES: &str = "attributes";

impl FieldTarget {
    /// The target as it is written in the API; empty for [`FieldTarget::Ignore`].
    pub fn as_str(&self) -> &str {
        match self {
            Self::Document => "document",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Attribute(name) => name,
            Self::Attributes => ATTRIBUTES,
            Self::Ignore => "",
        }
    }
}

impl From<String> for FieldTarget {
    fn from(text: String) -> Self {
        match text.as_str() {
            "document" => Self::Document,
            "name" => Self::Name,
            "phone" => Self::Phone,
            "email" => Self::Email,
            ATTRIBUTES => Self::Attributes,
            "" => Self::Ignore,
            _ => Self::Attribute(text),
        }
    }
}

impl From<FieldTarget> for String {
    fn from(target: FieldTarget) -> Self {
        target.as_str().to_owned()
    }
}

/// Names of columns as [`fold`]ed, the most telling first.
const SYNONYMS: [(FieldTarget, &[&str]); 4] = [
    (
        FieldTarget::Document,
        &[
            "document",
            "documento",
            "cpfcnpj",
            "cnpjcpf",
            "cpfoucnpj",
            "cpf",
            "cnpj",
            "numerodocumento",
            "nrdocumento",
            "numdocumento",
            "documentnumber",
            "doc",
            "taxid",
            "nif",
            "dni",
            "nit",
            "rut",
            "ruc",
            "rfc",
            "cedula",
            "identificacao",
            "identificacion",
        ],
    ),
    (
        FieldTarget::Name,
        &[
            "name",
            "nome",
            "nombre",
            "nomecompleto",
            "nombrecompleto",
            "fullname",
            "nomecliente",
            "nomedocliente",
            "nombrecliente",
            "customername",
            "razaosocial",
            "razonsocial",
            "cliente",
            "contato",
            "contacto",
        ],
    ),
    (
        FieldTarget::Phone,
        &[
            "phone",
            "telefone",
            "telefono",
            "celular",
            "whatsapp",
            "fone",
            "phonenumber",
            "mobile",
            "mobilephone",
            "cellphone",
            "movil",
            "telemovel",
            "telefonecelular",
            "telefone1",
            "celular1",
            "fone1",
            "phone1",
            "numerotelefone",
            "tel",
            "cel",
            "whats",
            "zap",
        ],
    ),
    (
        FieldTarget::Email,
        &[
            "email",
            "correo",
            "correoelectronico",
            "emailaddress",
            "enderecodeemail",
            "emailcliente",
            "email1",
            "mail",
            "correio",
            "correioeletronico",
        ],
    ),
];

/// What each column of a file is, in the order of the columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ColumnMapping(Vec<FieldTarget>);

impl ColumnMapping {
    /// Guesses from the names of the columns (Portuguese, Spanish, English), without regard to
    /// case, accents or punctuation. Other columns become attributes of their own name; computed
    /// columns of an export are ignored. There may be no document column.
    pub fn guess(headers: &[String]) -> Self {
        Self::complete(headers, vec![None; headers.len()])
    }

    /// The guess with a request's corrections: header to `document`, `name`, `phone`, `email`,
    /// `attributes`, the name of an attribute, or nothing. Of columns with the same header the first is meant.
    ///
    /// # Errors
    /// An unknown column, a target named twice, a name no attribute can have, or no document
    /// column. Pointers are below `/mapping`.
    pub fn from_request(
        headers: &[String],
        request: &BTreeMap<String, String>,
    ) -> Result<Self, Violation> {
        let mut targets = vec![None; headers.len()];
        let mut taken = HashSet::new();
        for (header, target) in request {
            let refuse = |code, detail: &str| {
                let member = header.replace('~', "~0").replace('/', "~1");
                Violation::new(format!("/mapping/{member}"), code, detail)
            };
            let slot = headers
                .iter()
                .position(|h| h == header)
                .and_then(|at| targets.get_mut(at));
            let slot = slot
                .ok_or_else(|| refuse("unknown_column", "the file has no column of this name"))?;
            let target = FieldTarget::from(target.trim().to_owned());
            if let FieldTarget::Attribute(name) = &target
                && (is_reserved(name) || check_attribute_name(name).is_err())
            {
                return Err(refuse(
                    "invalid_attribute",
                    "no attribute can have this name",
                ));
            }
            if target != FieldTarget::Ignore && !taken.insert(target.clone()) {
                return Err(refuse(
                    "duplicate_target",
                    "another column has this target already",
                ));
            }
            *slot = Some(target);
        }
        let mapping = Self::complete(headers, targets);
        if !mapping.has_document() {
            let detail = "no column is mapped to the document";
            return Err(Violation::new("/mapping", "document_not_mapped", detail));
        }
        Ok(mapping)
    }

    /// The target of each column.
    pub fn targets(&self) -> &[FieldTarget] {
        &self.0
    }

    /// Whether some column is the document.
    pub fn has_document(&self) -> bool {
        self.0.contains(&FieldTarget::Document)
    }

    /// Fills the columns that nothing was said about.
    fn complete(headers: &[String], mut targets: Vec<Option<FieldTarget>>) -> Self {
        let keys: Vec<String> = headers.iter().map(|h| fold(h)).collect();
        for (target, synonyms) in SYNONYMS {
            if targets.contains(&Some(target.clone())) {
                continue;
            }
            let free = |name: &&str| {
                let column = |(key, t): (&String, &Option<_>)| key == *name && t.is_none();
                keys.iter().zip(&targets).position(column)
            };
            if let Some(slot) = synonyms
                .iter()
                .find_map(free)
                .and_then(|at| targets.get_mut(at))
            {
                *slot = Some(target);
            }
        }
        let mut taken: HashSet<String> = targets
            .iter()
            .flatten()
            .map(|t| t.as_str().to_owned())
            .collect();
        let other = |(at, (target, header)): (usize, (Option<FieldTarget>, &String))| {
            target.unwrap_or_else(|| attribute(at, header, &mut taken))
        };
        Self(
            targets
                .into_iter()
                .zip(headers)
                .enumerate()
                .map(other)
                .collect(),
        )
    }
}

/// The attribute that column `at` becomes by its own name, made unique by a number.
fn attribute(at: usize, header: &str, taken: &mut HashSet<String>) -> FieldTarget {
    let header = header.trim();
    if check_attribute_name(header).is_err() {
        return FieldTarget::Ignore;
    }
    if header == ATTRIBUTES && taken.insert(header.to_owned()) {
        return FieldTarget::Attributes;
    }
    let own = matches!(header, "document" | "name" | "phone" | "email");
    if is_reserved(header) && !own {
        return FieldTarget::Ignore;
    }
    let stem = if header.is_empty() {
        format!("column_{}", at + 1)
    } else {
        header.to_owned()
    };
    let mut name = stem.clone();
    let mut round = 2_usize;
    while is_reserved(&name) || !taken.insert(name.clone()) {
        name = format!("{stem}_{round}");
        round += 1;
    }
    FieldTarget::Attribute(name)
}

/// Letters and digits only, in lower case, without accents.
fn fold(header: &str) -> String {
    header
        .nfd()
        .filter(|c| !is_combining_mark(*c) && c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

//! What the columns of a file are.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    item::{check_attribute_name, is_reserved},
    synonyms::{SYNONYMS, fold},
};
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
    /// What a column of this name is, where the name says it (Portuguese, Spanish, English), without
    /// regard to case, accents or punctuation.
    pub fn known(header: &str) -> Option<Self> {
        let key = fold(header);
        let of = |(target, synonyms): (Self, &[&str])| {
            synonyms.contains(&key.as_str()).then_some(target)
        };
        SYNONYMS.into_iter().find_map(of)
    }

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

/// Names that columns beyond the known ones have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterColumns {
    /// Any: each record names its own (NDJSON).
    Named,
    /// `column_5`, by their place (CSV, XLSX).
    Numbered,
}

/// What the columns of a file are: of those that its first records show, in their order, and of those
/// that a request names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnMapping {
    targets: Vec<FieldTarget>,
    /// What a request says, by name.
    said: BTreeMap<String, FieldTarget>,
}

impl ColumnMapping {
    /// Guesses from the names of the columns (Portuguese, Spanish, English), without regard to
    /// case, accents or punctuation. Other columns become attributes of their own name; computed
    /// columns of an export are ignored. There may be no document column.
    pub fn guess(headers: &[String]) -> Self {
        let said = BTreeMap::new();
        let targets = complete(headers, vec![None; headers.len()], &said);
        Self { targets, said }
    }

    /// The guess with a request's corrections: header to `document`, `name`, `phone`, `email`,
    /// `attributes`, the name of an attribute, or nothing. Of columns with the same header the first
    /// is meant. A column that no record has shown yet may be named, if there can be one.
    ///
    /// # Errors
    /// An unknown column, a target named twice, a name no attribute can have, or no document
    /// column where later ones have no names. Pointers are below `/mapping`.
    pub fn from_request(
        headers: &[String],
        later: LaterColumns,
        request: &BTreeMap<String, String>,
    ) -> Result<Self, Violation> {
        let mut said = BTreeMap::new();
        let mut taken = HashSet::new();
        for (header, target) in request {
            let refuse = |code, detail: &str| {
                let member = header.replace('~', "~0").replace('/', "~1");
                Violation::new(format!("/mapping/{member}"), code, detail)
            };
            if !headers.contains(header) && !later.can_have(header, headers.len()) {
                let detail = "the file has no column of this name";
                return Err(refuse("unknown_column", detail));
            }
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
            said.insert(header.clone(), target);
        }
        let known = headers.iter().map(|header| said.get(header).cloned());
        let targets = complete(headers, known.collect(), &said);
        let mapping = Self { targets, said };
        if later == LaterColumns::Numbered && !mapping.has_document() {
            let detail = "no column is mapped to the document";
            return Err(Violation::new("/mapping", "document_not_mapped", detail));
        }
        Ok(mapping)
    }

    /// The target of each known column.
    pub fn targets(&self) -> &[FieldTarget] {
        &self.targets
    }

    /// Whether some column is the document.
    pub fn has_document(&self) -> bool {
        let mut all = self.targets.iter().chain(self.said.values());
        all.any(|target| *target == FieldTarget::Document)
    }

    /// The target of each member of one record, by their names, where `known` are the known columns:
    /// what a request or the mapping of the known ones says. Of other names the synonyms hold, unless
    /// another member of the record has that target, or the request gives it to another column.
    pub fn targets_of(&self, known: &[String], names: &[String]) -> Vec<FieldTarget> {
        let target = |name: &String| {
            let at = || known.iter().position(|column| column == name);
            let of_known = || at().and_then(|at| self.targets.get(at));
            self.said.get(name).or_else(of_known).cloned()
        };
        complete(names, names.iter().map(target).collect(), &self.said)
    }
}

impl LaterColumns {
    fn can_have(self, name: &str, known: usize) -> bool {
        let number = || name.strip_prefix("column_")?.parse::<usize>().ok();
        self == Self::Named || number().is_some_and(|number| number > known)
    }
}

/// Fills the columns that nothing was said about.
fn complete(
    headers: &[String],
    mut targets: Vec<Option<FieldTarget>>,
    said: &BTreeMap<String, FieldTarget>,
) -> Vec<FieldTarget> {
    let keys: Vec<String> = headers.iter().map(|h| fold(h)).collect();
    for (target, synonyms) in SYNONYMS {
        let given = said.values().any(|said| *said == target);
        if given || targets.contains(&Some(target.clone())) {
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
    let targets = targets.into_iter().zip(headers);
    targets.enumerate().map(other).collect()
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

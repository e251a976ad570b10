//! From an item of a request, or a row of a file, to a contact.

use chrono::SubsecRound;
use serde_json::{Map, Value};

use super::{
    ContactBody, Document, FieldTarget, RawValues, normalise_email, normalise_phone,
    tidy_attributes,
};
use crate::shared::{Instant, ItemError, Members, from_json, merge, number_text, trimmed};

/// Most attributes of one contact.
pub const MAX_ATTRIBUTES: usize = 50;
/// Longest text of one value in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 1024;
/// Longest name of an attribute in bytes of UTF-8.
const MAX_NAME_BYTES: usize = 255;

/// Members that are computed: ignored on input, so that an exported contact can be sent back.
const COMPUTED: [&str; 7] = [
    "contact_id",
    "document_kind",
    "document_valid",
    "phone_valid",
    "email_valid",
    "raw",
    "updated_at",
];

/// Whose attributes they are, in errors.
const OWNER: &str = "contact";
/// The member that says whether somebody has opted out.
const OPTED_OUT: &str = "opted_out";

/// Whether an attribute cannot have this name.
pub(super) fn is_reserved(name: &str) -> bool {
    COMPUTED.contains(&name)
        || matches!(name, "document" | "name" | "phone" | "email" | "attributes")
}

/// What a request asks of its items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ItemRules {
    /// Wrong check digits reject.
    pub require_valid_document: bool,
}

/// A contact to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContact {
    /// Its key.
    pub document: Document,
    /// Its values.
    pub body: ContactBody,
}

#[derive(Default)]
struct Draft {
    document: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    attributes: Map<String, Value>,
}

/// Reads an item of a request, which is consumed. Members that are not known become attributes,
/// as do those of a member `attributes`; where both name the same, the outer one counts. `null`
/// is the same as absent.
///
/// # Errors
/// The first rule that the item breaks.
pub fn parse_item(item: Value, rules: &ItemRules, now: Instant) -> Result<NewContact, ItemError> {
    let mut members = Members::try_from(item)?;
    let document = match members.any("document") {
        None => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => return Err(document_no_string()),
    };
    let mut draft = Draft {
        document,
        name: take_text(&mut members, "name"),
        phone: take_text(&mut members, "phone"),
        email: take_text(&mut members, "email"),
        attributes: Map::new(),
    };
    members.ignore(&COMPUTED);
    // Computed where it is a truth value; a text is somebody's own column.
    members.ignore_if(OPTED_OUT, Value::is_boolean);
    draft.attributes = members.attributes(OWNER, is_reserved)?;
    draft.attributes.retain(|_, value| !value.is_null());
    draft.finish(rules, now)
}

/// Reads a row of a file: each cell with what its column is. Empty cells are absent; of two cells
/// for the same target the last one counts. A column of all attributes holds a JSON object; where
/// another column names the same attribute, that one counts.
///
/// # Errors
/// The first rule that the row breaks.
pub fn parse_row<'a>(
    fields: impl Iterator<Item = (&'a FieldTarget, &'a str)>,
    rules: &ItemRules,
    now: Instant,
) -> Result<NewContact, ItemError> {
    let mut draft = Draft::default();
    let mut inner = Map::new();
    for (target, cell) in fields {
        if cell.trim().is_empty() {
            continue;
        }
        let text = || Some(cell.to_owned());
        match target {
            FieldTarget::Document => draft.document = text(),
            FieldTarget::Name => draft.name = text(),
            FieldTarget::Phone => draft.phone = text(),
            FieldTarget::Email => draft.email = text(),
            FieldTarget::Attribute(name) => {
                draft
                    .attributes
                    .insert(name.clone(), Value::String(cell.to_owned()));
            }
            FieldTarget::Attributes => inner = object(cell)?,
            FieldTarget::Ignore => {}
        }
    }
    merge(&mut draft.attributes, inner, OWNER, is_reserved)?;
    draft.attributes.retain(|_, value| !value.is_null());
    draft.finish(rules, now)
}

impl Draft {
    fn finish(mut self, rules: &ItemRules, now: Instant) -> Result<NewContact, ItemError> {
        let (document, raw_document) = key(self.document, rules)?;
        for (field, text) in [
            ("name", &self.name),
            ("phone", &self.phone),
            ("email", &self.email),
        ] {
            text.as_deref()
                .map_or(Ok(()), |text| check_text(field, text))?;
        }
        self.attributes = tidy_attributes(self.attributes);
        check_attributes(&self.attributes)?;
        let filled = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
        let mut body = ContactBody {
            name: filled(self.name).as_deref().map(trimmed),
            attributes: self.attributes,
            raw: RawValues {
                document: raw_document,
                ..RawValues::default()
            },
            updated_at: now.trunc_subsecs(3),
            ..ContactBody::default()
        };
        if let Some(raw) = filled(self.phone) {
            let phone = normalise_phone(&raw);
            body.raw.phone = (raw != phone.value).then_some(raw);
            body.phone = Some(phone.value);
            body.phone_valid = phone.valid;
        }
        if let Some(raw) = filled(self.email) {
            let email = normalise_email(&raw);
            body.raw.email = (raw != email.value).then_some(raw);
            body.email = Some(email.value);
            body.email_valid = email.valid;
        }
        Ok(NewContact { document, body })
    }
}

/// What is wrong with a document that is no text: as a number it has lost its zeros.
pub fn document_no_string() -> ItemError {
    let detail = "the document must be a string";
    ItemError::new("document", "document_not_a_string", detail)
}

/// Reads a document alone, as far as that of a contact is read.
///
/// # Errors
/// As for the document of a contact.
pub fn parse_document(text: Option<String>) -> Result<Document, ItemError> {
    key(text, &ItemRules::default()).map(|(document, _)| document)
}

/// The document, and the text it came as where that differs.
fn key(text: Option<String>, rules: &ItemRules) -> Result<(Document, Option<String>), ItemError> {
    let error = |code, detail: &str| ItemError::new("document", code, detail);
    let text = text.ok_or_else(|| error("document_missing", "the document is missing"))?;
    let document = Document::parse(&text).map_err(|e| error(e.code(), &e.to_string()))?;
    if text.len() > MAX_TEXT_BYTES {
        return Err(error(
            "document_too_long",
            "the document has more than 1 KB as written",
        ));
    }
    if rules.require_valid_document && !document.valid() {
        return Err(error(
            "document_invalid",
            "the document's check digits are wrong",
        ));
    }
    let raw = (text != document.as_str()).then_some(text);
    Ok((document, raw))
}

/// A member that is no reason to reject somebody, whatever it is: what is neither text nor number is kept
/// as its JSON.
fn take_text(members: &mut Members, name: &'static str) -> Option<String> {
    match members.any(name)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number_text(&number)),
        other => Some(other.to_string()),
    }
}

fn object(cell: &str) -> Result<Map<String, Value>, ItemError> {
    from_json(cell.as_bytes()).map_err(|_| {
        let detail = "must be a JSON object";
        ItemError::new("attributes", "invalid_type", detail)
    })
}

pub(crate) fn check_text(field: &str, text: &str) -> Result<(), ItemError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(ItemError::new(
            field,
            "attribute_too_long",
            "must not exceed 1 KB",
        ));
    }
    if text.contains('\0') {
        return Err(ItemError::new(
            field,
            "contains_nul",
            "must not contain NUL",
        ));
    }
    Ok(())
}

pub(crate) fn check_attributes(attributes: &Map<String, Value>) -> Result<(), ItemError> {
    if attributes.len() > MAX_ATTRIBUTES {
        let detail = "a contact has at most 50 attributes";
        return Err(ItemError::new("attributes", "too_many_attributes", detail));
    }
    for (name, value) in attributes {
        check_attribute_name(name)?;
        match value {
            Value::String(text) => check_text(name, text)?,
            Value::Array(_) | Value::Object(_) => {
                let detail = "an attribute must be text, a number or a boolean";
                return Err(ItemError::new(name, "invalid_attribute", detail));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    Ok(())
}

/// The bounds on an attribute's name. An offending name is not repeated in the error.
pub(super) fn check_attribute_name(name: &str) -> Result<(), ItemError> {
    if name.len() > MAX_NAME_BYTES {
        let detail = "an attribute's name must not exceed 255 bytes";
        return Err(ItemError::new("attributes", "attribute_too_long", detail));
    }
    if name.contains('\0') {
        let detail = "an attribute's name must not contain NUL";
        return Err(ItemError::new("attributes", "contains_nul", detail));
    }
    Ok(())
}

//! The normalised key of a person.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::shared::{is_dash, is_ignorable};

/// Longest document in Unicode scalar values, after normalisation.
const MAX_CHARS: usize = 64;

/// Why a text is not a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Nothing that can be seen.
    #[error("the document is empty")]
    Empty,
    /// More than 64 characters after normalisation.
    #[error("the document has more than 64 characters")]
    TooLong,
    /// The NUL character, which no store can keep.
    #[error("the document contains NUL")]
    Nul,
    /// Such as `1,23457E+10`: the digits that told people apart are lost.
    #[error("the document is a number that a spreadsheet shortened; format the column as text")]
    Shortened,
}

impl DocumentError {
    /// Stable code in snake_case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "document_empty",
            Self::TooLong => "document_too_long",
            Self::Nul => "document_nul",
            Self::Shortened => "shortened_number",
        }
    }
}

/// What a document is by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// Eleven digits.
    Cpf,
    /// Twelve letters or digits and two digits.
    Cnpj,
    /// Any other key.
    Other,
}

impl DocumentKind {
    /// The value as it is written in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpf => "cpf",
            Self::Cnpj => "cnpj",
            Self::Other => "other",
        }
    }
}

/// A normalised document, ordered by its bytes. Personal data: `Debug` shows a masked form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Document(String);

impl Document {
    /// Normalises a text: NFC and upper case, without what cannot be seen and without spaces around
    /// it, hyphens, spaces and full-width forms of all scripts in ASCII. Separators go only where a CPF
    /// or a CNPJ has them, so that `12-3` and `1-23`, and `1234567890.0` and `123.456.789-00`, stay two
    /// people. Every way in uses this one.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, contains NUL, or is a shortened number.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        if text.contains('\0') {
            return Err(DocumentError::Nul);
        }
        let key = folded(text);
        if key.is_empty() {
            return Err(DocumentError::Empty);
        }
        if is_shortened_number(&key) {
            return Err(DocumentError::Shortened);
        }
        let key = without_separators(&key).unwrap_or(key);
        if key.len() > MAX_CHARS && key.chars().count() > MAX_CHARS {
            return Err(DocumentError::TooLong);
        }
        Ok(Self(key))
    }

    /// A part of a document to search for, which loses no separators.
    pub(crate) fn part(text: &str) -> String {
        folded(text)
    }

    /// A document that a store returned, normalised already.
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is by its shape.
    pub fn kind(&self) -> DocumentKind {
        shape(self.0.as_bytes())
    }

    /// Whether the check digits are right. `true` for [`DocumentKind::Other`], which has none.
    pub fn valid(&self) -> bool {
        let bytes = self.0.as_bytes();
        match self.kind() {
            DocumentKind::Cpf => check_digits(bytes, &CPF_WEIGHTS),
            DocumentKind::Cnpj => check_digits(bytes, &CNPJ_WEIGHTS),
            DocumentKind::Other => true,
        }
    }

    /// The last characters only (at most three, and at most a third), for samples.
    pub fn masked(&self) -> String {
        let chars = self.0.chars().count();
        let hidden = chars - (chars / 3).min(3);
        self.0
            .chars()
            .enumerate()
            .map(|(i, c)| if i < hidden { '*' } else { c })
            .collect()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document([redacted])")
    }
}

/// What is left of a text but for separators.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        let seen = text.chars().filter(|c| !c.is_ascii_control());
        let text: String = seen.map(|c| c.to_ascii_uppercase()).collect();
        return trim(text);
    }
    // Repeated because upper-casing can undo NFC, NFC can leave a character that is folded, and what
    // is dropped can bring together what NFC composes.
    let mut key = fold_once(text);
    for _ in 0..4 {
        let next = fold_once(&key);
        if next == key {
            break;
        }
        key = next;
    }
    key
}

fn fold_once(text: &str) -> String {
    let hidden = |c: char| c.is_control() || is_ignorable(c);
    let seen = text.chars().filter(|c| !hidden(*c)).map(to_ascii_form);
    let upper = seen.nfc().collect::<String>().to_uppercase();
    trim(upper.nfc().collect())
}

/// Without spaces around it.
fn trim(text: String) -> String {
    let inner = text.trim();
    if inner.len() == text.len() {
        text
    } else {
        inner.to_owned()
    }
}

/// The ASCII character that a hyphen, a space or a full-width form stands for.
fn to_ascii_form(c: char) -> char {
    /// From a full-width form to its ASCII character.
    const WIDTH: u32 = 0xff01 - '!' as u32;
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - WIDTH).unwrap_or(c),
        c if is_dash(c) => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Whether it is a number in the notation that spreadsheets shorten long ones to: `1,23457E+10`. With
/// neither fraction nor sign, as in `12E5`, it may be anything.
fn is_shortened_number(key: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((mantissa, exponent)) = key.split_once('E') else {
        return false;
    };
    let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let unsigned = exponent.strip_prefix(['-', '+']);
    digits(whole)
        && fraction.is_none_or(digits)
        && (fraction.is_some() || unsigned.is_some())
        && digits(unsigned.unwrap_or(exponent))
}

/// After how many characters a CPF has separators, and a CNPJ.
const CPF_PLACES: [usize; 3] = [3, 6, 9];
/// As [`CPF_PLACES`], for CNPJ.
const CNPJ_PLACES: [usize; 4] = [2, 5, 8, 12];

fn without_separators(key: &str) -> Option<String> {
    let separator = |c: char| matches!(c, '.' | '-' | '/' | ' ');
    if !key.contains(separator) {
        return None;
    }
    let mut bare = String::with_capacity(key.len());
    let mut places = Vec::new();
    for c in key.chars() {
        if !separator(c) {
            bare.push(c);
        } else if places.last() == Some(&bare.len()) {
            return None;
        } else {
            places.push(bare.len());
        }
    }
    let known: &[usize] = match shape(bare.as_bytes()) {
        DocumentKind::Cpf => &CPF_PLACES,
        DocumentKind::Cnpj => &CNPJ_PLACES,
        DocumentKind::Other => return None,
    };
    places.iter().all(|at| known.contains(at)).then_some(bare)
}

fn shape(key: &[u8]) -> DocumentKind {
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match key.len() {
        11 if digits(key) => DocumentKind::Cpf,
        14 => match key.split_at_checked(12) {
            Some((base, check)) if digits(check) && base.iter().all(is_upper_alphanumeric) => {
                DocumentKind::Cnpj
            }
            _ => DocumentKind::Other,
        },
        _ => DocumentKind::Other,
    }
}

fn is_upper_alphanumeric(byte: &u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_uppercase()
}

/// Weights of the second check digit; those of the first are the same without the first one.
const CPF_WEIGHTS: [u32; 10] = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2];
/// As [`CPF_WEIGHTS`], for CNPJ.
const CNPJ_WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];

/// Both check digits, modulo 11. Letters count as their ASCII code minus 48. One character
/// repeated passes the arithmetic but is never issued.
fn check_digits(key: &[u8], weights: &[u32]) -> bool {
    let value = |b: &u8| u32::from(b.saturating_sub(b'0'));
    let digit = |weights: &[u32]| {
        let sum: u32 = key.iter().zip(weights).map(|(b, w)| value(b) * w).sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    let repeated = key.windows(2).all(|pair| pair.first() == pair.last());
    let expected = [digit(weights.get(1..).unwrap_or_default()), digit(weights)];
    !repeated && key.iter().skip(weights.len() - 1).map(value).eq(expected)
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;

//! The normalised key of a person.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Longest document in Unicode scalar values, after normalisation.
const MAX_CHARS: usize = 64;

/// Why a text is not a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Nothing is left after trimming.
    #[error("the document is empty")]
    Empty,
    /// More than 64 characters after normalisation.
    #[error("the document has more than 64 characters")]
    TooLong,
    /// The NUL character, which no store can keep.
    #[error("the document contains NUL")]
    Nul,
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
    /// Normalises a text: trimmed, NFC, upper case; `.`, `-` and `/` go only where the rest has the
    /// shape of a CPF or CNPJ, so that `12-3` and `1-23` stay two people.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, or contains NUL.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DocumentError::Empty);
        }
        if text.contains('\0') {
            return Err(DocumentError::Nul);
        }
        let key = if text.is_ascii() {
            text.to_ascii_uppercase()
        } else {
            upper(text)
        };
        let key = without_separators(&key).unwrap_or(key);
        if key.len() > MAX_CHARS && key.chars().count() > MAX_CHARS {
            return Err(DocumentError::TooLong);
        }
        Ok(Self(key))
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

/// Upper case and NFC. Repeated because upper-casing can undo NFC and, rarely, the reverse.
fn upper(text: &str) -> String {
    let step = |t: &str| {
        t.nfc()
            .collect::<String>()
            .to_uppercase()
            .nfc()
            .collect::<String>()
    };
    let mut key = step(text);
    for _ in 0..4 {
        let next = step(&key);
        if next == key {
            break;
        }
        key = next;
    }
    key
}

fn without_separators(key: &str) -> Option<String> {
    let separator = |c: char| matches!(c, '.' | '-' | '/');
    if !key.contains(separator) {
        return None;
    }
    let bare: String = key.chars().filter(|c| !separator(*c)).collect();
    (shape(bare.as_bytes()) != DocumentKind::Other).then_some(bare)
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> String {
        Document::parse(text).unwrap().0
    }

    fn facts(text: &str) -> (DocumentKind, bool) {
        let document = Document::parse(text).unwrap();
        (document.kind(), document.valid())
    }

    #[test]
    fn separators_go_only_from_cpf_and_cnpj() {
        assert_eq!(key("\u{2003}123.456.789-00 "), "12345678900");
        assert_eq!(key("12.abc.345/01de-35"), "12ABC34501DE35");
        assert_eq!((key("12-3"), key("1-23")), ("12-3".into(), "1-23".into()));
        assert_eq!(key("e\u{301}-1"), "É-1");
    }

    #[test]
    fn check_digits_are_computed() {
        assert_eq!(facts("123.456.789-00"), (DocumentKind::Cpf, false));
        assert_eq!(facts("123.456.789-09"), (DocumentKind::Cpf, true));
        assert_eq!(facts("000.000.000-00"), (DocumentKind::Cpf, false));
        assert_eq!(facts("12ABC34501DE35"), (DocumentKind::Cnpj, true));
        assert_eq!(facts("12ABC34501DE36"), (DocumentKind::Cnpj, false));
        assert_eq!(facts("11.222.333/0001-81"), (DocumentKind::Cnpj, true));
        assert_eq!(facts("00000000000000"), (DocumentKind::Cnpj, false));
        assert_eq!(facts("AB-1"), (DocumentKind::Other, true));
    }

    #[test]
    fn bounds_and_masks() {
        assert_eq!(Document::parse(" \u{a0}"), Err(DocumentError::Empty));
        assert_eq!(Document::parse("1\u{0}"), Err(DocumentError::Nul));
        assert_eq!(
            Document::parse(&"é".repeat(65)),
            Err(DocumentError::TooLong)
        );
        assert!(Document::parse(&"é".repeat(64)).is_ok());
        let document = Document::parse("12345678900").unwrap();
        assert_eq!(document.masked(), "********900");
        assert!(!format!("{document:?}").contains('9'));
        assert_eq!(Document::parse("12").unwrap().masked(), "**");
    }

    proptest! {
        #[test]
        fn normalisation_is_idempotent(text in "\\PC{1,40}") {
            if let Ok(document) = Document::parse(&text) {
                prop_assert_eq!(Document::parse(document.as_str()), Ok(document));
            }
        }

        #[test]
        fn short_numbers_with_a_hyphen_stay_distinct(a in "[0-9]{1,4}", cut in 1usize..4, b in 1usize..4) {
            prop_assume!(cut < a.len() && b < a.len() && cut != b);
            let with = |at: usize| key(&format!("{}-{}", &a[..at], &a[at..]));
            prop_assert_ne!(with(cut), with(b));
        }
    }
}

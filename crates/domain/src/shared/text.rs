//! What all texts have in common: composed characters, case, and what cannot be seen.

use icu_properties::{
    CodePointSetData, CodePointSetDataBorrowed,
    props::{Dash, DefaultIgnorableCodePoint},
};
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::is_combining_mark, is_nfc_quick,
};

const IGNORABLE: CodePointSetDataBorrowed<'static> =
    CodePointSetData::new::<DefaultIgnorableCodePoint>();
const DASHES: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Dash>();

/// Whether nothing is shown for a character: zero width spaces and joiners, byte order marks, marks
/// of direction, soft hyphens.
pub(crate) fn is_ignorable(c: char) -> bool {
    !c.is_ascii() && IGNORABLE.contains(c)
}

/// Whether a character is a hyphen, a dash or a minus of any script.
pub(crate) fn is_dash(c: char) -> bool {
    c == '-' || !c.is_ascii() && DASHES.contains(c)
}

/// A text in NFC.
pub(crate) fn composed(text: String) -> String {
    if is_composed(&text) {
        text
    } else {
        text.nfc().collect()
    }
}

/// A text in NFC, without spaces of any script around it.
pub(crate) fn trimmed(text: &str) -> String {
    composed(text.trim().to_owned())
}

/// Whether [`trimmed`] would change nothing.
pub(crate) fn is_trimmed(text: &str) -> bool {
    text.trim().len() == text.len() && is_composed(text)
}

/// Whether a text is certainly in NFC.
pub(crate) fn is_composed(text: &str) -> bool {
    text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// A text as it is searched without case and accents.
pub fn plain_key(text: &str) -> String {
    let plain: String = text.nfd().filter(|c| !is_combining_mark(*c)).collect();
    fold_key(&plain)
}

/// The full Unicode case fold of a text: what comparisons without regard to case compare. The same
/// for texts that differ in composition alone.
pub fn fold_key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    caseless::default_case_fold_str(&text.nfd().collect::<String>())
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_keys_have_neither_case_nor_accents() {
        for text in ["Ação", "ACA\u{303}O", "acao"] {
            let key = plain_key(text).replace('\u{e7}', "c");
            assert_eq!(key, "acao", "{text}");
        }
    }
}

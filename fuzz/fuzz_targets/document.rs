//! Documents: normalised once for all, and the same person whatever cannot be seen.

#![no_main]

use domain::contact::{Document, DocumentKind};
use libfuzzer_sys::fuzz_target;

/// The longest document in characters.
const MAX_CHARS: usize = 64;

fuzz_target!(|input: (&str, u8)| {
    let (text, place) = input;
    let document = Document::parse(text);
    if text.is_ascii() {
        check_ascii(text, usize::from(place), document.as_ref().ok());
    }
    let Ok(document) = document else { return };
    let key = document.as_str();
    assert!(!key.is_empty() && key.chars().count() <= MAX_CHARS && !key.contains('\0'));
    assert_eq!(key, key.trim());
    assert_eq!(Document::parse(key).as_ref(), Ok(&document), "idempotent");
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    match document.kind() {
        DocumentKind::Cpf => assert!(key.len() == 11 && digits == 11),
        DocumentKind::Cnpj => assert!(key.len() == 14 && digits >= 2),
        DocumentKind::Other => assert!(document.valid()),
    }
});

fn check_ascii(text: &str, place: usize, document: Option<&Document>) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    if !text.is_empty() && text.len() <= MAX_CHARS && text.bytes().all(plain) {
        // Nobody is merged with somebody else by normalisation alone.
        if let Some(document) = document {
            assert_eq!(document.as_str(), text.to_ascii_uppercase());
        }
    }
    let split = place.min(text.len());
    let (start, end) = text.split_at(split);
    for invisible in ['\u{200B}', '\u{FEFF}', '\u{202E}', '\u{AD}', '\u{7}'] {
        let written = format!("\u{A0}{start}{invisible}{end}\u{3000}");
        let same = Document::parse(&written).ok();
        assert_eq!(same.as_ref(), document, "{invisible:?} splits a person");
    }
    let wide = text.chars().map(|character| match character {
        '!'..='~' => char::from_u32(u32::from(character) + 0xFEE0).unwrap_or(character),
        other => other,
    });
    let wide = Document::parse(&wide.collect::<String>()).ok();
    assert_eq!(wide.as_ref(), document, "full-width forms split a person");
}

//! E-mail addresses.

use std::borrow::Cow;

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};
use unicode_normalization::UnicodeNormalization;

use crate::shared::is_ignorable;

/// An address as kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// Trimmed, in lower case and NFC. An international domain is in letters: as many spellings as it
    /// has, two that are the same in ASCII are the same here.
    pub value: String,
    /// Whether the syntax is that of an address on the public Internet.
    pub valid: bool,
}

/// Trims, lower-cases and checks an address. Quoted local parts and address literals do not pass.
pub fn normalise_email(text: &str) -> Email {
    let value = if text.is_ascii() {
        text.trim().to_ascii_lowercase()
    } else {
        lower(text)
    };
    let Some((local, domain)) = value.split_once('@') else {
        return Email {
            value,
            valid: false,
        };
    };
    let Some((ascii, letters)) = spellings(domain) else {
        return Email {
            value,
            valid: false,
        };
    };
    let valid = local.len() + ascii.len() < MAX_BYTES && is_local(local) && is_domain(&ascii);
    match letters {
        Some(letters) => Email {
            value: format!("{local}@{letters}"),
            valid,
        },
        None => Email { value, valid },
    }
}

/// Longest address, with its domain in ASCII.
const MAX_BYTES: usize = 254;

/// Lower case and NFC, without what cannot be seen. Joiners stay: words of some scripts need them,
/// and domains with and without are two.
fn lower(text: &str) -> String {
    let seen = |c: &char| matches!(c, '\u{200c}' | '\u{200d}') || !is_ignorable(*c);
    let text: String = text.chars().filter(seen).collect();
    text.trim()
        .nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect()
}

/// A domain in ASCII, and in letters where it is an international one; `None` when it is neither.
fn spellings(domain: &str) -> Option<(Cow<'_, str>, Option<String>)> {
    if domain.is_ascii() && !domain.split('.').any(|label| label.starts_with("xn--")) {
        return Some((Cow::Borrowed(domain), None));
    }
    let (rules, hyphens) = (Uts46::new(), Hyphens::Allow);
    let ascii = rules
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            hyphens,
            DnsLength::Verify,
        )
        .ok()?;
    let ascii = ascii.into_owned();
    let (letters, known) = rules.to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, hyphens);
    known.ok()?;
    let letters = letters.into_owned();
    Some((Cow::Owned(ascii), Some(letters)))
}

fn is_local(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= 64
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(allowed))
}

fn is_domain(domain: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    top.is_some_and(|top| !top.bytes().all(|b| b.is_ascii_digit())) && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> (String, bool) {
        let email = normalise_email(text);
        (email.value, email.valid)
    }

    #[test]
    fn addresses_are_lower_cased_and_checked() {
        assert_eq!(
            of(" Ana.Souza+x@Example.COM\n"),
            ("ana.souza+x@example.com".into(), true)
        );
        assert!(normalise_email("josé@exemplo.com.br").valid);
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@@b.co",
            "a@b@c.co",
            "a b@c.co",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.co",
            "a@-b.co",
            "a@b-.co",
            "a@b..co",
            "a@.co",
            "a@1.2.3.4",
            "a@b\u{0}.co",
            "a@xn--\u{e9}.co",
            "a@xn--zzzzzzzz-.co",
            "não informado",
            &long,
        ] {
            assert!(!normalise_email(bad).valid, "{bad:?}");
        }
    }

    #[test]
    fn one_address_has_one_form() {
        for text in [
            "joão@café.com.br",
            "JOÃO@CAFÉ.com.br",
            "joa\u{303}o@cafe\u{301}.com.br",
            "joão@xn--caf-dma.com.br",
            "joão@XN--CAF-DMA.com.br",
            "\u{202a}jo\u{ad}ão@ca\u{200b}fé\u{3002}com.br\u{202c}\u{a0}",
        ] {
            assert_eq!(of(text), ("joão@café.com.br".into(), true), "{text:?}");
        }
        assert_ne!(of("a@faß.de"), of("a@fass.de"));
    }

    proptest! {
        #[test]
        fn normalisation_is_idempotent(text in "\\PC{0,12}|\\PC{1,8}@[\\PC.]{1,12}|[a-zãÉ\u{301}\u{200b}]{1,6}@(xn--)?[a-zãÉß.]{1,12}") {
            let once = of(&text);
            prop_assert_eq!(of(&once.0), once);
        }
    }
}

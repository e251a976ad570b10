//! E-mail addresses.

/// An address as kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// Trimmed and in lower case.
    pub value: String,
    /// Whether the syntax is that of an address on the public Internet.
    pub valid: bool,
}

/// Trims, lower-cases and checks an address. Quoted local parts and address literals do not pass.
pub fn normalise_email(text: &str) -> Email {
    let text = text.trim();
    let value = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.to_lowercase()
    };
    let valid = value.len() <= 254
        && value
            .split_once('@')
            .is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
    Email { value, valid }
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
    use super::*;

    #[test]
    fn addresses_are_lower_cased_and_checked() {
        let email = normalise_email(" Ana.Souza+x@Example.COM\n");
        assert_eq!(
            (email.value.as_str(), email.valid),
            ("ana.souza+x@example.com", true)
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
            &long,
        ] {
            assert!(!normalise_email(bad).valid, "{bad:?}");
        }
    }
}

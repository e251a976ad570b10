//! What uses an audience, and which changes that forbids.

use super::{Audience, AudienceStatus};
use crate::shared::{AudienceName, Violation};

/// Longest kind in characters.
const MAX_KIND: usize = 64;
/// Longest id in characters.
const MAX_ID: usize = 128;

/// Something that uses an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// What it is, such as `campaign`.
    pub kind: String,
    /// Which one of its kind.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether the audience was made to be its resource.
    pub resource: bool,
}

impl Usage {
    /// The kind of the audiences whose conditions name it. Nothing else can be of this kind.
    pub const AUDIENCE: &'static str = "audience";

    /// A usage as something outside tells of it.
    ///
    /// # Errors
    /// Every rule that is broken, with a pointer to `/kind`, `/id` or `/name`.
    pub fn parse(kind: &str, id: &str, name: &str, resource: bool) -> Result<Self, Vec<Violation>> {
        let mut broken = Vec::new();
        let mut refuse = |at: &str, detail: &str| {
            broken.push(Violation::new(at, "invalid_value", detail));
        };
        if !is_kind(kind) {
            refuse("/kind", "must be 1 to 64 of a-z, 0-9, `_` and `-`");
        } else if kind == Self::AUDIENCE {
            refuse("/kind", "audiences are found by their conditions");
        }
        if !is_id(id) {
            let detail = "must be 1 to 128 characters without spaces and control characters";
            refuse("/id", detail);
        }
        let name = AudienceName::parse(name);
        if let Err(error) = &name {
            refuse("/name", &error.to_string());
        }
        match name {
            Ok(name) if broken.is_empty() => Ok(Self {
                kind: kind.to_owned(),
                id: id.to_owned(),
                name: name.as_str().to_owned(),
                resource,
            }),
            _ => Err(broken),
        }
    }
}

fn is_kind(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    (1..=MAX_KIND).contains(&text.len()) && text.bytes().all(known)
}

fn is_id(text: &str) -> bool {
    let shown = |c: char| !c.is_control() && !c.is_whitespace();
    (1..=MAX_ID).contains(&text.chars().count()) && text.chars().all(shown)
}

impl Audience {
    /// Whether what became of it since `before` takes it from those who use it: it is dropped, has other
    /// conditions, or is a draft again.
    pub fn is_withdrawn_since(&self, before: &Self) -> bool {
        let drafted = self.status == AudienceStatus::Draft && before.status != self.status;
        let dropped = self.deleted_at.is_some() && before.deleted_at.is_none();
        dropped || drafted || self.definition != before.definition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_name_what_is_wrong_with_them() {
        let usage = Usage::parse("campaign", "c:1/ã", " Natal ", true).unwrap();
        assert_eq!((usage.name.as_str(), usage.resource), ("Natal", true));
        let long = "x".repeat(129);
        for (kind, id, name, at) in [
            ("", "1", "N", "/kind"),
            ("Campaign", "1", "N", "/kind"),
            ("audience", "1", "N", "/kind"),
            (&long, "1", "N", "/kind"),
            ("a", "", "N", "/id"),
            ("a", "1 2", "N", "/id"),
            ("a", "\u{7}", "N", "/id"),
            ("a", &long, "N", "/id"),
            ("a", "1", " ", "/name"),
            ("a", "1", "a\nb", "/name"),
        ] {
            let broken = Usage::parse(kind, id, name, false).unwrap_err();
            let pointers: Vec<&str> = broken.iter().map(|v| v.pointer.as_str()).collect();
            assert_eq!(pointers, [at], "{kind} {id} {name}");
        }
        assert_eq!(Usage::parse("", "", "", false).unwrap_err().len(), 3);
    }
}

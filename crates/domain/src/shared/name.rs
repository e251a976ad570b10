//! Audience names and the key they are compared by.

use super::{fold_key, trimmed};

/// Longest name in Unicode scalar values.
const MAX_CHARS: usize = 255;

/// Why a text cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("the name is empty")]
    Empty,
    /// More than 255 characters.
    #[error("the name has more than 255 characters")]
    TooLong,
    /// A control character, line breaks included.
    #[error("the name has a control character")]
    Control,
}

/// A trimmed, NFC-normalised name of 1 to 255 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceName(String);

impl AudienceName {
    /// Parses and normalises a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has a control character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = trimmed(text);
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        if name.chars().count() > MAX_CHARS {
            return Err(NameError::TooLong);
        }
        Ok(Self(name))
    }

    /// The name as shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What uniqueness compares: the full Unicode case fold of the name.
    pub fn key(&self) -> String {
        fold_key(&self.0)
    }

    /// The name proposed for a recycled copy: a trailing ` REC n` counted up, else ` REC 2` added.
    #[must_use]
    pub fn next_round(&self) -> Self {
        let counted = self.0.rsplit_once(" REC ").and_then(|(stem, round)| {
            let round: u32 = round.parse().ok()?;
            Some((stem, round.checked_add(1)?))
        });
        let (stem, round) = counted.unwrap_or((&self.0, 2));
        Self::with_suffix(stem, &format!(" REC {round}"))
    }

    /// The name proposed for a copy: ` (copy)` added.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::with_suffix(&self.0, " (copy)")
    }

    /// The name proposed for a sample: ` (sample)` added.
    #[must_use]
    pub fn sample(&self) -> Self {
        Self::with_suffix(&self.0, " (sample)")
    }

    /// `stem` cut so that `suffix` fits into the longest name.
    fn with_suffix(stem: &str, suffix: &str) -> Self {
        let room = MAX_CHARS.saturating_sub(suffix.chars().count());
        let stem: String = stem.chars().take(room).collect();
        Self(format!("{}{suffix}", stem.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_composed_and_bounded() {
        assert_eq!(
            AudienceName::parse("  Cafe\u{301} ").map(|n| n.0),
            Ok("Café".to_owned())
        );
        assert_eq!(AudienceName::parse(" \t"), Err(NameError::Empty));
        assert_eq!(AudienceName::parse("a\u{0}b"), Err(NameError::Control));
        assert_eq!(
            AudienceName::parse(&"x".repeat(256)),
            Err(NameError::TooLong)
        );
        assert!(AudienceName::parse(&"é".repeat(255)).is_ok());
    }

    #[test]
    fn keys_fold_case_beyond_ascii() {
        let key = |s: &str| AudienceName::parse(s).map(|n| n.key());
        assert_eq!(key("STRASSE ÇÃO"), key("straße ção"));
        assert_eq!(key("Ação"), key("ac\u{327}a\u{303}o"));
        assert_ne!(key("a"), key("b"));
    }

    #[test]
    fn rounds_count_up() {
        let next = |s: &str| AudienceName::parse(s).map(|n| n.next_round().0);
        assert_eq!(next("Base"), Ok("Base REC 2".to_owned()));
        assert_eq!(next("Base REC 2"), Ok("Base REC 3".to_owned()));
        assert_eq!(next("REC x"), Ok("REC x REC 2".to_owned()));
        assert_eq!(next(&"x".repeat(255)).map(|n| n.chars().count()), Ok(255));
    }
}

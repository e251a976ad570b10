//! Labels of an audience.

use crate::shared::{fold_key, trimmed};

/// Most labels one audience may carry.
pub const MAX_TAGS: usize = 50;
/// Longest label in characters.
pub const MAX_TAG_CHARS: usize = 64;

/// Why labels were refused, with the index of the offending one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// More than [`MAX_TAGS`].
    #[error("more than 50 tags")]
    TooMany,
    /// Empty, longer than [`MAX_TAG_CHARS`], or with a control character.
    #[error("tag {0} must have 1 to 64 characters and no control characters")]
    Invalid(usize),
}

/// Trimmed, NFC-normalised labels in the order given, without repetition by case fold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<String>);

impl Tags {
    /// Parses labels; repeated ones (without regard to case) are folded into the first.
    ///
    /// # Errors
    /// When there are too many or one is not a label.
    pub fn parse<S: AsRef<str>>(labels: &[S]) -> Result<Self, TagError> {
        let mut kept: Vec<String> = Vec::with_capacity(labels.len());
        let mut keys: Vec<String> = Vec::with_capacity(labels.len());
        for (index, label) in labels.iter().enumerate() {
            let label = trimmed(label.as_ref());
            let chars = label.chars().count();
            if chars == 0 || chars > MAX_TAG_CHARS || label.chars().any(char::is_control) {
                return Err(TagError::Invalid(index));
            }
            let key = fold_key(&label);
            if !keys.contains(&key) {
                keys.push(key);
                kept.push(label);
            }
            if kept.len() > MAX_TAGS {
                return Err(TagError::TooMany);
            }
        }
        Ok(Self(kept))
    }

    /// Labels as a store returns them.
    pub fn from_stored(labels: Vec<String>) -> Self {
        Self(labels)
    }

    /// The labels in order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_trimmed_and_unique_by_case_fold() {
        let tags = Tags::parse(&[" vip ", "VIP", "novo"]);
        assert_eq!(tags, Ok(Tags(vec!["vip".into(), "novo".into()])));
        assert_eq!(Tags::parse(&["ok", " "]), Err(TagError::Invalid(1)));
        let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
        assert_eq!(Tags::parse(&many), Err(TagError::TooMany));
    }
}

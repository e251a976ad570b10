//! A rule that input broke, in the form every face can translate.

use std::fmt::Display;

/// One broken rule: where (an RFC 6901 JSON Pointer into the request), which, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer to the offending member, `""` for the whole document.
    pub pointer: String,
    /// Stable machine-readable code in snake_case.
    pub code: &'static str,
    /// One sentence for a person. Never repeats personal data.
    pub detail: String,
}

impl Violation {
    /// A violation at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }

    /// A value outside a closed list; the detail names the list.
    pub fn not_one_of(
        pointer: impl Into<String>,
        allowed: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let names: Vec<_> = allowed.into_iter().map(|name| name.to_string()).collect();
        let detail = format!("one of {}", names.join(", "));
        Self::new(pointer, "unknown_value", detail)
    }
}

/// The value of a closed list that a text names.
///
/// # Errors
/// [`Violation::not_one_of`] them.
pub fn one_of<T: Copy + Display>(pointer: &str, text: &str, all: &[T]) -> Result<T, Violation> {
    let named = all.iter().find(|value| value.to_string() == text);
    let unknown = || Violation::not_one_of(pointer, all);
    named.copied().ok_or_else(unknown)
}

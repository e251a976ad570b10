//! A rule that input broke, in the form every face can translate.

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
}

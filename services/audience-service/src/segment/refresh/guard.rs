//! Refusing to change an audience's size by more than expected.

/// How much a refresh may change the size of an audience without being confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeGuard {
    /// Of what size on.
    pub from: i64,
    /// In percent of the size.
    pub percent: u32,
}

impl Default for SizeGuard {
    fn default() -> Self {
        Self {
            from: 1_000,
            percent: 50,
        }
    }
}

impl SizeGuard {
    /// It with another share, where one is given.
    pub fn with(self, percent: Option<u32>) -> Self {
        Self {
            percent: percent.unwrap_or(self.percent),
            ..self
        }
    }

    /// Whether a change from a size to another needs to be confirmed.
    pub fn refuses(self, before: i64, after: i64) -> bool {
        let change = i128::from(before.abs_diff(after)) * 100;
        before > self.from && change > i128::from(before) * i128::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_beyond_the_share_of_a_large_audience_is_refused() {
        let guard = SizeGuard::default();
        assert!(!guard.refuses(1_000, 0), "not over a thousand");
        assert!(guard.refuses(1_001, 0));
        assert!(!guard.refuses(2_000, 1_000) && !guard.refuses(2_000, 3_000));
        assert!(guard.refuses(2_000, 999) && guard.refuses(2_000, 3_001));
        assert!(!guard.with(Some(100)).refuses(2_000, 0));
        assert!(guard.with(Some(0)).refuses(2_000, 2_001));
        assert!(guard.refuses(i64::MAX, 0));
    }
}

//! Counts of a survey.

use std::collections::BTreeMap;

use domain::{
    operation::{ReasonCounts, RemovalReport},
    recycle::Reasons,
};
use serde::{Deserialize, Serialize};

use crate::upload::Exclusion;

/// Counts of a survey.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Contacts judged.
    pub total: i64,
    /// Contacts by all their reasons, as bits; those that stay are not among them.
    pub by_reasons: BTreeMap<i64, i64>,
    /// What was found in the file of documents.
    #[serde(default)]
    pub exclusion: Option<Exclusion>,
}

impl Tally {
    /// Counts a verdict.
    pub fn add(&mut self, reasons: Reasons) {
        self.total += 1;
        if !reasons.is_empty() {
            *self.by_reasons.entry(reasons.bits()).or_default() += 1;
        }
    }

    /// Takes a verdict back that was counted, but leaves the contact in the total.
    pub fn take_back(&mut self, reasons: Reasons) {
        self.total -= 1;
        if let Some(count) = self.by_reasons.get_mut(&reasons.bits()) {
            *count -= 1;
        }
    }

    /// Contacts with a reason.
    pub fn removed(&self) -> i64 {
        self.by_reasons.values().sum()
    }

    /// Contacts by the reason that counts.
    pub fn by_first(&self) -> ReasonCounts {
        let mut counts = ReasonCounts::new();
        for (bits, count) in &self.by_reasons {
            if let Some(first) = Reasons::from_bits(*bits).first().filter(|_| *count != 0) {
                *counts.entry(first).or_default() += count;
            }
        }
        counts
    }

    /// The tally as a report.
    pub fn report(&self) -> RemovalReport {
        let removed = self.removed();
        let found = self.exclusion.clone();
        RemovalReport {
            total: self.total,
            removed,
            kept: self.total - removed,
            by_reason: self.by_first(),
            unreadable: found.as_ref().map(|found| found.unreadable),
            warnings: found.map(|found| found.warnings).unwrap_or_default(),
            withheld: 0,
        }
    }
}

//! Scores of purchases: how recent, how frequent, how much.

use crate::shared::text_enum;

text_enum!(
    /// One of the three scores.
    RfmScore {
        /// How recent the last purchase is.
        Recency = "recency",
        /// How many there were.
        Frequency = "frequency",
        /// What they come to.
        Monetary = "monetary",
    }
);

text_enum!(
    /// The usual names for scores.
    RfmCell {
        /// Buy often, much, and lately.
        Champions = "champions",
        /// Buy often and much.
        Loyal = "loyal",
        /// Bought lately, and more than once.
        PotentialLoyalist = "potential_loyalist",
        /// Bought for the first time just now.
        New = "new",
        /// Bought for the first time a little while ago.
        Promising = "promising",
        /// In the middle of everything.
        NeedAttention = "need_attention",
        /// Bought little, and some time ago.
        AboutToSleep = "about_to_sleep",
        /// Bought often, and long ago.
        AtRisk = "at_risk",
        /// Bought most of all, and long ago.
        CannotLose = "cannot_lose",
        /// Bought little, and long ago.
        Hibernating = "hibernating",
        /// The least in everything.
        Lost = "lost",
    }
);

/// The scores of a buyer, each from 1 to 5, the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RfmScores {
    /// How recent.
    pub recency: u8,
    /// How frequent.
    pub frequency: u8,
    /// How much.
    pub monetary: u8,
}

impl RfmScores {
    /// One of the scores.
    pub const fn of(self, score: RfmScore) -> u8 {
        match score {
            RfmScore::Recency => self.recency,
            RfmScore::Frequency => self.frequency,
            RfmScore::Monetary => self.monetary,
        }
    }

    /// The cell, by recency and by the mean of the other two, rounded up.
    pub const fn cell(self) -> RfmCell {
        let worth = (self.frequency + self.monetary).div_ceil(2);
        match (self.recency, worth) {
            (0..=1, 0..=1) => RfmCell::Lost,
            (0..=2, 0..=2) => RfmCell::Hibernating,
            (0..=2, 3..=4) => RfmCell::AtRisk,
            (0..=2, _) => RfmCell::CannotLose,
            (3, 0..=2) => RfmCell::AboutToSleep,
            (3, 3) => RfmCell::NeedAttention,
            (3..=4, 4..) => RfmCell::Loyal,
            (4, 0..=1) => RfmCell::Promising,
            (5.., 0..=1) => RfmCell::New,
            (4.., 2..=3) => RfmCell::PotentialLoyalist,
            (5.., _) => RfmCell::Champions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_its_scores() {
        let cell = |recency, worth| {
            let scores = RfmScores {
                recency,
                frequency: worth,
                monetary: worth,
            };
            scores.cell().as_str()
        };
        let rows: Vec<Vec<_>> = (1..=5)
            .map(|r| (1..=5).map(|w| cell(r, w)).collect())
            .collect();
        let (h, a, p) = ("hibernating", "at_risk", "potential_loyalist");
        assert_eq!(
            rows,
            [
                vec!["lost", h, a, a, "cannot_lose"],
                vec![h, h, a, a, "cannot_lose"],
                vec![
                    "about_to_sleep",
                    "about_to_sleep",
                    "need_attention",
                    "loyal",
                    "loyal"
                ],
                vec!["promising", p, p, "loyal", "loyal"],
                vec!["new", p, p, "champions", "champions"],
            ]
        );
    }

    #[test]
    fn the_mean_of_frequency_and_money_is_rounded_up() {
        let scores = RfmScores {
            recency: 5,
            frequency: 5,
            monetary: 2,
        };
        assert_eq!(scores.cell(), RfmCell::Champions);
    }
}

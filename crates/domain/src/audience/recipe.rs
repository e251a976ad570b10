//! What an audience is made of, where it is made of others: who of their members belongs to it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::customer::Amount;

/// Most audiences that take part, and most parts of a split.
pub const MAX_PARTS: usize = 20;
/// All of a hundred percent, in millionths of one.
const ALL: i64 = 100_000_000;

/// Who belongs to audiences that are made of others. The others are kept beside it, in the order in which
/// they were named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// Whoever is in one of them.
    Union,
    /// Whoever is in all of them.
    Intersection,
    /// Whoever is in the first and in none of the others.
    Difference,
    /// A share of the one.
    Share {
        /// Decides who is drawn.
        seed: String,
        /// How much.
        percent: Percent,
    },
    /// So many of the one.
    Count {
        /// Decides who is drawn.
        seed: String,
        /// How many.
        count: u64,
    },
    /// Parts of the one, which share nobody.
    Split {
        /// Decides who is drawn.
        seed: String,
        /// How much each has.
        parts: Vec<Percent>,
    },
}

/// More than nothing and at most all, in millionths of one percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(i64);

impl Percent {
    /// A percentage above 0, up to 100.
    pub fn new(amount: Amount) -> Option<Self> {
        let millionths = amount.millionths();
        (1..=ALL).contains(&millionths).then_some(Self(millionths))
    }

    /// Whether these come to no more than all.
    pub fn fit(parts: &[Self]) -> bool {
        parts.iter().map(|part| part.0).sum::<i64>() <= ALL
    }
}

/// A place in the order in which people are drawn: the same for one person and one seed, whenever it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Draw {
    hash: u64,
    key: String,
}

impl Draw {
    /// The place of the person with this key.
    pub fn of(seed: &str, key: &str) -> Self {
        let mut hash = Sha256::new();
        // So that no seed and key together are those of others.
        hash.update((seed.len() as u64).to_be_bytes());
        hash.update(seed.as_bytes());
        hash.update(key.as_bytes());
        let digest = hash.finalize();
        let first = digest.first_chunk::<8>().copied().unwrap_or_default();
        Self {
            hash: u64::from_be_bytes(first),
            key: key.to_owned(),
        }
    }

    /// Which of this many equal stretches of the order it lies in, from 0.
    pub fn stretch(&self, of: u32) -> u32 {
        let stretch = (u128::from(self.hash) * u128::from(of)) >> 64;
        u32::try_from(stretch).unwrap_or_default()
    }

    /// Its place in millionths of one percent, from 0.
    fn place(&self) -> i64 {
        let place = (u128::from(self.hash) * u128::from(ALL.unsigned_abs())) >> 64;
        i64::try_from(place).unwrap_or_default()
    }
}

impl Recipe {
    /// How many audiences it makes.
    pub fn makes(&self) -> usize {
        match self {
            Self::Split { parts, .. } => parts.len(),
            _ => 1,
        }
    }

    /// Which of the audiences that it makes has the person with this key, who is in those of the others for
    /// which `is_in` holds; the last one that is drawn is `last`, of [`Recipe::Count`].
    pub fn part_of(&self, key: &str, is_in: &[bool], last: Option<&Draw>) -> Option<usize> {
        let first = is_in.first().copied().unwrap_or_default();
        let holds = match self {
            Self::Union => is_in.contains(&true),
            Self::Intersection => !is_in.is_empty() && !is_in.contains(&false),
            Self::Difference => first && !is_in.get(1..).unwrap_or_default().contains(&true),
            Self::Share { seed, percent } => first && Draw::of(seed, key).place() < percent.0,
            Self::Count { seed, .. } => {
                first && last.is_some_and(|last| Draw::of(seed, key) <= *last)
            }
            Self::Split { seed, parts } => {
                let mut place = Draw::of(seed, key).place();
                return parts.iter().position(|part| {
                    place -= part.0;
                    first && place < 0
                });
            }
        };
        holds.then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> Percent {
        Percent::new(text.parse().unwrap()).unwrap()
    }

    fn keys() -> impl Iterator<Item = String> {
        (0..10_000).map(|n| format!("{n:05}"))
    }

    #[test]
    fn sets_are_what_their_names_say() {
        let (yes, no) = (Some(0), None);
        for (is_in, union, intersection, difference) in [
            (&[true, false, false][..], yes, no, yes),
            (&[false, true, false], yes, no, no),
            (&[true, true, true], yes, yes, no),
            (&[true, false, true], yes, no, no),
            (&[false, false, false], no, no, no),
            (&[true], yes, yes, yes),
            (&[], no, no, no),
        ] {
            let part = |recipe: Recipe| recipe.part_of("k", is_in, None);
            assert_eq!(part(Recipe::Union), union, "{is_in:?}");
            assert_eq!(part(Recipe::Intersection), intersection, "{is_in:?}");
            assert_eq!(part(Recipe::Difference), difference, "{is_in:?}");
        }
    }

    #[test]
    fn a_share_has_about_its_percentage_and_grows_with_it() {
        let share = |text: &str, seed: &str| {
            let recipe = Recipe::Share {
                seed: seed.to_owned(),
                percent: percent(text),
            };
            let drawn = keys().filter(|key| recipe.part_of(key, &[true], None).is_some());
            drawn.collect::<Vec<_>>()
        };
        let (ten, more) = (share("10", "a"), share("10.5", "a"));
        assert!((850..1_150).contains(&ten.len()), "{}", ten.len());
        assert!(ten.iter().all(|key| more.contains(key)));
        assert_eq!(ten, share("10", "a"));
        assert_ne!(ten, share("10", "b"));
        assert_eq!(share("100", "a").len(), 10_000);
    }

    #[test]
    fn parts_share_nobody_and_have_about_their_percentages() {
        let recipe = Recipe::Split {
            seed: "s".to_owned(),
            parts: vec![percent("50"), percent("20"), percent("10")],
        };
        let mut counts = [0_i64; 4];
        for key in keys() {
            counts[recipe.part_of(&key, &[true], None).unwrap_or(3)] += 1;
        }
        for (count, expected) in counts.into_iter().zip([5_000, 2_000, 1_000, 2_000]) {
            assert!((count - expected).abs() < 250, "{counts:?}");
        }
        let whole = Recipe::Split {
            seed: "s".to_owned(),
            parts: vec![percent("50"), percent("50")],
        };
        assert!(keys().all(|key| whole.part_of(&key, &[true], None).is_some()));
        assert_eq!(whole.part_of("k", &[false], None), None);
    }

    #[test]
    fn those_who_are_drawn_first_are_the_count() {
        let mut draws: Vec<Draw> = keys().map(|key| Draw::of("s", &key)).collect();
        draws.sort();
        let recipe = Recipe::Count {
            seed: "s".to_owned(),
            count: 100,
        };
        let last = draws.get(99);
        let drawn = keys().filter(|key| recipe.part_of(key, &[true], last).is_some());
        assert_eq!(drawn.count(), 100);
        assert_eq!(recipe.part_of("00001", &[true], None), None);
        assert!(draws.is_sorted_by_key(|draw| draw.stretch(1 << 16)));
    }

    #[test]
    fn draws_stay_what_they_are() {
        assert_eq!(Draw::of("s", "k").hash, Draw::of("s", "k").hash);
        assert_ne!(Draw::of("s", "k").hash, Draw::of("sk", "").hash);
        assert_eq!(Draw::of("natal", "12345678909").hash, PINNED);
    }

    /// The first eight bytes of the SHA-256 of the length of the seed, the seed and the key.
    const PINNED: u64 = 6_278_557_578_093_470_255;

    #[test]
    fn percentages_are_above_nothing_and_at_most_all() {
        for wrong in ["0", "-1", "100.000001"] {
            assert_eq!(Percent::new(wrong.parse().unwrap()), None, "{wrong}");
        }
        assert!(Percent::fit(&[percent("99.999999"), percent("0.000001")]));
        assert!(!Percent::fit(&[percent("100"), percent("0.000001")]));
    }
}

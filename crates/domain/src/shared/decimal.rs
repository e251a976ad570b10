//! Exact decimals of any length.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize, de::Error};
use serde_json::Number;

/// A decimal number: `0.digits` times ten to the power of `magnitude`.
#[derive(Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    magnitude: i64,
    /// Without zeros at either end; nothing for zero.
    digits: String,
}

impl Decimal {
    /// The number that a JSON number shows.
    pub(crate) fn of(number: &Number) -> Option<Self> {
        Self::parse(&number.to_string())
    }

    /// Reads what JSON and ISO write: `-12.50`, `.5`, `1.2e3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, number) = match text.strip_prefix(['-', '+']) {
            Some(number) => (text.starts_with('-'), number),
            None => (false, text),
        };
        let (number, exponent) = match number.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
            None => (number, 0),
        };
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (number, ""),
        };
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || number.is_empty() {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let magnitude = i64::try_from(whole.len()).ok()?.checked_sub(zeros)?;
        let digits = digits.trim_end_matches('0').to_owned();
        let zero = digits.is_empty();
        Some(Self {
            negative: negative && !zero,
            magnitude: if zero {
                0
            } else {
                magnitude.checked_add(exponent)?
            },
            digits,
        })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |n: &Self| (!n.digits.is_empty()).then_some(n.magnitude);
        let sizes = || size(self).cmp(&size(other));
        let by_size = || sizes().then_with(|| self.digits.cmp(&other.digits));
        match (self.negative, other.negative) {
            (false, false) => by_size(),
            (true, true) => by_size().reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// In a form that [`Decimal::parse`] reads.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}0.{}0e{}", self.digits, self.magnitude)
    }
}

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a decimal"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_equal_by_value() {
        for (a, b) in [
            ("10", "+10.00"),
            ("1e3", "1000"),
            ("0.0012", "12E-4"),
            (".5", "0.50"),
            ("-0", "0e99"),
            ("007", "7"),
            ("1e400", "10e399"),
        ] {
            assert!(of(a) == of(b), "{a} {b}");
        }
        for (low, high) in [
            ("-1e400", "-1"),
            ("-2", "-1.5"),
            ("-1", "0"),
            ("0", "1e-400"),
            ("9", "10"),
            ("0.1", "0.1000000000000000055"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567891",
            ),
        ] {
            assert!(of(low) < of(high), "{low} {high}");
        }
        for none in [
            "",
            "-",
            "+",
            ".",
            "5.",
            "1.2.3",
            "1e",
            "e5",
            "1e1.5",
            "--1",
            "1_0",
            "1e99999999999999999999",
        ] {
            assert!(Decimal::parse(none).is_none(), "{none}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_numbers(a in any::<i64>(), b in any::<i64>(), places in 0_u32..12) {
            let scaled = |n: i64| of(&format!("{n}e-{places}"));
            prop_assert_eq!(scaled(a).cmp(&scaled(b)), a.cmp(&b));
        }

        #[test]
        fn the_stored_form_is_read_back(text in "-?[0-9]{1,40}(\\.[0-9]{1,40})?(e-?[0-9]{1,4})?") {
            prop_assert!(of(&of(&text).to_string()) == of(&text));
        }
    }
}

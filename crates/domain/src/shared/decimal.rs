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

    /// `number` by ten to the power of `places`.
    pub(crate) fn scaled(number: i64, places: u32) -> Self {
        let all = number.unsigned_abs().to_string();
        let digits = all.trim_end_matches('0').to_owned();
        let magnitude = i64::try_from(all.len()).unwrap_or_default() - i64::from(places);
        Self {
            negative: number < 0,
            magnitude: if digits.is_empty() { 0 } else { magnitude },
            digits,
        }
    }

    /// A text of ASCII whose order by bytes is that of numbers: for stores that compare texts.
    ///
    /// Sign, then the sign, length and digits of the magnitude, then the digits. A negative number is the
    /// mirror image of its absolute value, closed by a character above all others.
    pub fn sort_key(&self) -> String {
        if self.digits.is_empty() {
            return "1".into();
        }
        let magnitude = self.magnitude.unsigned_abs().to_string();
        let length = |n: usize| u8::try_from(n).unwrap_or(20);
        let positive = if self.magnitude < 0 {
            let length = char::from(b'z' - length(magnitude.len()));
            let mirrored: String = magnitude
                .bytes()
                .map(|b| char::from(b'0' + b'9' - b))
                .collect();
            format!("n{length}{mirrored}{}", self.digits)
        } else {
            let length = char::from(b'a' + length(magnitude.len()));
            format!("p{length}{magnitude}{}", self.digits)
        };
        if self.negative {
            let mirrored: String = positive.bytes().map(|b| char::from(0x9e - b)).collect();
            format!("0{mirrored}~")
        } else {
            format!("2{positive}")
        }
    }

    /// The greatest whole number of millionths that is no more than this, as far as 64 bits reach, and
    /// whether it is this.
    pub fn millionths(&self) -> (i64, bool) {
        const PLACES: i64 = 6;
        let whole = self.magnitude.saturating_add(PLACES);
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let (floor, exact) = if self.digits.is_empty() {
            (0, true)
        } else if whole > 18 {
            (i64::MAX, false)
        } else if whole <= 0 {
            (0, false)
        } else {
            let kept = usize::try_from(whole.min(length)).unwrap_or_default();
            let zeros = usize::try_from((whole - length).max(0)).unwrap_or_default();
            let digits = self.digits.get(..kept).unwrap_or_default();
            let number = format!("{digits}{}", "0".repeat(zeros)).parse();
            (number.unwrap_or(i64::MAX), length <= whole)
        };
        match (self.negative, exact) {
            (false, _) => (floor, exact),
            (true, true) => (-floor, true),
            (true, false) => (
                floor
                    .checked_neg()
                    .map_or(i64::MIN, |n| n.saturating_sub(1)),
                false,
            ),
        }
    }

    /// As other programs write it: `-12.5`, or with an exponent where it is very large or small.
    pub fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if self.digits.is_empty() {
            return "0".into();
        }
        if !(-40..=40).contains(&self.magnitude) {
            return format!("{sign}0.{}e{}", self.digits, self.magnitude);
        }
        if self.magnitude <= 0 {
            let zeros = usize::try_from(-self.magnitude).unwrap_or_default();
            return format!("{sign}0.{}{}", "0".repeat(zeros), self.digits);
        }
        let whole = usize::try_from(self.magnitude.min(length)).unwrap_or_default();
        let zeros = usize::try_from((self.magnitude - length).max(0)).unwrap_or_default();
        let (before, after) = self
            .digits
            .split_at_checked(whole)
            .unwrap_or((&self.digits, ""));
        let point = if after.is_empty() { "" } else { "." };
        format!("{sign}{before}{}{point}{after}", "0".repeat(zeros))
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
        fn sort_keys_have_the_order_of_numbers(
            a in "-?[0-9]{1,25}(\\.[0-9]{1,25})?(e-?[0-9]{1,3})?",
            b in "-?[0-9]{1,25}(\\.[0-9]{1,25})?(e-?[0-9]{1,3})?",
        ) {
            let (a, b) = (of(&a), of(&b));
            prop_assert_eq!(a.sort_key().cmp(&b.sort_key()), a.cmp(&b));
            prop_assert!(of(&a.plain()) == a);
        }

        #[test]
        fn near_numbers_are_in_order(a in -3000_i64..3000, b in -3000_i64..3000, places in 0_u32..5) {
            let (x, y) = (Decimal::scaled(a, places), Decimal::scaled(b, places));
            prop_assert_eq!(x.sort_key().cmp(&y.sort_key()), a.cmp(&b));
        }

        #[test]
        fn millionths_are_rounded_down(number in any::<i64>(), places in 0_u32..30) {
            let (floor, exact) = Decimal::scaled(number, places).millionths();
            let wide = i128::from(number) * 1_000_000;
            let by = 10_i128.pow(places);
            let wanted = wide.div_euclid(by).clamp(i64::MIN.into(), i64::MAX.into());
            if wanted.unsigned_abs() < 1_000_000_000_000_000_000 {
                prop_assert_eq!(i128::from(floor), wanted);
                prop_assert_eq!(exact, wide % by == 0);
            }
        }

        #[test]
        fn the_stored_form_is_read_back(text in "-?[0-9]{1,40}(\\.[0-9]{1,40})?(e-?[0-9]{1,4})?") {
            prop_assert!(of(&of(&text).to_string()) == of(&text));
        }
    }
}

//! Exact amounts.

use std::fmt;

use serde_json::Value;

use crate::shared::{Decimal, text_serde};

/// Decimal places that are kept.
const PLACES: usize = 6;
/// One unit in steps of the last place.
const UNIT: u64 = 1_000_000;
/// Digits before the point.
const MAX_WHOLE: usize = 12;
/// Significant digits that survive a JSON reader which turns numbers into binary fractions.
const EXACT_DIGITS: usize = 15;

/// Why a value is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Neither a number nor a text of digits with at most one point.
    #[error("an amount is a decimal such as \"129.90\"")]
    Malformed,
    /// Too many digits before or after the point.
    #[error("an amount has at most 12 digits before the point and 6 after it")]
    OutOfRange,
    /// A JSON number that readers round.
    #[error("an amount of more than 15 digits must be sent as a string")]
    NotExact,
}

/// An exact decimal with up to twelve digits before the point and six after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

text_serde!(Amount);

impl std::str::FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::from_text(text)
    }
}

impl Amount {
    /// In millionths, as a store keeps it.
    pub const fn from_millionths(raw: i64) -> Self {
        Self(raw)
    }

    /// In millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The number that it is.
    pub fn decimal(self) -> Decimal {
        Decimal::scaled(self.0, 6)
    }

    /// Reads a string or a JSON number.
    ///
    /// # Errors
    /// When it is neither, out of range, or a number that cannot be trusted to be exact.
    pub fn parse(value: &Value) -> Result<Self, AmountError> {
        match value {
            Value::String(text) => Self::from_text(text),
            Value::Number(number) => {
                let text = number.to_string();
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                let amount = Self::from_text(text.strip_suffix(".0").unwrap_or(&text))?;
                match digits <= EXACT_DIGITS || number.is_i64() {
                    true => Ok(amount),
                    false => Err(AmountError::NotExact),
                }
            }
            _ => Err(AmountError::Malformed),
        }
    }

    fn from_text(text: &str) -> Result<Self, AmountError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return Err(AmountError::Malformed);
        }
        if whole.len() > MAX_WHOLE || fraction.len() > PLACES {
            return Err(AmountError::OutOfRange);
        }
        let number: i64 = format!("{whole}{fraction:0<PLACES$}")
            .parse()
            .map_err(|_| AmountError::OutOfRange)?;
        Ok(Self(if negative { -number } else { number }))
    }
}

/// The shortest decimal.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let number = self.0.unsigned_abs();
        write!(f, "{}", number / UNIT)?;
        match number % UNIT {
            0 => Ok(()),
            rest => {
                let places = format!("{rest:0PLACES$}");
                write!(f, ".{}", places.trim_end_matches('0'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn shown(value: &Value) -> Result<String, AmountError> {
        Amount::parse(value).map(|amount| amount.to_string())
    }

    #[test]
    fn strings_and_numbers_are_exact() {
        for (value, text) in [
            (json!("129.90"), "129.9"),
            (json!(129.9), "129.9"),
            (json!(0.1), "0.1"),
            (json!(5), "5"),
            (json!(5.0), "5"),
            (json!("-0.000001"), "-0.000001"),
            (json!("-0"), "0"),
            (json!("007"), "7"),
            (json!("999999999999.999999"), "999999999999.999999"),
            (json!(999_999_999_999_i64), "999999999999"),
        ] {
            assert_eq!(shown(&value), Ok(text.to_owned()), "{value}");
        }
    }

    #[test]
    fn what_is_no_exact_decimal_is_refused() {
        for bad in [
            "", "-", ".", "1.", ".5", "1,5", "+1", " 1", "1e3", "--1", "NaN", "１",
        ] {
            assert_eq!(shown(&json!(bad)), Err(AmountError::Malformed), "{bad:?}");
        }
        for bad in [json!(null), json!(true), json!([1]), json!(1e300)] {
            assert!(shown(&bad).is_err(), "{bad}");
        }
        for bad in ["1000000000000", "0.0000001"] {
            assert_eq!(shown(&json!(bad)), Err(AmountError::OutOfRange), "{bad}");
        }
        assert_eq!(
            shown(&json!(12_345_678_901.234_562_f64)),
            Err(AmountError::NotExact)
        );
    }

    proptest! {
        #[test]
        fn every_amount_reads_back(raw in -999_999_999_999_999_999_i64..=999_999_999_999_999_999) {
            let amount = Amount::from_millionths(raw);
            prop_assert_eq!(Amount::parse(&json!(amount.to_string())), Ok(amount));
        }
    }
}

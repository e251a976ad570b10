//! What an expression compares with.

use serde_json::{Number, Value};

use super::{
    super::{Bound, Notation},
    lexer::{Fault, Place, Read},
};
use crate::shared::Decimal;

/// A literal, as the values of conditions are given.
#[derive(Clone)]
pub(super) struct Literal {
    pub(super) value: Value,
    /// Whether it was written as a date or an instant.
    pub(super) dated: bool,
    pub(super) place: Place,
}

impl Literal {
    pub(super) fn plain(value: impl Into<Value>, place: Place) -> Self {
        Self {
            value: value.into(),
            dated: false,
            place,
        }
    }

    /// Comparing with NULL decides nothing.
    pub(super) fn known(&self) -> Read<()> {
        let detail = "a comparison with NULL never holds: use IS NULL or IS NOT NULL";
        let known = !self.value.is_null();
        known
            .then_some(())
            .ok_or_else(|| Fault::new(self.place, detail))
    }

    /// A number that JSON keeps without loss.
    pub(super) fn number(digits: &str, negative: bool, place: Place) -> Read<Self> {
        let sign = if negative { "-" } else { "" };
        let exact = Decimal::parse(&format!("{sign}{digits}"))
            .ok_or_else(|| Fault::new(place, "is no number of the form 12, 1.5 or 1e3"))?;
        let number: Option<Number> = serde_json::from_str(&exact.plain()).ok();
        let kept = number.filter(|number| Decimal::of(number).as_ref() == Some(&exact));
        let detail = "has more digits than numbers are kept with";
        let kept = kept.ok_or_else(|| Fault::new(place, detail))?;
        Ok(Self::plain(kept, place))
    }

    /// `DATE '…'`: a day.
    pub(super) fn day(text: &str, place: Place, notation: &Notation) -> Read<Self> {
        let wrong = || Fault::new(place, "must be a day of the form YYYY-MM-DD");
        let day = Some(text).filter(|text| text.len() == DAY);
        day.and_then(|text| Self::dated(text, place, notation))
            .ok_or_else(wrong)
    }

    /// `TIMESTAMP '…'`: an instant. A day is its first one.
    pub(super) fn instant(text: &str, place: Place, notation: &Notation) -> Read<Self> {
        let form = "must be of the form YYYY-MM-DD HH:MM:SS, with or without an offset as -03:00";
        let midnight = format!("{text} 00:00");
        let text = if text.len() == DAY { &midnight } else { text };
        Self::dated(text, place, notation).ok_or_else(|| Fault::new(place, form))
    }

    fn dated(text: &str, place: Place, notation: &Notation) -> Option<Self> {
        let bytes = text.as_bytes();
        let iso = bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
        (iso && Bound::date(text, notation).is_some()).then(|| Self {
            dated: true,
            ..Self::plain(text, place)
        })
    }
}

/// Characters of a day.
const DAY: usize = "YYYY-MM-DD".len();

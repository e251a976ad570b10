//! Phone numbers in E.164: libphonenumber's rules for region BR, then some of our own.
//!
//! The crate `phonenumber` has libphonenumber's tables, and they decide about foreign numbers. It does
//! not read as libphonenumber does: it knows neither full-width digits nor `00` nor a carrier after
//! `+55`, takes prefixes for national ones that are none (`+7 800`), and is content with the beginning
//! of a number; and its tables are slow where nearly all numbers are Brazilian. So a cell is read here
//! (`text`), and so is the Brazilian plan (`brazil`). `phones.tsv` has the answer of libphonenumber
//! 9.0.43 to cells of every kind beside ours, and says why where they differ.

mod brazil;
mod text;
mod unicode;

#[cfg(test)]
mod tests;

use phonenumber::{
    Metadata, Mode, Type,
    metadata::{DATABASE, Descriptor},
};

use text::Dialled;

/// Kinds of numbers that people have.
const TYPES: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

/// Carriers that libphonenumber knows between `00` and a country code.
const CARRIERS: [&str; 13] = [
    "12", "14", "15", "21", "22", "23", "25", "31", "41", "43", "55", "65", "99",
];

/// A phone number as kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// E.164, or the trimmed text where it is no valid number.
    pub value: String,
    /// Whether it is a valid number.
    pub valid: bool,
}

/// Normalises a number; without a country code it is Brazilian.
pub fn normalise_phone(text: &str) -> Phone {
    let text = text.trim();
    let number = text::read(text).and_then(|dialled| e164(&dialled));
    let valid = number.is_some();
    Phone {
        value: number.unwrap_or_else(|| text.to_owned()),
        valid,
    }
}

fn e164(dialled: &Dialled) -> Option<String> {
    let digits = dialled.digits.as_str();
    if dialled.plus {
        return international(digits);
    }
    // Whatever follows `00` is international: nothing that begins so is dialled within Brazil.
    if let Some(rest) = digits.strip_prefix("00") {
        let carried = |carrier| foreign(rest.strip_prefix(carrier)?);
        let carried = || CARRIERS.into_iter().find_map(carried);
        return international(rest).or_else(carried);
    }
    let coded = || match digits.len() {
        12.. => brazil::national(digits.strip_prefix("55")?),
        _ => None,
    };
    brazil::national(digits).or_else(coded).map(brazilian)
}

fn international(digits: &str) -> Option<String> {
    match digits.strip_prefix("55") {
        Some(national) => brazil::national(national).map(brazilian),
        None => foreign(digits),
    }
}

fn brazilian(national: String) -> String {
    format!("+55{national}")
}

/// A number of another country, by libphonenumber's tables. `parse` of the crate takes a national prefix
/// away that is none (`+7 800`), and its `is_valid` is content with the beginning of a number; it is
/// asked where the digits as they are make no number, for what it knows of prefixes (`+44 (0)20`).
fn foreign(digits: &str) -> Option<String> {
    let possible = (7..=15).contains(&digits.len());
    if !possible || digits.starts_with('0') || digits.starts_with("55") {
        return None;
    }
    if is_number(digits) {
        return Some(format!("+{digits}"));
    }
    let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
    let value = number.format().mode(Mode::E164).to_string();
    value
        .strip_prefix('+')
        .is_some_and(is_number)
        .then_some(value)
}

/// Whether digits are a valid number of the country whose code they begin with.
fn is_number(digits: &str) -> bool {
    let split = |length| {
        let (code, national) = digits.split_at_checked(length)?;
        Some((DATABASE.by_code(&code.parse::<u16>().ok()?)?, national))
    };
    let Some((countries, national)) = (1..=3).find_map(split) else {
        return false;
    };
    let whole = |of: &Descriptor| {
        let found = of.national_number().find(national);
        of.is_match(national) && found.is_some_and(|found| found.end() == national.len())
    };
    let is_of = |country: &Metadata| {
        let kinds = country.descriptors();
        whole(kinds.general()) && TYPES.iter().any(|kind| kinds.get(*kind).is_some_and(whole))
    };
    countries.into_iter().any(is_of)
}

//! Phone numbers in E.164.

/// A phone number as kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// E.164, or the trimmed text where it cannot be parsed.
    pub value: String,
    /// Whether it is a possible number of its country.
    pub valid: bool,
}

/// Normalises a number; without a country code it is Brazilian.
///
/// Brazilian numbers take a path of their own, so the metadata of other countries is loaded only
/// when one of theirs is met.
pub fn normalise_phone(text: &str) -> Phone {
    let text = text.trim();
    let (international, rest) = text
        .strip_prefix('+')
        .map_or((false, text), |rest| (true, rest));
    let separators = |c: char| matches!(c, ' ' | '\u{a0}' | '(' | ')' | '-' | '.' | '/');
    let raw = || Phone {
        value: text.to_owned(),
        valid: false,
    };
    if !rest.chars().all(|c| c.is_ascii_digit() || separators(c)) {
        return raw();
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if international && !digits.starts_with("55") {
        return foreign(&digits).unwrap_or_else(raw);
    }
    brazilian(&digits, international).unwrap_or_else(raw)
}

fn brazilian(digits: &str, international: bool) -> Option<Phone> {
    let national = match digits.len() {
        12 | 13 => digits.strip_prefix("55").or_else(|| trunk(digits))?,
        _ if international => return None,
        10 => digits,
        11 => digits.strip_prefix('0').unwrap_or(digits),
        14 => trunk(digits)?,
        _ => return None,
    };
    let bytes = national.as_bytes();
    let area = bytes.iter().take(2).all(|b| matches!(b, b'1'..=b'9'));
    let valid = match (bytes.len(), bytes.get(2)?) {
        (11, first) => *first == b'9',
        (10, first) => matches!(first, b'2'..=b'5'),
        _ => return None,
    };
    area.then(|| Phone {
        value: format!("+55{national}"),
        valid,
    })
}

/// Without the trunk prefix: `0` and the area code, or `0`, a carrier of two digits, the area code.
fn trunk(digits: &str) -> Option<&str> {
    let rest = digits.strip_prefix('0')?;
    if rest.len() <= 11 {
        Some(rest)
    } else {
        rest.get(2..)
    }
}

fn foreign(digits: &str) -> Option<Phone> {
    if !(7..=15).contains(&digits.len()) {
        return None;
    }
    let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
    let value = number.format().mode(phonenumber::Mode::E164).to_string();
    Some(Phone {
        value,
        valid: number.is_valid(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (String, bool) {
        let phone = normalise_phone(text);
        (phone.value, phone.valid)
    }

    #[test]
    fn brazilian_numbers_in_every_spelling() {
        for text in [
            "(11) 98765-4321",
            "11987654321",
            "5511987654321",
            "+55 11 98765-4321",
            "011 98765.4321",
            "0 15 11 98765-4321",
            " +5511987654321\u{a0}",
        ] {
            assert_eq!(of(text), ("+5511987654321".into(), true), "{text}");
        }
        for text in ["(11) 3456-7890", "551134567890", "01134567890"] {
            assert_eq!(of(text), ("+551134567890".into(), true), "{text}");
        }
        assert_eq!(of("55987654321"), ("+5555987654321".into(), true));
    }

    #[test]
    fn doubtful_numbers_are_kept_and_marked() {
        assert_eq!(of("1187654321"), ("+551187654321".into(), false));
        assert_eq!(of("11887654321"), ("+5511887654321".into(), false));
        for text in [
            "10987654321",
            "12345",
            "abc",
            "+",
            "",
            "+55",
            "+55 12",
            "119876543210000",
        ] {
            assert_eq!(of(text), (text.to_owned(), false), "{text}");
        }
    }

    #[test]
    fn other_countries_need_their_code() {
        assert_eq!(of("+1 (415) 555-2671"), ("+14155552671".into(), true));
        assert_eq!(of("+351 912 345 678"), ("+351912345678".into(), true));
        assert_eq!(of("+999 123 4567"), ("+999 123 4567".into(), false));
    }
}

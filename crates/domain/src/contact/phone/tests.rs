use proptest::prelude::*;

use super::*;

fn of(text: &str) -> (String, bool) {
    let Phone { value, valid } = normalise_phone(text);
    (value, valid)
}

/// A row of the table: cell, libphonenumber's answer, ours, why they differ.
fn row(line: &str) -> (String, &str, &str, Option<&str>) {
    let mut columns = line.split('\t').skip(1);
    let mut next = || {
        columns
            .next()
            .unwrap_or_else(|| panic!("a column is missing: {line}"))
    };
    let (cell, theirs, ours) = (next(), next(), next());
    (
        serde_json::from_str(cell).unwrap(),
        theirs,
        ours,
        columns.next(),
    )
}

#[test]
fn the_table_says_what_is_answered_and_why_it_differs_from_libphonenumber() {
    let table = include_str!("phones.tsv");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let (cell, theirs, ours, why) = row(line);
        let expected = match ours {
            "-" => (cell.trim().to_owned(), false),
            number => (number.to_owned(), true),
        };
        assert_eq!(of(&cell), expected, "{line}");
        assert_eq!(why.is_some(), theirs != ours, "{line}");
        assert!(why.is_none_or(|why| why.len() > 20), "{line}");
        count += 1;
    }
    assert!(count >= 200, "{count}");
}

#[test]
fn foreign_numbers_are_judged_whole() {
    for (text, valid) in [
        ("+78001234567", true),
        ("+7 912 345-67-89", true),
        ("+47 05012345", false),
        ("+31140200", false),
    ] {
        assert_eq!(of(text).1, valid, "{text}");
    }
}

fn is_e164(value: &str) -> bool {
    let digits = value.strip_prefix('+').unwrap_or_default();
    // South Africa has numbers of five digits: +27 81000.
    (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Cells that look like numbers, more or less.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+]?[0-9 ().x/-]{0,24}",
        "(tel:)?[+]?(00)?[0-9]{0,15}([ ,;/#-]|ext|ramal|x| e )?[0-9]{0,5}",
        "\\PC{0,20}",
        "[0-9+\u{200b}\u{ff10}-\u{ff19}\u{660}-\u{669}\u{2010}-\u{2015} ]{0,20}",
    ]
}

proptest! {
    #[test]
    fn a_value_is_e164_or_the_text_and_stays(text in cell()) {
        let (value, valid) = of(&text);
        match valid {
            true => prop_assert!(is_e164(&value), "{value}"),
            false => prop_assert_eq!(&value, text.trim()),
        }
        prop_assert_eq!(of(&value), (value, valid));
    }

    #[test]
    fn no_brazilian_number_comes_from_a_foreign_one(
        sign in prop_oneof![Just("+"), Just("00"), Just("+ "), Just("00 "), Just("(+"), Just("tel:+")],
        rest in "[1-9][0-9 ().-]{5,16}",
    ) {
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        prop_assume!(!digits.starts_with("55"));
        let (value, valid) = of(&format!("{sign}{rest}"));
        prop_assert!(!valid || !value.starts_with("+55"), "{value}");
    }

    #[test]
    fn a_mobile_is_the_same_in_every_spelling(
        area in prop_oneof![Just("11"), Just("27"), Just("38"), Just("55"), Just("79"), Just("99")],
        number in "[6-9][0-9]{7}",
        sign in prop_oneof![Just(""), Just("0"), Just("55 "), Just("+55 "), Just("0055 "), Just("+55 0"), Just("015 ")],
        nine in prop_oneof![Just("9"), Just("9 "), Just("")],
        gap in prop_oneof![Just(""), Just(" "), Just("-"), Just("."), Just("\u{2011}"), Just("\u{200b}")],
    ) {
        let (head, tail) = number.split_at(4);
        let text = format!("{sign}({area}) {nine}{head}{gap}{tail}");
        prop_assert_eq!(of(&text), (format!("+55{area}9{number}"), true), "{}", text);
    }
}

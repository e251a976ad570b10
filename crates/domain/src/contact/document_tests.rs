use proptest::prelude::*;

use super::*;

fn key(text: &str) -> String {
    Document::parse(text).unwrap().0
}

fn facts(text: &str) -> (DocumentKind, bool) {
    let document = Document::parse(text).unwrap();
    (document.kind(), document.valid())
}

#[test]
fn separators_go_only_from_their_places() {
    for cpf in [
        "12345678900",
        "123.456.789-00",
        "123-456-789-00",
        "123456789-00",
        "123 456 789 00",
        "123/456.789 00",
        "\u{2003}123.456.789-00 ",
    ] {
        assert_eq!(key(cpf), "12345678900", "{cpf:?}");
    }
    for cnpj in [
        "12ABC34501DE35",
        "12.abc.345/01de-35",
        "12 ABC 345 01DE 35",
        "12abc34501de-35",
    ] {
        assert_eq!(key(cnpj), "12ABC34501DE35", "{cnpj:?}");
    }
    for other in [
        "12-3",
        "1-23",
        "1234567890.0",
        "12.345.678-900",
        "123..456.789-00",
        "-12345678900",
        "12345678900.",
        "11.222.333.000181-",
        "112.22333/0001-81",
    ] {
        assert_eq!(key(other), other);
    }
    assert_eq!(key("e\u{301}-1"), "É-1");
}

#[test]
fn what_cannot_be_seen_and_other_forms_make_no_other_person() {
    for text in [
        "12345678909\u{200b}",
        "\u{feff}12345678909",
        "\u{202a}12345678909\u{202c}",
        "123\u{ad}456\u{2060}78909",
        "\u{200b} 12345678909\t\r\n",
        "123.456.789\u{2010}09",
        "123.456.789\u{2011}09",
        "123.456.789\u{2013}09",
        "123.456.789\u{2212}09",
        "123\u{a0}456\u{202f}789\u{2009}09",
        "\u{3000}１２３．４５６．７８９－０９",
        "123\u{7f}4567\u{85}8909",
    ] {
        assert_eq!(key(text), "12345678909", "{text:?}");
    }
    assert_eq!(key("ＡＢ\u{a0}１"), "AB 1");
    assert_eq!(key("e\u{200b}\u{301}1"), "É1");
}

#[test]
fn shortened_numbers_are_refused() {
    for text in [
        "1,23457E+10",
        "1.23457E+10",
        "1.23457e10",
        "1E+11",
        "-1,2E-05",
        " １,23457E+10\u{200b}",
    ] {
        assert_eq!(
            Document::parse(text),
            Err(DocumentError::Shortened),
            "{text}"
        );
    }
    for text in ["12E5", "E+10", "1,2E", "1.2.3E+1", "A1,2E+1", "1,2EX"] {
        assert!(Document::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn check_digits_are_computed() {
    assert_eq!(facts("123.456.789-00"), (DocumentKind::Cpf, false));
    assert_eq!(facts("123.456.789-09"), (DocumentKind::Cpf, true));
    assert_eq!(facts("000.000.000-00"), (DocumentKind::Cpf, false));
    assert_eq!(facts("12ABC34501DE35"), (DocumentKind::Cnpj, true));
    assert_eq!(facts("12ABC34501DE36"), (DocumentKind::Cnpj, false));
    assert_eq!(facts("11.222.333/0001-81"), (DocumentKind::Cnpj, true));
    assert_eq!(facts("00000000000000"), (DocumentKind::Cnpj, false));
    assert_eq!(facts("AB-1"), (DocumentKind::Other, true));
}

#[test]
fn bounds_and_masks() {
    for blank in ["", " \u{a0}", "\u{200b}\u{feff}", "\t\r\n"] {
        assert_eq!(Document::parse(blank), Err(DocumentError::Empty));
    }
    assert_eq!(Document::parse("1\u{0}"), Err(DocumentError::Nul));
    assert_eq!(
        Document::parse(&"é".repeat(65)),
        Err(DocumentError::TooLong)
    );
    assert!(Document::parse(&"é".repeat(64)).is_ok());
    assert!(Document::parse(&format!("{}\u{200b}", "1".repeat(64))).is_ok());
    let document = Document::parse("12345678900").unwrap();
    assert_eq!(document.masked(), "********900");
    assert!(!format!("{document:?}").contains('9'));
    assert_eq!(Document::parse("12").unwrap().masked(), "**");
}

/// Characters that must not tell people apart, wherever they stand in a document.
const UNSEEN: &str = "[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2064}\u{ad}\u{feff}\u{fe0f}\u{34f}\u{3164}\t\r\n\u{85}]{0,3}";
const SPACES: &str = "[ \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{202f}\u{205f}\u{3000}]{0,3}";
const HYPHEN: &str = "[-\u{2010}-\u{2015}\u{2212}\u{fe58}\u{fe63}\u{ff0d}\u{58a}\u{30a0}]";

/// The characters of a text with something unseen before each and at the end.
fn spread(text: &str, unseen: &[String]) -> String {
    let mut spread = String::new();
    let mut next = unseen.iter().cycle();
    for c in text.chars() {
        spread.push_str(next.next().unwrap());
        spread.push(c);
    }
    spread + next.next().unwrap()
}

proptest! {
    #[test]
    fn normalisation_is_idempotent(text in "\\PC{1,40}|[\\PC\u{200b}\u{301}\u{338}\u{345}ßŉ\\-./ ]{1,20}") {
        if let Ok(document) = Document::parse(&text) {
            prop_assert_eq!(Document::parse(document.as_str()), Ok(document));
        }
    }

    #[test]
    fn short_numbers_with_a_hyphen_stay_distinct(a in "[0-9]{1,4}", cut in 1usize..4, b in 1usize..4) {
        prop_assume!(cut < a.len() && b < a.len() && cut != b);
        let with = |at: usize| key(&format!("{}-{}", &a[..at], &a[at..]));
        prop_assert_ne!(with(cut), with(b));
    }

    #[test]
    fn texts_that_become_one_have_the_same_characters_but_for_separators(
        a in "[0-9A-C][0-9A-C./ -]{0,17}[0-9A-C]|[0-9]{3}[./ -]?[0-9]{3}[./ -]?[0-9]{3}[./ -]?[0-9]{2}",
        at in 0usize..20, separator in "[./ -]",
    ) {
        let bare = |text: &str| text.replace(['.', '-', '/', ' '], "");
        let mut b = bare(&a);
        b.insert_str(at.min(b.len()), &separator);
        let b = b.trim();
        if let (Ok(one), Ok(other)) = (Document::parse(&a), Document::parse(b)) {
            let stripped = |text: &str, key: &Document| key.as_str() != text;
            if one == other && a != b {
                // Only a CPF or a CNPJ loses separators, and then it has none left.
                prop_assert!(one.kind() != DocumentKind::Other);
                prop_assert!(stripped(&a, &one) || stripped(b, &other));
                prop_assert_eq!(one.as_str(), bare(&a));
            }
        }
    }

    #[test]
    fn different_digits_are_different_people(a in "[0-9]{1,16}", b in "[0-9]{1,16}") {
        prop_assert_eq!(key(&a) == key(&b), a == b);
    }

    #[test]
    fn nobody_is_split_by_what_cannot_be_seen(
        text in "[0-9A-Zé]{1,12}|[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}-[0-9]{2}|[A-Z]{2}-[0-9]{3}",
        unseen in prop::collection::vec(UNSEEN, 1..5), before in SPACES, after in SPACES, hyphen in HYPHEN,
    ) {
        let other = format!("{before}{}{after}", spread(&text, &unseen)).replace('-', &hyphen);
        prop_assert_eq!(key(&other), key(&text));
    }

    #[test]
    fn full_width_forms_are_the_same_person(text in "[!-~]{1,14}") {
        let wide: String = text.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        prop_assert_eq!(Document::parse(&wide), Document::parse(&text));
    }
}

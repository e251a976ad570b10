//! What is shown of numbers in each format.

use super::format::Format;
use super::number::text;

fn shown(stored: &str, code: &str) -> String {
    text(stored, &Format::of(code), false).into_owned()
}

#[test]
fn numbers_keep_their_digits() {
    for (stored, expected) in [
        ("12345678909", "12345678909"),
        ("1.2345678909E10", "12345678909"),
        ("12345678909.0", "12345678909"),
        ("5.511999990000E+12", "5511999990000"),
        ("00123", "00123"),
        ("12345678901234567890", "12345678901234567890"),
        ("0.30000000000000004", "0.3"),
        ("-1.5", "-1.5"),
        ("1E-3", "0.001"),
        (" 7 ", "7"),
        ("#N/A", "#N/A"),
        ("inf", "inf"),
        ("", ""),
    ] {
        assert_eq!(shown(stored, "General"), expected, "{stored}");
        assert_eq!(shown(stored, ""), expected, "{stored}");
    }
}

#[test]
fn padding_and_punctuation_show() {
    for (stored, code, expected) in [
        ("1234567890", "00000000000", "01234567890"),
        ("191", "00000000000", "00000000191"),
        ("1234567890", r"000\.000\.000\-00", "012.345.678-90"),
        ("191", r#"000"."000"."000"-"00"#, "000.000.001-91"),
        ("191", "000\\.000\\.000-00", "000.000.001-91"),
        ("191000145", r"00\.000\.000\/0000\-00", "00.000.191/0001-45"),
        ("11987654321", "(00) 00000-0000", "(11) 98765-4321"),
        ("5511987654321", "(00) 00000-0000", "(5511) 98765-4321"),
        ("5511987654321", "+00 00 00000-0000", "+55 11 98765-4321"),
        ("5511987654321", "\"+\"0", "+5511987654321"),
        ("11987654321", "\"+55 \"0", "+55 11987654321"),
        ("1310100", "00000\\-000;@", "01310-100"),
        ("7", "000\".\"000", "000.007"),
        ("7", "###-##", "-7"),
        ("7", "???-00", "-07"),
        ("1.2345678909E10", "00000000000", "12345678909"),
        ("7.5", "000", "008"),
        ("-7", "000", "-007"),
        ("-7", "000;(000)", "(007)"),
        ("-0.2", "000", "000"),
        ("0", "00", "00"),
        ("123", "[Red]\"CPF \"00000_)", "CPF 00123"),
        (
            "12345678",
            "[<=99999999]0000-0000;(00) 00000-0000",
            "1234-5678",
        ),
        (
            "11987654321",
            "[<=99999999]0000-0000;(00) 00000-0000",
            "(11) 98765-4321",
        ),
        ("5", "[>=10]00;[<5]000;0000", "0005"),
        ("5", "[<>5]00;0000", "0005"),
        ("5", "[=5]00;0000", "05"),
        ("12345678901234567890", "00-00", "123456789012345678-90"),
    ] {
        assert_eq!(shown(stored, code), expected, "{stored} in {code}");
    }
}

#[test]
fn quantities_stay_numbers() {
    for code in [
        "0",
        "#",
        "0.00",
        "#,##0.00",
        "#,##0;[Red]-#,##0",
        "0.00E+00",
        "# ?/?",
        "\"R$\" #,##0.00",
        "[$R$-416] #,##0.00",
        "_-\"R$\"\\ * #,##0.00_-;\\-\"R$\"\\ * #,##0.00_-;_-\"R$\"\\ * \"-\"??_-;_-@_-",
        "0 \"dias\"",
        "0_ ;[Red]\\-0\\ ",
        "@",
        "0\\d",
        "General\" kg\"",
    ] {
        for (stored, expected) in [
            ("12345678909", "12345678909"),
            ("1234.5", "1234.5"),
            ("-3", "-3"),
            ("0", "0"),
        ] {
            assert_eq!(shown(stored, code), expected, "{stored} in {code}");
        }
    }
}

#[test]
fn percentages_show() {
    for (stored, code, expected) in [
        ("0.15", "0%", "15%"),
        ("0.285", "0%", "29%"),
        ("0.125", "0.00%", "12.50%"),
        ("0.125", "0.0#%", "12.5%"),
        ("0.12", "0.##%", "12%"),
        ("-0.001", "0%", "0%"),
        ("-0.5", "0%", "-50%"),
        ("1", "0%", "100%"),
        ("0.125", "0%%", "13%"),
    ] {
        assert_eq!(shown(stored, code), expected, "{stored} in {code}");
    }
    let largest = shown("1E300", "0.0%");
    assert!(
        largest.len() == 306 && largest.ends_with(".0%"),
        "{largest}"
    );
    assert_eq!(text("0.5", &Format::built_in(9), false), "50%");
    assert_eq!(text("0.5", &Format::built_in(10), false), "50.00%");
}

#[test]
fn texts_stand_for_numbers() {
    let answer = "\"Sim\";\"?\";\"Não\"";
    assert_eq!(shown("1", answer), "Sim");
    assert_eq!(shown("0", answer), "Não");
    assert_eq!(shown("-1", answer), "-1");
    // Hidden numbers are not seen.
    assert_eq!(shown("5", ";;;"), "");
    assert_eq!(shown("0", "000;-000;;@"), "");
    assert_eq!(shown("5", "000;-000;;@"), "005");
}

#[test]
fn dates_are_iso() {
    for (stored, from_1904, expected) in [
        ("45352", false, "2024-03-01"),
        ("45352.5", false, "2024-03-01T12:00:00"),
        ("46053.5", false, "2026-01-31T12:00:00"),
        ("0.25", false, "06:00:00"),
        ("1", false, "1900-01-01"),
        ("61", false, "1900-03-01"),
        ("0", true, "1904-01-01"),
        ("43890", true, "2024-03-01"),
        ("-1", false, "-1"),
        ("99999999", false, "99999999"),
        ("1.5x", false, "1.5x"),
    ] {
        for code in [
            "dd/mm/yyyy",
            "dd/mm/yyyy;@",
            "[$-416]d mmm yy",
            "yyyy\\-mm",
            "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy",
            "m",
            "DD/MM/YYYY HH:MM",
        ] {
            let date = text(stored, &Format::of(code), from_1904);
            assert_eq!(date, expected, "{stored} in {code}");
        }
    }
    for id in [14, 17, 22, 27, 50, 58] {
        assert_eq!(text("45352", &Format::built_in(id), false), "2024-03-01");
    }
    assert_eq!(text("45352", &Format::built_in(1), false), "45352");
}

#[test]
fn times_and_durations_show() {
    for (stored, code, expected) in [
        ("0.75", "h:mm AM/PM", "18:00:00"),
        ("45352.25", "hh:mm", "06:00:00"),
        ("0.9999999", "mm:ss", "00:00:00"),
        ("-0.5", "hh:mm", "-0.5"),
        ("1.5", "[h]:mm", "36:00"),
        ("1.5208333333333333", "[h]:mm:ss", "36:30:00"),
        ("0.0625", "[mm]:ss", "90:00"),
        ("0.00125", "[ss]", "108"),
        ("0.00125", "[s]\" s\"", "108 s"),
        ("0.041666666666666664", "[hh]:mm", "01:00"),
        ("-1.5", "[h]:mm", "-36:00"),
        ("-1.5", "[h]:mm;\\-[h]:mm", "-36:00"),
        ("0", "[h]:mm", "0:00"),
        ("1E9", "[h]:mm", "1000000000"),
    ] {
        assert_eq!(shown(stored, code), expected, "{stored} in {code}");
    }
    assert_eq!(text("1.5", &Format::built_in(46), false), "36:00:00");
    assert_eq!(text("0.25", &Format::built_in(20), false), "06:00:00");
}

#[test]
fn odd_formats_are_understood_as_far_as_they_go() {
    for code in [
        "\"", "\"00", "[", "[<]00", "\\", "_", "*", ";", "[<x]0", "[h", "é0é0",
    ] {
        assert!(!shown("12", code).contains('\u{FFFD}'), "{code}");
    }
    let long = format!("00{}", "\\-".repeat(200));
    assert_eq!(shown("7", &long), "7");
}

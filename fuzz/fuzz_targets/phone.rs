//! Phones: E.164 or the text as it came, and never a Brazilian number from a foreign one.

#![no_main]

use domain::contact::normalise_phone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let phone = normalise_phone(text);
    if !phone.valid {
        let own = phone.value.trim() == text.trim();
        assert!(own, "no valid number, so the text as it came");
        return;
    }
    assert_e164(&phone.value);
    let again = normalise_phone(&phone.value);
    assert!(again.valid && again.value == phone.value, "idempotent");
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'+';
    if text.bytes().all(plain) {
        let international = text.strip_prefix('+').or_else(|| text.strip_prefix("00"));
        if let Some(number) = international {
            let brazilian = phone.value.starts_with("+55");
            assert!(!brazilian || number.contains("55"), "foreign before");
        }
    }
});

fn assert_e164(value: &str) {
    let digits = value.strip_prefix('+').unwrap_or_default();
    let length = (7..=15).contains(&digits.len());
    assert!(length && digits.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(!digits.starts_with('0'));
}

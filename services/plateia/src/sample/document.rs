//! CPFs and CNPJs, with right and with wrong check digits.

use super::rng::SplitMix64;

/// Coprime with 10 and with 36: multiplying by it visits every number once, so that different rows
/// have different documents without remembering any.
const STRIDE: u64 = 387_420_487;
const CPF_BASES: u64 = 1_000_000_000;
const CNPJ_BASES: u64 = 100_000_000;
/// Seven characters of 36.
const LETTERED_BASES: u64 = 36u64.pow(7);

/// The CPF of a row, eleven digits.
pub fn cpf(seed: u64, row: u64) -> String {
    let base = format!("{:09}", spread(seed, row, CPF_BASES));
    with_check_digits(base, &[10, 9, 8, 7, 6, 5, 4, 3, 2], 11)
}

/// The CNPJ of a row's company, head office, of digits only.
pub fn numeric_cnpj(seed: u64, row: u64) -> String {
    let base = format!("{:08}0001", spread(seed, row, CNPJ_BASES));
    cnpj_of(base)
}

/// The CNPJ of a row's company in the form issued since 2026, with a letter in front.
pub fn lettered_cnpj(seed: u64, row: u64) -> String {
    let mut rest = spread(seed, row, LETTERED_BASES);
    let mut base = String::with_capacity(14);
    base.push(char::from(b'A' + (row % 26) as u8));
    for _ in 0..7 {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        base.extend(char::from_digit(digit, 36).map(|c| c.to_ascii_uppercase()));
        rest /= 36;
    }
    base.push_str("0001");
    cnpj_of(base)
}

/// The same document with its last check digit off by one.
pub fn broken(document: &str) -> String {
    let mut text = document.to_owned();
    let last = text.pop().and_then(|c| c.to_digit(10)).unwrap_or(0);
    text.extend(char::from_digit((last + 1) % 10, 10));
    text
}

/// A document as people write it: bare, or with its usual separators.
pub fn written(document: &str, rng: &mut SplitMix64) -> String {
    if rng.below(2) == 0 {
        return document.to_owned();
    }
    let marks: &[(usize, char)] = match document.len() {
        11 => &[(3, '.'), (6, '.'), (9, '-')],
        14 => &[(2, '.'), (5, '.'), (8, '/'), (12, '-')],
        _ => &[],
    };
    let mut text = String::with_capacity(document.len() + marks.len());
    for (at, c) in document.chars().enumerate() {
        text.extend(
            marks
                .iter()
                .find(|(place, _)| *place == at)
                .map(|(_, mark)| *mark),
        );
        text.push(c);
    }
    text
}

const fn spread(seed: u64, row: u64, bases: u64) -> u64 {
    let place = row as u128 * STRIDE as u128 + seed as u128;
    (place % bases as u128) as u64
}

fn cnpj_of(base: String) -> String {
    with_check_digits(base, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 6)
}

/// Appends two digits modulo 11. `first` weighs the base for the first digit; the second digit
/// weighs the base and the first digit with `head` and `first`.
fn with_check_digits(base: String, first: &[u32], head: u32) -> String {
    let digit = |text: &str, weights: &mut dyn Iterator<Item = u32>| {
        let sum: u32 = text
            .bytes()
            .zip(weights)
            .map(|(byte, weight)| u32::from(byte.saturating_sub(b'0')) * weight)
            .sum();
        match sum % 11 {
            0 | 1 => '0',
            rest => char::from_digit(11 - rest, 10).unwrap_or('0'),
        }
    };
    let mut text = base;
    text.push(digit(&text, &mut first.iter().copied()));
    text.push(digit(
        &text,
        &mut std::iter::once(head).chain(first.iter().copied()),
    ));
    text
}

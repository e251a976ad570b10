//! Contacts made from a seed, the same in every run.

use domain::{
    contact::{ContactBody, RawValues},
    shared::Instant,
};

/// A small generator of pseudo-random numbers (`SplitMix64`).
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `limit`.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

const NAMES: [&str; 8] = [
    "Ana", "Bruno", "Célia", "Davi", "Érica", "Fábio", "Gisele", "Hugo",
];
const CITIES: [&str; 6] = [
    "Recife",
    "São Paulo",
    "Belém",
    "Curitiba",
    "Natal",
    "Goiânia",
];

/// Different people for another seed.
const SEED: u64 = 20_260_101;
/// Nine digits and two check digits make a CPF.
const BASES: u64 = 1_000_000_000;

/// The CPF of contact `n`, valid, in random order, each once for `n` below a milliard.
pub fn document(n: u64) -> String {
    let mut base = shuffled(n);
    // What fell outside is shuffled on until it is inside: still each once.
    while base >= BASES {
        base = shuffled(base);
    }
    let digits = format!("{base:09}");
    let check = |digits: &str| {
        let count = digits.len() as u32;
        let weights = (2..=count + 1).rev();
        let sum: u32 = digits
            .bytes()
            .zip(weights)
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    let first = format!("{digits}{}", check(&digits));
    format!("{first}{}", check(&first))
}

/// A permutation of the numbers of 30 bits (a Feistel network of four rounds).
fn shuffled(n: u64) -> u64 {
    const HALF: u64 = (1 << 15) - 1;
    let (mut left, mut right) = (n >> 15, n & HALF);
    for round in 0..4 {
        let mixed = Random::new(SEED ^ (round << 32) ^ right).next();
        (left, right) = (right, left ^ (mixed & HALF));
    }
    left << 15 | right
}

/// A contact as a client sends it.
pub fn item(n: u64) -> String {
    let document = document(n);
    let (name, city) = (name(n), city(n));
    let phone = phone(n);
    format!(
        r#"{{"document":"{document}","name":"{name}","phone":"{phone}","email":"p{n}@mail.example","city":"{city}","plan":"p{}"}}"#,
        n % 5
    )
}

/// The same as a row of a file, under [`HEADER`].
pub fn row(n: u64) -> String {
    let (name, city) = (name(n), city(n));
    format!(
        "{};{name};{};p{n}@mail.example;{city};p{}\n",
        document(n),
        phone(n),
        n % 5
    )
}

/// Header of the files.
pub const HEADER: &str = "document;name;phone;email;city;plan\n";

/// The values that the store keeps of it.
pub fn body(n: u64) -> ContactBody {
    let attributes = [
        ("city", city(n).to_owned()),
        ("plan", format!("p{}", n % 5)),
    ];
    let attribute = |(name, text): (&str, String)| (name.to_owned(), text.into());
    ContactBody {
        name: Some(name(n)),
        phone: Some(format!("+{}", phone(n))),
        phone_valid: true,
        email: Some(format!("p{n}@mail.example")),
        email_valid: true,
        attributes: attributes.into_iter().map(attribute).collect(),
        raw: RawValues {
            phone: Some(phone(n)),
            ..RawValues::default()
        },
        updated_at: Instant::from_timestamp_millis(1_767_225_600_000).unwrap_or_default(),
    }
}

fn name(n: u64) -> String {
    let first = NAMES.get((n % 8) as usize).copied().unwrap_or_default();
    format!("{first} Pessoa {n}")
}

fn city(n: u64) -> &'static str {
    CITIES.get((n % 6) as usize).copied().unwrap_or_default()
}

fn phone(n: u64) -> String {
    format!("55119{:08}", 60_000_000 + n % 39_999_999)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn documents_are_cpfs_and_each_once() {
        let documents: HashSet<String> = (0..200_000).map(document).collect();
        assert_eq!(documents.len(), 200_000);
        for document in documents.iter().take(1_000) {
            let digits: Vec<u32> = document.bytes().map(|b| u32::from(b - b'0')).collect();
            assert_eq!(digits.len(), 11);
            for checked in [9, 10] {
                let sum: u32 = (0..checked)
                    .map(|at| digits[at] * (checked as u32 + 1 - at as u32))
                    .sum();
                assert_eq!(sum * 10 % 11 % 10, digits[checked], "{document}");
            }
        }
    }

    #[test]
    fn documents_come_in_no_order() {
        let rising = (0..10_000).filter(|n| document(*n) < document(n + 1));
        assert!((4_000..6_000).contains(&rising.count()));
    }
}

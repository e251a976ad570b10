//! Contacts made from a seed, the same in every run.

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

/// The document of contact `n`: eleven digits, in no order, each once.
pub fn document(n: u64) -> String {
    // Multiplication by an odd number permutes the residues of a power of ten that it is prime to.
    format!("{:011}", (n * 61_803_398_879 + 7) % 100_000_000_000)
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

/// The body that the store keeps for it.
pub fn body(n: u64) -> String {
    let (name, city) = (name(n), city(n));
    let phone = phone(n);
    format!(
        r#"{{"n":"{name}","p":"+{phone}","pv":true,"e":"p{n}@mail.example","ev":true,"a":{{"city":"{city}","plan":"p{}"}},"r":{{"p":"{phone}"}},"u":1767225600000}}"#,
        n % 5
    )
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

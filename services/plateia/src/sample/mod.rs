//! A file of Brazilian contacts for demonstrations, tests and benchmarks.
//!
//! Every row is a function of the seed and its number, so a file of any length is made without
//! memory, always the same.

mod customers;
mod document;
mod people;
mod rng;

use std::io::{self, Write};

pub use customers::{CUSTOMERS, Customers, EVENTS};
use people::{Flaws, Person};
use rng::SplitMix64;

/// Rows where nothing else is asked for.
pub const ROWS: u64 = 100_000;
/// Seed where nothing else is asked for.
pub const SEED: u64 = 2026;

const HEADER: &str =
    "documento;nome;telefone;email;cidade;uf;plano;cliente_desde;faturas_em_aberto";

/// What is special about a row. Of every hundred rows that begin at a multiple of a hundred, each
/// kind has exactly its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A CPF with right check digits: 68 of 100.
    Cpf,
    /// A CPF with a wrong check digit, which is kept and marked: 6 of 100.
    InvalidCpf,
    /// A CNPJ of digits: 6 of 100.
    Cnpj,
    /// A CNPJ with letters: 6 of 100.
    LetteredCnpj,
    /// A document of another kind: 2 of 100.
    Other,
    /// The document of an earlier row, with other data: 10 of 100.
    Duplicate,
    /// No document, or one that is too long; rejected: 2 of 100.
    Bad,
}

/// A sample by its seed.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    seed: u64,
}

impl Sample {
    /// The sample of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// What is special about row `row`, counted from 0.
    pub const fn kind(row: u64) -> Kind {
        // 37 and 100 have no common factor: every hundred rows visit every place once.
        match row * 37 % 100 {
            0..68 => Kind::Cpf,
            68..74 => Kind::InvalidCpf,
            74..80 => Kind::Cnpj,
            80..86 => Kind::LetteredCnpj,
            86..88 => Kind::Other,
            88..98 => Kind::Duplicate,
            _ => Kind::Bad,
        }
    }

    /// The document of a row in its normal form; what makes it bad where the row is bad.
    pub fn document(self, row: u64) -> String {
        match Self::kind(row) {
            Kind::Cpf => document::cpf(self.seed, row),
            Kind::InvalidCpf => document::broken(&document::cpf(self.seed, row)),
            Kind::Cnpj => document::numeric_cnpj(self.seed, row),
            Kind::LetteredCnpj => document::lettered_cnpj(self.seed, row),
            Kind::Other => format!("PASSAPORTE {row:08}"),
            Kind::Duplicate => document::cpf(self.seed, earlier_cpf(row)),
            Kind::Bad if row.is_multiple_of(2) => String::new(),
            Kind::Bad => "9".repeat(70),
        }
    }

    /// Writes the header and rows `0..rows`.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn write(self, rows: u64, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{HEADER}")?;
        (0..rows).try_for_each(|row| self.write_row(row, out))
    }

    /// Who is in a row, and the document as it is written there.
    fn person(self, row: u64, flaws: &Flaws) -> (String, Person) {
        let rng = &mut SplitMix64::new(self.seed, row);
        let company = matches!(Self::kind(row), Kind::Cnpj | Kind::LetteredCnpj);
        let document = document::written(&self.document(row), rng);
        (document, Person::draw(rng, row, company, flaws))
    }

    fn write_row(self, row: u64, out: &mut impl Write) -> io::Result<()> {
        let flaws = Flaws {
            phone: row % 50 == 7,
            email: row % 50 == 31,
        };
        let (document, person) = self.person(row, &flaws);
        writeln!(
            out,
            "{document};{};{};{};{};{};{};{};{}",
            person.name,
            person.phone,
            person.email,
            person.city,
            person.state,
            person.plan,
            person.since,
            person.open_invoices
        )
    }
}

/// The last row before `row`, at least twenty rows back where there are so many, that has a CPF of
/// its own. Row 0 is one.
fn earlier_cpf(row: u64) -> u64 {
    let from = row.saturating_sub(20);
    (0..=from)
        .rev()
        .find(|row| Sample::kind(*row) == Kind::Cpf)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;

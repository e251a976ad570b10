//! How fast imports are, and whether the budget is kept, on PostgreSQL against a made-up CRM that runs
//! beside: `make bench-imports`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement that cannot be made ends with the reason"
)]

#[path = "../../tests/imports/doubles.rs"]
mod doubles;
mod ground;
mod kept;
mod speed;

use clap::Parser;

/// Measures imports; the URL of PostgreSQL is taken from PLATEIA_TEST_POSTGRES_URL.
#[derive(Parser)]
struct Arguments {
    /// The program of the made-up CRM.
    #[arg(long)]
    fake: std::path::PathBuf,
    /// Rows to import: tickets with ten messages each, and a twelfth of contacts.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Watch the budget in real time for so many seconds instead, with two replicas.
    #[arg(long)]
    budget_seconds: Option<u64>,
    /// Requests a minute of that budget.
    #[arg(long, default_value_t = 50)]
    requests_per_minute: i64,
}

fn main() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let passed = runtime.block_on(async {
        match arguments.budget_seconds {
            Some(seconds) => {
                kept::measure(&arguments.fake, seconds, arguments.requests_per_minute).await
            }
            None => speed::measure(&arguments.fake, arguments.rows).await,
        }
    });
    std::process::exit(i32::from(!passed));
}

//! Checks of the workspace that the compiler cannot do, and its sizes: `cargo run -p xtask -- arch|size|measure`.

mod arch;
mod capabilities;
mod circles;
mod lexer;
mod measure;
mod size;
mod source;

use std::{path::Path, process::ExitCode};

use anyhow::{Context, bail};

fn main() -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?;
    let check = std::env::args().nth(1);
    let findings = match check.as_deref() {
        Some("measure") => {
            print!("{}", measure::report(root)?);
            return Ok(ExitCode::SUCCESS);
        }
        Some("arch") => arch::check(root)?,
        Some("size") => size::check(root)?,
        _ => bail!("usage: cargo run -p xtask -- arch|size|measure"),
    };
    for finding in &findings {
        eprintln!("{finding}");
    }
    let name = check.unwrap_or_default();
    if findings.is_empty() {
        println!("{name}: no findings");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{name}: {} findings", findings.len());
    Ok(ExitCode::FAILURE)
}
